"""Responses answers in one JSON document."""

from typing import Any

import msgspec

from monkey_coder_server.sandbox.exchange import ToolCall
from monkey_coder_server.sandbox.identifiers import Identifiers, base62, hexadecimal, uuid
from monkey_coder_server.sandbox.openai_responses import usage
from monkey_coder_server.sandbox.openai_responses.input_checks import secret
from monkey_coder_server.sandbox.served import Served

_ENCODER = msgspec.json.Encoder()
_REASONS = {"length": "max_output_tokens", "content_filter": "content_filter"}
_USUAL: dict[str, Any] = {
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "safety_identifier": None,
    "store": True,
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
    "metadata": {},
}
"""What an answer repeats of its request, and what it says of what was left out."""
_NO_IMAGES = {"image_tokens": 0, "text_tokens": 0}


def answer_id(served: Served) -> str:
    """The id of the answer in this provider's style."""
    return uuid(served.number) if served.ask.provider == "xai" else f"resp_{hexadecimal(served.number, 50)}"


def document(served: Served, identifiers: Identifiers) -> dict[str, Any]:
    """The whole answer."""
    why = _REASONS.get(served.reply.finish)
    body = opened(served) | {
        "status": "incomplete" if why else "completed",
        "completed_at": served.created + 1,
        "incomplete_details": {"reason": why} if why else None,
        "output": output(served, identifiers),
        "usage": usage.report(served),
    }
    if served.ask.provider == "openai" and served.ask.searches:
        body["tool_usage"] = _tool_usage(served)
    if served.reported is None:
        del body["usage"]
    return body


def opened(served: Served) -> dict[str, Any]:
    """The answer as it stands when nothing of it has been said."""
    given, ask = served.ask.echo, served.ask
    said = {name: usual if given.get(name) is None else given[name] for name, usual in _USUAL.items()}
    reasoning = {"effort": None, "summary": None, **(given.get("reasoning") or {})}
    text = {"format": {"type": "text"}, **(given.get("text") or {})}
    if ask.provider == "openai":
        text.setdefault("verbosity", "medium")
        said["prompt_cache_retention"] = given.get("prompt_cache_retention")
    return {
        "id": answer_id(served),
        "object": "response",
        "created_at": served.created,
        "status": "in_progress",
        "background": False,
        "completed_at": None,
        "error": None,
        "frequency_penalty": 0.0,
        "incomplete_details": None,
        "model": served.card.served_as,
        "output": [],
        "presence_penalty": 0.0,
        "reasoning": reasoning,
        "service_tier": "default",
        "temperature": 1.0 if given.get("temperature") is None else given["temperature"],
        "text": text,
        "usage": None,
        **said,
    }


def output(served: Served, identifiers: Identifiers) -> list[dict[str, Any]]:
    """The items of the answer: reasoning, searches, then a message or calls."""
    reply = served.reply
    items: list[dict[str, Any]] = []
    if reply.reasoning_tokens:
        items.append(reasoning_item(served, identifiers))
    items.extend(search_item(served, index) for index in range(reply.searches))
    items.extend(call_item(served, index, call) for index, call in enumerate(reply.tool_calls))
    if reply.text or reply.refusal:
        items.append(message_item(served))
    return items


def item_id(served: Served, prefix: str, index: int = 0) -> str:
    """The id of an item in this provider's style."""
    number = served.number >> (index + 3)
    if served.ask.provider == "xai":
        return f"{prefix}_{uuid(served.number)}" + (f"_{index}" if prefix == "fc" else "")
    return f"{prefix}_{hexadecimal(number, 50)}"


def reasoning_item(served: Served, identifiers: Identifiers) -> dict[str, Any]:
    """The reasoning: its summary where it is shown, its encrypted form where it was asked for."""
    shown = served.reply.reasoning if served.ask.show_reasoning else ""
    item: dict[str, Any] = {
        "id": item_id(served, "rs"),
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": shown}] if shown else [],
    }
    if served.ask.encrypted:
        item["encrypted_content"] = identifiers.signature(served.number, secret(served.ask.provider))
    return item | {"status": "completed"} if served.ask.provider == "xai" else item


def search_item(served: Served, index: int) -> dict[str, Any]:
    """A web search the provider ran."""
    query = served.ask.prompt[:60].strip() or "news"
    action = {"type": "search", "query": query, "queries": [query]}
    return {"id": item_id(served, "ws", index), "type": "web_search_call", "status": "completed", "action": action}


def message_item(served: Served) -> dict[str, Any]:
    """The message: text, or a refusal."""
    reply = served.reply
    part = text_part(reply.text, annotations(served)) if reply.text else refusal_part(reply.refusal)
    status = "incomplete" if reply.finish == "length" else "completed"
    return {
        "id": item_id(served, "msg"),
        "type": "message",
        "status": status,
        "content": [part],
        "role": "assistant",
    }


def text_part(text: str, notes: list[dict[str, Any]]) -> dict[str, Any]:
    """A part of a message that is text."""
    return {"type": "output_text", "annotations": notes, "logprobs": [], "text": text}


def refusal_part(refusal: str) -> dict[str, Any]:
    """A part of a message that declines."""
    return {"type": "refusal", "refusal": refusal}


def annotations(served: Served) -> list[dict[str, Any]]:
    """The sources of what was searched for."""
    return [
        {
            "type": "url_citation",
            "start_index": 0,
            "end_index": min(1, len(served.reply.text)),
            "title": f"Source {index + 1}",
            "url": f"https://example.com/source-{index + 1}",
        }
        for index in range(served.reply.searches)
    ]


def call_item(served: Served, index: int, call: ToolCall) -> dict[str, Any]:
    """A call for the caller to make."""
    number = served.number >> (index + 1)
    xai = served.ask.provider == "xai"
    call_id = f"call-{uuid(served.number)}-{index}" if xai else f"call_{base62(number, 24)}"
    named: dict[str, Any] = {"call_id": call_id, "name": call.name}
    if call.namespace:
        named["namespace"] = call.namespace
    if call.custom:
        body = {"type": "custom_tool_call", "status": "completed", "input": call.text}
        return {"id": item_id(served, "ctc", index), **body, **named}
    body = {"type": "function_call", "status": "completed", "arguments": arguments(call)}
    return {"id": item_id(served, "fc", index), **body, **named}


def arguments(call: ToolCall) -> str:
    """Tool arguments as the JSON text the dialect carries."""
    return _ENCODER.encode(call.arguments).decode()


def _tool_usage(served: Served) -> dict[str, Any]:
    images = {
        "input_tokens": 0,
        "input_tokens_details": _NO_IMAGES,
        "output_tokens": 0,
        "output_tokens_details": _NO_IMAGES,
        "total_tokens": 0,
    }
    return {"image_gen": images, "web_search": {"num_requests": served.reply.searches}}
