"""Answers as events, and streams as their frames: what the tests of Anthropic's writers share."""

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

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
from monkey_coder_server.ports.front import Bill, Problem, Told
from packages.server.tests.dialects.conversations import json_values, words

TOLD = Told(request_id="req_7", created=1_764_000_000, provider="google", model="gemini-x")
USAGE = Usage(uncached_input=90, cache_read=30, cache_write_5m=5, cache_write_1h=2, output=20, reasoning=4)
PROBLEM = Problem(code="provider_error", status=502, message="It broke.", request_id="req_7", facts={})


def bill(finish: FinishReason = FinishReason.STOP, *, usage: Usage = USAGE, cost: int = 1_234_000) -> Bill:
    return Bill(usage=usage, cost=cost, receipt_id="rcpt_1", finish=finish)


def frames(stream: bytes) -> list[tuple[str, dict[str, Any]]]:
    """Name and JSON of each event; every frame has exactly the two lines Anthropic writes."""
    found = []
    for block in stream.decode().removesuffix("\n\n").split("\n\n"):
        name, data = block.split("\n")
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


def disorder(stream: bytes) -> list[str]:
    """What a strict client would stumble over: frames out of order, deltas outside of blocks, ends that are missing."""
    wrong, open_, stopped = [], set(), 0
    names = [name for name, _ in frames(stream)]
    if names[0] != "message_start" or names[-2:] != ["message_delta", "message_stop"]:
        wrong.append(f"{names[0]} … {names[-2:]}")
    for name, data in frames(stream):
        if name != data["type"]:
            wrong.append(f"{name} is called {data['type']}")
        match name:
            case "content_block_start":
                if open_ or data["index"] != stopped:
                    wrong.append(f"block {data['index']} begins at the wrong time")
                open_.add(data["index"])
            case "content_block_delta" if data["index"] not in open_:
                wrong.append(f"block {data['index']} grows while it is not open")
            case "content_block_stop":
                open_.discard(data["index"])
                stopped += 1
    return wrong + [f"block {index} never ends" for index in open_]


def fold(stream: bytes) -> list[dict[str, Any]]:
    """The content a client gathers from the frames."""
    blocks: list[dict[str, Any]] = []
    arguments: dict[int, str] = {}
    for name, data in frames(stream):
        if name == "content_block_start":
            blocks.append(data["content_block"])
        elif name == "content_block_delta":
            (kind, (field, value)) = data["delta"]["type"], [*data["delta"].items()][1]
            block = blocks[data["index"]]
            if kind == "citations_delta":
                block.setdefault("citations", []).append(value)
            elif kind == "input_json_delta":
                arguments[data["index"]] = arguments.get(data["index"], "") + value
            else:
                block[field] += value
    for index, said in arguments.items():
        blocks[index]["input"] = json.loads(said)
    return blocks


pieces = st.lists(words.filter(bool), min_size=1, max_size=3)
proofs = st.none() | st.just("") | st.just("c2ln")
citations = st.builds(Citation, st.none() | st.just("https://a.b"), st.none() | words, st.none() | words)


@st.composite
def _thought(draw: st.DrawFn) -> list[Event]:
    if draw(st.booleans()):
        return [ThinkingClosed(redacted="cmVk")]
    said: list[Event] = [ThinkingDelta(text) for text in draw(pieces)]
    return [*said, ThinkingClosed(draw(proofs))]


@st.composite
def _text(draw: st.DrawFn) -> list[Event]:
    said: list[Event] = [TextDelta(text) for text in draw(pieces)]
    cited = [Cited(citation) for citation in draw(st.lists(citations, max_size=2))]
    return [*said[:1], *cited, *said[1:], *draw(st.sampled_from([[], [ServerItem("search", {})]]))]


@st.composite
def _calls(draw: st.DrawFn) -> list[Event]:
    """Some calls, one after the other or woven, closed at once or all at the end."""
    count = draw(st.integers(1, 3))
    opened = [
        ToolCallOpened(n, f"call_{n}", "Write", signature=draw(st.none() | st.just("c2ln"))) for n in range(count)
    ]
    written: list[list[Event]] = []
    for number in range(count):
        arguments = json.dumps(draw(st.dictionaries(words, json_values, max_size=2))) if draw(st.booleans()) else ""
        at = draw(st.integers(0, len(arguments)))
        written.append([ToolCallDelta(number, part) for part in (arguments[:at], arguments[at:]) if part])
    closed = [ToolCallClosed(number) for number in range(count)]
    match draw(st.sampled_from(["one by one", "closed at the end", "woven"])):
        case "one by one":
            return [event for n in range(count) for event in (opened[n], *written[n], closed[n])]
        case "closed at the end":
            return [*(event for n in range(count) for event in (opened[n], *written[n])), *closed]
        case _:
            return [
                *opened,
                *draw(st.permutations([w[0] for w in written if w])),
                *(w[1] for w in written if w[1:]),
                *closed,
            ]


@st.composite
def answers(draw: st.DrawFn) -> list[Event]:
    """The events of a complete answer of another dialect."""
    said = draw(st.lists(_thought() | _text() | st.just([RefusalDelta("No.")]), max_size=4))
    calls = draw(st.just([]) | _calls())
    reason = FinishReason.TOOL_CALLS if calls else draw(st.sampled_from(FinishReason))
    usage: list[Event] = [UsageReported(ReportedUsage(1, 1))]
    return [Opened("r", "m"), *(event for block in said for event in block), *calls, *usage, Finished(reason, None)]


def reason_of(events: Sequence[Event]) -> FinishReason:
    (last,) = [event for event in events if isinstance(event, Finished)]
    return last.reason
