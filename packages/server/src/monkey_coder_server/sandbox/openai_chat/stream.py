"""Chat completions answers as server-sent events, with each provider's quirks of framing and usage."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from monkey_coder_server.sandbox.exchange import Frame
from monkey_coder_server.sandbox.identifiers import base62
from monkey_coder_server.sandbox.openai_chat import sources, usage, whole
from monkey_coder_server.sandbox.served import Served

_ENCODER = msgspec.json.Encoder()
_DONE = b"data: [DONE]\n\n"
_FRAGMENT = 12
"""Characters of tool arguments OpenAI sends in one event."""

Delta = tuple[dict[str, Any], int]
"""A delta, and the tokens generated once it is sent."""


def frames(served: Served) -> Iterator[Frame]:
    """The events of a streamed answer."""
    return _WRITERS[served.ask.provider](served)


def _event(body: dict[str, Any], end: bytes = b"\n\n") -> bytes:
    return b"data: " + _ENCODER.encode(body) + end


def _head(served: Served) -> dict[str, Any]:
    return {
        "id": whole.answer_id(served),
        "object": "chat.completion.chunk",
        "created": served.created,
        "model": served.card.served_as,
    }


def _deltas(served: Served, reasoning_key: str, reasoning_extra: dict[str, Any]) -> Iterator[Delta]:
    """Reasoning (where shown), then the visible text; tool calls are each provider's own."""
    reply = served.reply
    if reply.reasoning and served.ask.show_reasoning:
        for piece, generated in served.cuts(reply.reasoning):
            yield {reasoning_key: piece, **reasoning_extra}, generated
    for piece, generated in served.cuts(reply.text or reply.refusal, reply.reasoning_tokens):
        yield {"content": piece}, generated


def _openai(served: Served) -> Iterator[Frame]:
    reply = served.reply
    head = _head(served) | {
        "service_tier": "default",
        "system_fingerprint": None if served.card.reasons else whole.fingerprint(served),
    }
    extra = {"usage": None} if served.ask.include_usage else {}
    logprobs = {} if served.card.reasons else {"logprobs": None}
    serial = 0

    def frame(delta: dict[str, Any], generated: int, finish: str | None = None) -> Frame:
        nonlocal serial
        serial += 1
        choice = {"index": 0, "delta": delta, **logprobs, "finish_reason": finish}
        noise = base62(served.number >> serial % 100, 1 + (served.number >> serial % 90) % 16)
        return Frame(_event(head | {"choices": [choice]} | extra | {"obfuscation": noise}), generated)

    if reply.tool_calls:
        yield frame({"role": "assistant", "content": None}, 0)
        yield from (frame(delta, generated) for delta, generated in _openai_calls(served))
    elif reply.refusal:
        yield frame({"role": "assistant", "content": None, "refusal": ""}, 0)
        for piece, generated in served.cuts(reply.refusal, reply.reasoning_tokens):
            yield frame({"refusal": piece}, generated)
    else:
        yield frame({"role": "assistant", "content": "", "refusal": None}, 0)
        for piece, generated in served.cuts(reply.text, reply.reasoning_tokens):
            yield frame({"content": piece}, generated)
    yield frame({}, reply.output_tokens, whole.finish_reason(served))
    reported = usage.report(served)
    if served.ask.include_usage and reported is not None:
        noise = base62(served.number, 7)
        yield Frame(_event(head | {"choices": [], "usage": reported, "obfuscation": noise}), reply.output_tokens)
    yield Frame(_DONE, reply.output_tokens)


def _openai_calls(served: Served) -> Iterator[Delta]:
    generated = served.reply.reasoning_tokens
    for index, call in enumerate(served.reply.tool_calls):
        function = {"name": call.name, "arguments": ""}
        generated += 8
        opening = {"index": index, "id": whole.call_id(served, index), "type": "function", "function": function}
        yield {"tool_calls": [opening]}, generated
        text = whole.arguments(call)
        for start in range(0, len(text), _FRAGMENT):
            generated += 3
            fragment = {"index": index, "function": {"arguments": text[start : start + _FRAGMENT]}}
            yield {"tool_calls": [fragment]}, min(generated, served.reply.output_tokens)


def _whole_calls(served: Served, *, in_one: bool) -> Iterator[dict[str, Any]]:
    """Tool calls that arrive complete: Groq sends one a delta, xAI all in one."""
    calls = [
        {
            "id": whole.call_id(served, index),
            "type": "function",
            "function": {"name": call.name, "arguments": whole.arguments(call)},
            "index": index,
        }
        for index, call in enumerate(served.reply.tool_calls)
    ]
    yield from ([{"tool_calls": calls}] if in_one else ({"tool_calls": [call]} for call in calls)) if calls else ()


