"""Answers to write: events of every kind in the order decoders give them, and the official SDK to read them."""

import json
from collections.abc import Sequence
from typing import Any

import httpx2
import openai
from hypothesis import strategies as st
from openai.types.responses import Response, ResponseStreamEvent

from monkey_coder_protocol.sse import SseParser
from monkey_coder_server.dialects.openai_responses import ResponsesFront
from monkey_coder_server.domain.conversation import Citation
from monkey_coder_server.domain.stream_events import (
    Cited,
    Event,
    Finished,
    FinishReason,
    Opened,
    RefusalDelta,
    ServerItem,
    TextDelta,
    ThinkingClosed,
    ThinkingDelta,
    ToolCallClosed,
    ToolCallDelta,
    ToolCallOpened,
    UsageReported,
)
from monkey_coder_server.domain.usage import ReportedUsage, Usage
from monkey_coder_server.ports.front import Bill, Envelope, Inbound, Told
from packages.server.tests.dialects.conversations import words

FRONT = ResponsesFront()
TOLD = Told(request_id="req_0001", created=1_795_000_000, provider="anthropic", model="claude-x")
BILL = Bill(
    usage=Usage(uncached_input=3, cache_read=4, cache_write_5m=5, output=6, reasoning=2),
    cost=1_230_000,
    receipt_id="rcpt_1",
    finish=FinishReason.STOP,
    provider="openai",
)
TOOLS = [
    {"type": "function", "name": "get_weather", "parameters": {"type": "object"}},
    {
        "type": "custom",
        "name": "apply_patch",
        "format": {"type": "grammar", "syntax": "lark", "definition": "start: X"},
    },
    {"type": "namespace", "name": "agents", "tools": [{"type": "function", "name": "spawn"}]},
]


def inbound(**fields: Any) -> Inbound:
    """A request read, over a small one."""
    body = {"model": "m", "input": "hi", "tools": TOOLS, **fields}
    return FRONT.read(json.dumps(body).encode(), Envelope(headers={}, query={}))


def bill(finish: FinishReason) -> Bill:
    return Bill(usage=BILL.usage, cost=BILL.cost, receipt_id=BILL.receipt_id, finish=finish)


def frames(written: bytes) -> list[dict[str, Any]]:
    """The events of a stream; each is named after its type, and stands in one line."""
    parser = SseParser()
    found = [*parser.feed(written), *parser.finish()]
    events = [json.loads(each.data) for each in found]
    assert [each.event for each in found] == [event["type"] for event in events]
    return events


def streamed(asked: Inbound, events: Sequence[Event], ending: Bill = BILL, *, told: Told = TOLD) -> bytes:
    """A whole stream."""
    writer = FRONT.writer(asked, told, relayed=False)
    return writer.begin() + b"".join(writer.write([event]) for event in events) + writer.end(ending)


def client(status: int, content_type: str, body: bytes) -> openai.OpenAI:
    """The official SDK, answered with these bytes."""

    def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(status, headers={"content-type": content_type}, content=body)

    transport = httpx2.Client(transport=httpx2.MockTransport(answer))
    return openai.OpenAI(api_key="k", base_url="http://gateway.example/v1", http_client=transport, max_retries=0)


def read_whole(body: bytes) -> Response:
    """A whole answer as the SDK reads it."""
    return client(200, "application/json", body).responses.create(model="m", input="hi")


def read_stream(body: bytes) -> list[ResponseStreamEvent]:
    """The events of a stream as the SDK reads them."""
    return list(client(200, "text/event-stream", body).responses.create(model="m", input="hi", stream=True))


def read_with_helper(body: bytes) -> Response:
    """The last response of the SDK's stream helper, which checks the order of events."""
    with client(200, "text/event-stream", body).responses.stream(model="m", input="hi") as stream:
        *_, last = stream
    return last.response  # type: ignore[union-attr] - the last event holds one


def call(index: int, name: str, *pieces: str, **more: Any) -> list[Event]:
    opened = ToolCallOpened(index, f"call_{index}", name, **more)
    return [opened, *(ToolCallDelta(index, piece) for piece in pieces), ToolCallClosed(index)]


_said = words.filter(bool)
_texts = st.lists(_said.map(TextDelta), min_size=1, max_size=3)
_thoughts = st.tuples(
    st.lists(_said.map(ThinkingDelta), max_size=2),
    st.builds(ThinkingClosed, st.none() | st.just("c2ln"), st.none() | st.just("cmVk")),
).map(lambda both: [*both[0], both[1]])
_refusals = st.lists(_said.map(RefusalDelta), min_size=1, max_size=2)
_sources = st.builds(
    Cited, st.builds(Citation, st.none() | st.just("https://a.example"), st.none() | _said, raw=st.just({}))
).map(lambda cited: [cited])
_searches = st.builds(
    ServerItem, st.sampled_from(["web_search_call", "code"]), st.sampled_from([{"query": "q"}, {}, None])
).map(lambda item: [item])


@st.composite
def _calls(draw: st.DrawFn) -> list[Event]:
    """A call whose number is set later; its arguments may be anything."""
    name = draw(st.sampled_from(["get_weather", "apply_patch", "agents__spawn", "made_up"]))
    pieces = draw(st.lists(_said | st.just('{"input":"'), max_size=3))
    signature = draw(st.none() | st.just("c2ln"))
    return call(0, name, *pieces, custom=draw(st.booleans()), signature=signature)


def _numbered(blocks: list[list[Event]]) -> list[Event]:
    """The blocks one after another, calls numbered in their order."""
    events: list[Event] = [Opened("up_1", "claude-x")]
    number = -1
    for block in blocks:
        number += isinstance(block[0], ToolCallOpened)
        for event in block:
            match event:
                case ToolCallOpened():
                    events.append(ToolCallOpened(number, f"call_{number}", event.name, event.custom, event.signature))
                case ToolCallDelta(_, fragment):
                    events.append(ToolCallDelta(number, fragment))
                case ToolCallClosed():
                    events.append(ToolCallClosed(number))
                case _:
                    events.append(event)
    return events


answers = (
    st.lists(_texts | _thoughts | _refusals | _sources | _searches | _calls(), max_size=6)
    .map(_numbered)
    .map(lambda events: [*events, UsageReported(ReportedUsage(1, 2)), Finished(FinishReason.STOP, "stop")])
)
