"""Every recorded answer of every provider, given on in Gemini's format, reads the same with Google's official SDK."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx2
import pytest
from google import genai
from google.genai import types

from monkey_coder_server.dialects.gemini.front import GeminiFront
from monkey_coder_server.domain.stream_events import Answer, Event, Failed, FinishReason, Frame
from monkey_coder_server.domain.usage import Usage, normalise
from monkey_coder_server.ports.front import Bill, Envelope, Inbound, Told
from packages.server.tests.recordings import replay
from packages.server.tests.recordings.replay import Record

FRONT = GeminiFront()
BODY = json.dumps(
    {
        "contents": [{"parts": [{"text": "?"}]}],
        "generationConfig": {"thinkingConfig": {"includeThoughts": True}},
    }
).encode()
TOLD = {"request_id": "req_1", "created": 1_764_000_000, "model": "a-model"}
ANSWERS = [
    record
    for record in replay.records()
    if not replay.is_http_error(record) and record["expected"]["kind"] == "message"
]


def inbound(*, stream: bool, events: bool = True) -> Inbound:
    query = {"alt": "sse"} if events else {}
    return FRONT.read(BODY, Envelope(headers={}, query=query, path_model="m", stream=stream))


@dataclass
class Seen:
    """What a caller of the SDK sees of an answer."""

    text: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    calls: list[tuple[str | None, Any]] = field(default_factory=list)
    finish: str | None = None
    usage: Any = None
    chunks: int = 0

    def take(self, answer: types.GenerateContentResponse) -> None:
        self.chunks += 1
        candidate = (answer.candidates or [types.Candidate()])[0]
        for part in (candidate.content and candidate.content.parts) or []:
            if part.thought:
                self.thoughts.append(part.text or "")
            elif part.text:
                self.text.append(part.text)
            if part.function_call:
                self.calls.append((part.function_call.name, part.function_call.args))
        self.finish = candidate.finish_reason.value if candidate.finish_reason else self.finish
        self.usage = answer.usage_metadata or self.usage


class Wire:
    """Answers the SDK with bytes cut anywhere."""

    def __init__(self) -> None:
        self.body = b""

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        kind = "text/event-stream" if "alt=sse" in str(request.url) else "application/json"
        pieces = [self.body[at : at + 777] for at in range(0, len(self.body), 777)]
        return httpx2.Response(200, headers={"content-type": kind}, stream=_Pieces(pieces))


class _Pieces(httpx2.SyncByteStream):
    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._pieces)


@cache
def sdk() -> tuple[genai.Client, Wire]:
    wire = Wire()
    options = types.HttpOptions(
        base_url="http://gateway", httpx_client=httpx2.Client(transport=httpx2.MockTransport(wire.answer))
    )
    return genai.Client(api_key="mk-test", http_options=options), wire


def read_whole(body: bytes) -> Seen:
    client, wire = sdk()
    wire.body = body
    seen = Seen()
    seen.take(client.models.generate_content(model="m", contents="?"))
    return seen


def read_stream(body: bytes) -> Seen:
    client, wire = sdk()
    wire.body = body
    seen = Seen()
    for chunk in client.models.generate_content_stream(model="m", contents="?"):
        seen.take(chunk)
    return seen


def events_of(record: Record, *, relay: bool = False) -> list[Event]:
    dialect = replay.dialect_of(record["provider"], record["api"])
    if not record["stream"]:
        return list(dialect.decode(replay.body_of(record)))
    decoder = dialect.decoder(relay=relay)
    return [*decoder.feed(replay.body_of(record)), *decoder.finish()]


def bill_of(record: Record, answer: Answer) -> Bill:
    usage = Usage() if answer.usage is None else normalise(replay.usage_rule_of(record), answer.usage)
    finish = FinishReason.LENGTH if answer.finish is None else answer.finish
    return Bill(usage=usage, cost=1_500, receipt_id=None, finish=finish, native_finish=answer.native_finish)


def expected_calls(record: Record) -> list[tuple[str, Any]]:
    """What Gemini's format can say of them: arguments are objects; what is cut off is no call."""
    calls = [(call["name"], call["arguments"]) for call in record["expected"]["tool_calls"]]
    return [(name, arguments) for name, arguments in calls if "__unparsed__" not in (arguments or {})]


def thoughts_of(answer: Answer) -> str:
    return "".join(thought.text for thought in answer.thinking if thought.redacted is None)


def check(record: Record, seen: Seen, answer: Answer, bill: Bill) -> None:
    expected = record["expected"]
    assert "".join(seen.text) == (expected["text"] or "") + (expected["refusal"] or "")
    assert "".join(seen.thoughts) == thoughts_of(answer)
    if answer.finish is not None:
        assert seen.calls == expected_calls(record)
    assert seen.finish is not None
    assert (seen.finish == "STOP") == (bill.finish in {FinishReason.STOP, FinishReason.TOOL_CALLS})
    usage = bill.usage
    counts = seen.usage
    assert counts.prompt_token_count == usage.input
    assert (counts.candidates_token_count or 0) + (counts.thoughts_token_count or 0) == usage.output
    assert (counts.cached_content_token_count or 0) == usage.cache_read
    assert counts.total_token_count == usage.total


each = pytest.mark.parametrize("record", ANSWERS, ids=[record["id"] for record in ANSWERS])


@each
def test_an_answer_reads_the_same_whole_and_streamed(record: Record) -> None:
    events = events_of(record)
    answer = replay.fold(events)
    bill, told = bill_of(record, answer), Told(provider=record["provider"], **TOLD)
    whole = read_whole(FRONT.write(inbound(stream=False), told, events, bill))
    check(record, whole, answer, bill)
    writer = FRONT.writer(inbound(stream=True), told, relayed=False)
    said = [event for event in events if not isinstance(event, Failed)]
    stream = writer.begin() + b"".join(writer.write([event]) for event in said) + writer.end(bill)
    check(record, read_stream(stream), answer, bill)


GOOGLES = [record for record in ANSWERS if record["provider"] == "google"]


@pytest.mark.parametrize("record", GOOGLES, ids=[record["id"] for record in GOOGLES])
def test_googles_own_answer_reads_the_same_passed_on(record: Record) -> None:
    events = events_of(record, relay=True)
    answer = replay.fold([event for event in events if not isinstance(event, Frame)])
    bill, told = bill_of(record, answer), Told(provider="google", **TOLD)
    if record["stream"]:
        writer = FRONT.writer(inbound(stream=True), told, relayed=True)
        frames = [event for event in events if isinstance(event, Frame)]
        seen = read_stream(writer.begin() + b"".join(writer.write([frame]) for frame in frames) + writer.end(bill))
        assert seen.chunks == len(frames) + (answer.finish is None)
    else:
        seen = read_whole(FRONT.relay(inbound(stream=False), replay.body_of(record), bill))
    expected = record["expected"]
    assert "".join(seen.text) == expected["text"]
    assert "".join(seen.thoughts) == thoughts_of(answer)
    assert seen.calls == [(call["name"], call["arguments"]) for call in expected["tool_calls"]]
    assert seen.finish == expected["finish_reason"] or answer.native_finish is None
    for ours, theirs in (
        ("prompt_token_count", "input_tokens"),
        ("candidates_token_count", "output_tokens"),
        ("total_token_count", "total_tokens"),
    ):
        assert getattr(seen.usage, ours) == (expected["usage"] or {}).get(theirs) or answer.finish is None
