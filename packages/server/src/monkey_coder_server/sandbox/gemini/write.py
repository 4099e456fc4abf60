"""GenerateContent answers: whole, as server-sent events and as a JSON array that grows."""

import json
from collections.abc import Iterator
from typing import Any

from monkey_coder_server.sandbox.exchange import Frame, Usage
from monkey_coder_server.sandbox.identifiers import Identifiers, base62
from monkey_coder_server.sandbox.served import Served

_FINISHES = {
    "stop": "STOP",
    "length": "MAX_TOKENS",
    "tool_calls": "STOP",
    "content_filter": "SAFETY",
    "refusal": "PROHIBITED_CONTENT",
    "stop_sequence": "STOP",
}
_CATEGORIES = ("HATE_SPEECH", "DANGEROUS_CONTENT", "HARASSMENT", "SEXUALLY_EXPLICIT")
_COMPACT = json.JSONEncoder(separators=(",", ": "), ensure_ascii=False)
"""Google writes a blank after colons and none after commas in its streams."""


def document(served: Served, identifiers: Identifiers) -> dict[str, Any]:
    """The whole answer."""
    parts = [part for part, _ in _parts(served, identifiers, whole=True)]
    return _body(served, _candidate(served, parts, last=True), served.reported, served.reply.text_tokens)


def encoded(body: dict[str, Any]) -> bytes:
    """A document as Google indents it."""
    return json.dumps(body, indent=2, ensure_ascii=False).encode() + b"\n"


def _candidate(served: Served, parts: list[dict[str, Any]], *, last: bool) -> dict[str, Any]:
    content: dict[str, Any] = {"parts": parts, "role": "model"} if parts else {"role": "model"}
    candidate: dict[str, Any] = {"content": content}
    if not last:
        return candidate | {"index": 0}
    finish = _FINISHES[served.reply.finish]
    if finish == "SAFETY":
        candidate["content"] = {}
        candidate["safetyRatings"] = [
            {"category": f"HARM_CATEGORY_{name}", "probability": "NEGLIGIBLE"} for name in _CATEGORIES[1:]
        ] + [{"category": f"HARM_CATEGORY_{_CATEGORIES[0]}", "probability": "HIGH", "blocked": True}]
    candidate |= {"finishReason": finish, "index": 0}
    if served.reply.tool_calls:
        candidate["finishMessage"] = "Model generated function call(s)."
    return candidate


def _body(served: Served, candidate: dict[str, Any], usage: Usage | None, output: int) -> dict[str, Any]:
    body: dict[str, Any] = {"candidates": [candidate]}
    if usage is not None:
        body["usageMetadata"] = _usage(served, usage, output if usage is served.usage else usage.output)
    return body | {
        "modelVersion": served.card.served_as,
        "responseId": base62(served.number, 23),
    }


def _usage(served: Served, usage: Usage, output: int) -> dict[str, Any]:
    media = served.ask.media_tokens
    result: dict[str, Any] = {"promptTokenCount": usage.prompt}
    if output:
        result["candidatesTokenCount"] = output
    result["totalTokenCount"] = usage.prompt + output + usage.reasoning
    if usage.cache_read:
        result["cachedContentTokenCount"] = usage.cache_read
    details = [{"modality": "TEXT", "tokenCount": usage.prompt - sum(media.values())}]
    details += [{"modality": modality, "tokenCount": number} for modality, number in media.items()]
    result["promptTokensDetails"] = details
    if usage.cache_read:
        result["cacheTokensDetails"] = [{"modality": "TEXT", "tokenCount": usage.cache_read}]
    if usage.reasoning:
        result["thoughtsTokenCount"] = usage.reasoning
    return result | {"serviceTier": "standard"}


def _parts(served: Served, identifiers: Identifiers, *, whole: bool) -> Iterator[tuple[dict[str, Any], int]]:
    """Thought, text and call parts, each with the output tokens (thoughts included) generated once it is out."""
    reply = served.reply
    signature = identifiers.signature(served.number, "") if reply.reasoning_tokens else ""
    if reply.reasoning and served.ask.show_reasoning:
        cuts = [(reply.reasoning, reply.reasoning_tokens)] if whole else served.cuts(reply.reasoning)
        for piece, generated in cuts:
            yield {"text": piece, "thought": True}, generated
    text = reply.text
    if text:
        pieces = [(text, reply.output_tokens)] if whole else list(served.cuts(text, reply.reasoning_tokens))
        for piece, generated in pieces:
            last = signature and served.ask.show_reasoning and generated == reply.output_tokens
            yield {"text": piece} | ({"thoughtSignature": signature} if last else {}), generated
    for index, call in enumerate(reply.tool_calls):
        part: dict[str, Any] = {"functionCall": {"name": call.name, "args": call.arguments}}
        if signature and index == 0:
            part["thoughtSignature"] = signature
        yield part, reply.output_tokens


def _documents(served: Served, identifiers: Identifiers) -> Iterator[tuple[dict[str, Any], int]]:
    reply = served.reply
    parts = list(_parts(served, identifiers, whole=False))
    calls = [part for part, _ in parts if "functionCall" in part]
    texts = [(part, generated) for part, generated in parts if "functionCall" not in part]
    final = calls or [part for part, _ in texts[-1:]]
    for part, generated in texts if calls else texts[:-1]:
        visible = max(generated - reply.reasoning_tokens, 0)
        yield _body(served, _candidate(served, [part], last=False), served.reported, visible), generated
    last = _candidate(served, final, last=True)
    yield _body(served, last, served.reported, reply.text_tokens), reply.output_tokens


def frames(served: Served, identifiers: Identifiers, *, sse: bool) -> Iterator[Frame]:
    """The events of a streamed answer: SSE with CRLF, or without `alt=sse` the elements of a JSON array."""
    if sse:
        for body, generated in _documents(served, identifiers):
            yield Frame(b"data: " + _COMPACT.encode(body).encode() + b"\r\n\r\n", generated)
        return
    opening = b"["
    for body, generated in _documents(served, identifiers):
        yield Frame(opening + json.dumps(body, indent=2, ensure_ascii=False).encode(), generated)
        opening = b",\r\n"
    yield Frame(b"]\r\n", served.reply.output_tokens)


def error_event(body: dict[str, Any], *, sse: bool) -> bytes:
    """An error after the 200."""
    text = _COMPACT.encode(body).encode()
    return b"data: " + text + b"\r\n\r\n" if sse else b",\r\n" + text
