"""Chat completions answers in one JSON document, provider by provider."""

from collections.abc import Callable
from typing import Any

import msgspec

from monkey_coder_server.sandbox.exchange import ToolCall
from monkey_coder_server.sandbox.identifiers import base62, hexadecimal, uuid
from monkey_coder_server.sandbox.openai_chat import sources, usage
from monkey_coder_server.sandbox.served import Served

_ENCODER = msgspec.json.Encoder()
_FINISHES = {"refusal": "stop", "stop_sequence": "stop"}


def finish_reason(served: Served) -> str:
    """This dialect's word for why the answer ended."""
    return _FINISHES.get(served.reply.finish, served.reply.finish)


def answer_id(served: Served) -> str:
    """The id of the answer in this provider's style."""
    number = served.number
    return {
        "openai": lambda: f"chatcmpl-{base62(number, 29)}",
        "groq": lambda: f"chatcmpl-{uuid(number)}",
        "xai": lambda: uuid(number),
        "perplexity": lambda: uuid(number),
        "moonshot": lambda: f"chatcmpl-{hexadecimal(number, 24)}",
    }[served.ask.provider]()


def call_id(served: Served, index: int) -> str:
    """The id of a tool call in this provider's style."""
    number = served.number >> (index + 1)
    return {
        "openai": lambda: f"call_{base62(number, 24)}",
        "groq": lambda: base62(number, 9).lower(),
        "xai": lambda: f"call_{number % 100_000_000:08d}",
        "perplexity": lambda: f"call_{base62(number, 24)}",
        "moonshot": lambda: f"{served.reply.tool_calls[index].name}:{index}",
    }[served.ask.provider]()


def fingerprint(served: Served) -> str:
    """A system fingerprint that stays the same for a model."""
    return f"fp_{hexadecimal(sum(map(ord, served.card.id)) * 2_654_435_761, 10)}"


def arguments(call: ToolCall) -> str:
    """Tool arguments as the JSON text the dialect carries."""
    return _ENCODER.encode(call.arguments).decode()


def groq_mark(served: Served) -> dict[str, Any]:
    """Groq's own request record."""
    return {"id": f"req_{base62(served.number >> 9, 26).lower()}", "seed": served.number % 2_147_483_647}


def document(served: Served) -> dict[str, Any]:
    """The whole answer."""
    return _BUILDERS[served.ask.provider](served)


def _calls(served: Served) -> list[dict[str, Any]]:
    return [
        {
            "id": call_id(served, index),
            "type": "function",
            "function": {"name": call.name, "arguments": arguments(call)},
        }
        for index, call in enumerate(served.reply.tool_calls)
    ]


def _base(served: Served, choice: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": answer_id(served),
        "object": "chat.completion",
        "created": served.created,
        "model": served.card.served_as,
        "choices": [choice],
    }


def _with_usage(served: Served, body: dict[str, Any]) -> dict[str, Any]:
    reported = usage.report(served)
    return body if reported is None else body | {"usage": reported}


def _openai(served: Served) -> dict[str, Any]:
    reply = served.reply
    silent = bool(reply.tool_calls or reply.refusal)
    message: dict[str, Any] = {"role": "assistant", "content": None if silent else reply.text}
    if reply.tool_calls:
        message["tool_calls"] = _calls(served)
    message |= {"refusal": reply.refusal or None, "annotations": []}
    choice: dict[str, Any] = {"index": 0, "message": message}
    if not served.card.reasons:
        choice["logprobs"] = None
    choice["finish_reason"] = finish_reason(served)
    ending = {"service_tier": "default", "system_fingerprint": None if served.card.reasons else fingerprint(served)}
    return _with_usage(served, _base(served, choice)) | ending


def _groq(served: Served) -> dict[str, Any]:
    reply = served.reply
    message: dict[str, Any] = {"role": "assistant"}
    if reply.tool_calls:
        message["tool_calls"] = _calls(served)
    else:
        message["content"] = reply.text or reply.refusal
    if reply.reasoning and served.ask.show_reasoning:
        message["reasoning"] = reply.reasoning
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason(served)}
    return _with_usage(served, _base(served, choice)) | {
        "usage_breakdown": None,
        "system_fingerprint": fingerprint(served),
        "x_groq": groq_mark(served),
        "service_tier": "on_demand",
    }


def _xai(served: Served) -> dict[str, Any]:
    reply = served.reply
    message: dict[str, Any] = {"role": "assistant", "content": reply.text}
    if reply.reasoning and served.ask.show_reasoning:
        message["reasoning_content"] = reply.reasoning
    if reply.tool_calls:
        message["tool_calls"] = _calls(served)
    message["refusal"] = reply.refusal or None
    choice = {"index": 0, "message": message, "finish_reason": finish_reason(served)}
    return _with_usage(served, _base(served, choice)) | {"system_fingerprint": fingerprint(served)}


def _moonshot(served: Served) -> dict[str, Any]:
    reply = served.reply
    message: dict[str, Any] = {"role": "assistant", "content": reply.text or reply.refusal}
    if reply.reasoning and served.ask.show_reasoning:
        message["reasoning_content"] = reply.reasoning
    if reply.tool_calls:
        message["tool_calls"] = _calls(served)
    choice = {"index": 0, "message": message, "finish_reason": finish_reason(served)}
    return _with_usage(served, _base(served, choice))


def _perplexity(served: Served) -> dict[str, Any]:
    message = {"role": "assistant", "content": served.reply.text or served.reply.refusal}
    choice = {
        "index": 0,
        "message": message,
        "delta": {"role": "assistant", "content": ""},
        "finish_reason": finish_reason(served),
    }
    body = {"id": answer_id(served), "model": served.card.served_as, "created": served.created}
    return _with_usage(served, body) | sources.found(served) | {"object": "chat.completion", "choices": [choice]}


_BUILDERS: dict[str, Callable[[Served], dict[str, Any]]] = {
    "openai": _openai,
    "groq": _groq,
    "xai": _xai,
    "moonshot": _moonshot,
    "perplexity": _perplexity,
}