def _groq(served: Served) -> Iterator[Frame]:
    reply = served.reply
    head = _head(served) | {"system_fingerprint": whole.fingerprint(served)}
    mark = whole.groq_mark(served)

    def choice(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        return head | {"choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]}

    yield Frame(_event(choice({"role": "assistant", "content": ""}) | {"x_groq": mark}), 0)
    for delta, generated in _deltas(served, "reasoning", {"channel": "analysis"}):
        yield Frame(_event(choice(delta)), generated)
    for delta in _whole_calls(served, in_one=False):
        yield Frame(_event(choice(delta)), reply.output_tokens)
    last = choice({}, whole.finish_reason(served))
    reported = usage.report(served)
    if reported is None:
        last["x_groq"] = mark
    else:
        last["x_groq"] = {"id": mark["id"], "usage": reported}
        if served.ask.include_usage or served.number % 4:
            last["usage"] = reported
    yield Frame(_event(last), reply.output_tokens)
    yield Frame(_DONE, reply.output_tokens)


def _xai(served: Served) -> Iterator[Frame]:
    reply = served.reply
    head = _head(served)
    tail = {"system_fingerprint": whole.fingerprint(served)}
    role: dict[str, Any] = {"role": "assistant"}
    for delta, generated in _deltas(served, "reasoning_content", {}):
        yield Frame(_event(head | {"choices": [{"index": 0, "delta": delta | role}]} | tail), generated)
        role = {}
    for delta in _whole_calls(served, in_one=True):
        yield Frame(_event(head | {"choices": [{"index": 0, "delta": role | delta}]} | tail), reply.output_tokens)
        role = {}
    last = {"index": 0, "delta": role, "finish_reason": whole.finish_reason(served)}
    yield Frame(_event(head | {"choices": [last]} | tail), reply.output_tokens)
    reported = usage.report(served)
    if reported is not None:
        yield Frame(_event(head | {"choices": [], "usage": reported} | tail), reply.output_tokens)
    yield Frame(_DONE, reply.output_tokens)


def _moonshot(served: Served) -> Iterator[Frame]:
    reply = served.reply
    head = _head(served)
    tail = {"system_fingerprint": f"fpv0_{whole.fingerprint(served)[3:11]}"}

    def event(delta: dict[str, Any], finish: str | None = None, **extra: object) -> bytes:
        return _event(head | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish, **extra}]} | tail)

    yield Frame(event({"role": "assistant", "content": ""}), 0)
    for delta, generated in _deltas(served, "reasoning_content", {}):
        yield Frame(event(delta), generated)
    for delta, generated in _openai_calls(served):
        yield Frame(event(delta), generated)
    reported = usage.report(served)
    extra = {} if reported is None else {"usage": reported}
    yield Frame(event({}, whole.finish_reason(served), **extra), reply.output_tokens)
    if reported is not None and served.ask.include_usage:
        yield Frame(_event(head | {"choices": [], "usage": reported} | tail), reply.output_tokens)
    yield Frame(_DONE, reply.output_tokens)


def _perplexity(served: Served) -> Iterator[Frame]:
    reply = served.reply
    text = reply.text or reply.refusal
    start = {"id": whole.answer_id(served), "model": served.card.served_as, "created": served.created}
    shown = sources.found(served)
    so_far = ""
    for piece, generated in served.cuts(text):
        so_far += piece
        running = {"usage": usage.perplexity_tokens(served, generated)} if served.reported else {}
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": so_far},
            "delta": {"role": "assistant", "content": piece},
        }
        body = start | running | shown | {"object": "chat.completion.chunk", "choices": [choice]}
        yield Frame(_event(body, b"\r\n\r\n"), generated + reply.reasoning_tokens)
    reported = usage.report(served)
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "delta": {"role": "assistant", "content": ""},
        "finish_reason": whole.finish_reason(served),
    }
    ending = {"usage": reported} if reported is not None else {}
    body = start | ending | shown | {"object": "chat.completion.done", "choices": [choice]}
    yield Frame(_event(body, b"\r\n\r\n"), reply.output_tokens)


_WRITERS: dict[str, Callable[[Served], Iterator[Frame]]] = {
    "openai": _openai,
    "groq": _groq,
    "xai": _xai,
    "moonshot": _moonshot,
    "perplexity": _perplexity,
}


def error_event(provider: str, body: dict[str, Any]) -> bytes:
    """An error after the 200, as this provider frames it."""
    if provider == "groq":
        body = {"error": body["error"] | {"status_code": 503}}
        return b"event: error\n" + _event(body)
    return _event(body, b"\r\n\r\n" if provider == "perplexity" else b"\n\n")
