"""How the tests of the front door ask it to read and to write."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from monkey_coder_server.dialects.gemini.front import GeminiFront
from monkey_coder_server.domain.conversation import ModelRequest
from monkey_coder_server.domain.stream_events import Event, FinishReason
from monkey_coder_server.domain.usage import Usage
from monkey_coder_server.ports.front import Bill, Envelope, Inbound, Problem, Told

FRONT = GeminiFront()
USAGE = Usage(uncached_input=7, cache_read=3, output=9, reasoning=4)
HELLO = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}


def inbound(
    body: Any, *, model: str | None = "m", stream: bool = False, query: Mapping[str, str] | None = None
) -> Inbound:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return FRONT.read(raw, Envelope(headers={}, query=query or {}, path_model=model, stream=stream))


def asked(**fields: Any) -> ModelRequest:
    """What a body with these fields over one question asks."""
    return inbound({**HELLO, **fields}).request


def conversation(*contents: Any) -> ModelRequest:
    return inbound({"contents": list(contents)}).request


def turn(role: str, *parts: Any) -> dict[str, Any]:
    return {"role": role, "parts": list(parts)}


def told(provider: str = "anthropic") -> Told:
    return Told(request_id="req_1", created=1_700_000_000, provider=provider, model="claude-big")


def bill(finish: FinishReason = FinishReason.STOP, native: str | None = None, cost: int = 1_234_500) -> Bill:
    return Bill(usage=USAGE, cost=cost, receipt_id="rcpt_1", finish=finish, native_finish=native)


def problem(status: int = 502, **more: Any) -> Problem:
    fields = {"code": "provider_error", "message": "It broke.", "request_id": "req_1", "facts": {}, **more}
    return Problem(status=status, **fields)


def records(stream: bytes) -> list[dict[str, Any]]:
    """The records of server-sent events, which are `data:` lines and nothing else."""
    frames = stream.split(b"\n\n")
    assert frames.pop() == b""
    assert all(frame.startswith(b"data: ") and b"\n" not in frame and frame.isascii() for frame in frames)
    return [json.loads(frame.removeprefix(b"data: ")) for frame in frames]


def streamed(
    batches: Sequence[Sequence[Event]],
    ended: Bill,
    *,
    thoughts: bool = True,
    events: bool = True,
    provider: str = "anthropic",
    relayed: bool = False,
) -> bytes:
    """The stream a caller gets when events come in these batches."""
    config = {"generationConfig": {"thinkingConfig": {"includeThoughts": thoughts}}}
    given = inbound({**HELLO, **config}, stream=True, query={"alt": "sse"} if events else {})
    writer = FRONT.writer(given, told(provider), relayed=relayed)
    return writer.begin() + b"".join(writer.write(batch) for batch in batches) + writer.end(ended)


def whole(
    events: Sequence[Event], ended: Bill, *, thoughts: bool = True, provider: str = "anthropic"
) -> dict[str, Any]:
    config = {"generationConfig": {"thinkingConfig": {"includeThoughts": thoughts}}}
    written: dict[str, Any] = json.loads(FRONT.write(inbound({**HELLO, **config}), told(provider), events, ended))
    return written


def joined(answer: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The parts of a stream's records as a client adds them up: pieces of one kind in a row are one part."""
    parts: list[dict[str, Any]] = []
    for record in answer:
        for part in record["candidates"][0]["content"]["parts"]:
            open_part = parts[-1] if parts and "thoughtSignature" not in parts[-1] else {}
            if "text" in part and "text" in open_part and open_part.get("thought") == part.get("thought"):
                parts[-1] = {**part, "text": parts[-1]["text"] + part["text"]}
            elif part != {"text": ""}:
                parts.append(part)
    return parts or [{"text": ""}]
