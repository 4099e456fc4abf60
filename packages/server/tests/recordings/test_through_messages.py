"""Every recorded answer of every provider, given on as an Anthropic message, reads the same with Anthropic's SDK."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from monkey_coder_server.dialects.anthropic_messages import AnthropicMessages
from monkey_coder_server.dialects.anthropic_messages.front import MessagesFront
from monkey_coder_server.domain.stream_events import Answer, Event, Failed, FinishReason, Frame
from monkey_coder_server.domain.usage import Usage, normalise
from monkey_coder_server.ports.front import Bill, Envelope, Told
from packages.server.tests.dialects.anthropic_messages import sdk, streams
from packages.server.tests.recordings import replay
from packages.server.tests.recordings.replay import Record

FRONT = MessagesFront()
ASKED = FRONT.read(b'{"model": "auto", "max_tokens": 9}', Envelope(headers={}, query={}))
ANSWERS = [
    record
    for record in replay.records()
    if not replay.is_http_error(record) and record["expected"]["kind"] == "message"
]
CLAUDES = [record for record in ANSWERS if record["api"] == "anthropic-messages"]
OTHERS = [record for record in ANSWERS if record["api"] != "anthropic-messages"]
PIECE = 777
ENDS_WELL = {"end_turn", "tool_use", "stop_sequence"}


def told(record: Record) -> Told:
    return Told(request_id="req_1", created=1_764_000_000, provider=record["provider"], model="a-model")


def bill_of(record: Record, answer: Answer) -> Bill:
    usage = Usage() if answer.usage is None else normalise(replay.usage_rule_of(record), answer.usage)
    finish = FinishReason.LENGTH if answer.finish is None else answer.finish
    return Bill(usage=usage, cost=1_500, receipt_id=None, finish=finish, native_finish=answer.native_finish)


def each(records: list[Record]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("record", records, ids=[record["id"] for record in records])


def said(message: dict[str, Any], kind: str, field: str) -> str:
    return "".join(block[field] for block in message["content"] if block["type"] == kind)


def check(record: Record, message: dict[str, Any], answer: Answer, bill: Bill) -> None:
    """What the SDK read is what the provider's own SDK had read."""
    expected = record["expected"]
    assert said(message, "text", "text") == (expected["text"] or "") + (expected["refusal"] or "")
    assert said(message, "thinking", "thinking") == "".join(thought.text for thought in answer.thinking)
    calls = [(block["name"], block["input"]) for block in message["content"] if block["type"] == "tool_use"]
    if answer.finish is None:  # what was still being said is no call to an SDK that lists finished ones alone
        calls = calls[: len(expected["tool_calls"])]
    assert [name for name, _ in calls] == [call["name"] for call in expected["tool_calls"]]
    for (_, ours), call in zip(calls, expected["tool_calls"], strict=True):
        assert ours == call["arguments"] or "__unparsed__" in call["arguments"]
    fine = bill.finish in {FinishReason.STOP, FinishReason.TOOL_CALLS, FinishReason.OTHER}
    assert (message["stop_reason"] in ENDS_WELL) == (fine and not expected["refusal"])
    usage = message["usage"]
    assert usage["input_tokens"] + usage["cache_read_input_tokens"] + usage["cache_creation_input_tokens"] == (
        bill.usage.input
    )
    assert (usage["cache_read_input_tokens"], usage["output_tokens"]) == (bill.usage.cache_read, bill.usage.output)


@each(OTHERS)
def test_an_answer_of_another_provider_reads_the_same_whole_and_streamed(record: Record) -> None:
    events = replay.read(record)
    answer = replay.fold(events)
    bill = bill_of(record, answer)
    whole = FRONT.write(ASKED, told(record), events, bill)
    check(record, sdk.read_whole(whole), answer, bill)
    writer = FRONT.writer(ASKED, told(record), relayed=False)
    written: list[Event] = [event for event in events if not isinstance(event, Failed)]
    stream = writer.begin() + b"".join(writer.write([event]) for event in written) + writer.end(bill)
    assert streams.disorder(stream) == []
    if not any("__unparsed__" in call["arguments"] for call in record["expected"]["tool_calls"]):
        assert streams.fold(stream) == json.loads(whole)["content"]
        check(record, sdk.read_stream(stream), answer, bill)


def relayed(record: Record, bill: Bill) -> bytes:
    """A stream of Claude's as it leaves, having come in pieces."""
    decoder = AnthropicMessages("anthropic").decoder(relay=True)
    writer = FRONT.writer(ASKED, told(record), relayed=True)
    body = replay.body_of(record)
    pieces = [body[at : at + PIECE] for at in range(0, len(body), PIECE)]
    came = [*map(decoder.feed, pieces), decoder.finish()]
    out = [writer.write([event for event in events if isinstance(event, Frame)]) for events in came]
    return b"".join([*out, writer.end(bill)])


def without_cost(message: dict[str, Any]) -> dict[str, Any]:
    message["usage"].pop("cost", None)
    return message


@each(CLAUDES)
def test_claudes_own_answer_is_passed_on(record: Record) -> None:
    answer = replay.fold(replay.read(record))
    bill, body = bill_of(record, answer), replay.body_of(record)
    if not record["stream"]:
        out = FRONT.relay(ASKED, body, bill)
        assert sdk.read_whole(out)["usage"]["cost"] == 0.0000015
        assert without_cost(json.loads(out)) == json.loads(body)
        assert replay.differences(record, replay.fold(AnthropicMessages("anthropic").decode(out))) == []
        return
    out = relayed(record, bill)
    assert streams.disorder(out) == []
    again = AnthropicMessages("anthropic").decoder()
    read = replay.fold([*again.feed(out), *again.finish()])
    if record["expected"].get("truncated_stream"):
        assert ("".join(read.text), read.finish) == ("".join(answer.text), FinishReason.LENGTH)
    else:
        assert replay.differences(record, read) == []
        kept = body.replace(b"\r\n", b"\n").partition(b"event: message_delta")[0]
        assert out.startswith(kept), "byte for byte"
        assert _sdk_reads(sdk.read_stream, out) == _sdk_reads(sdk.read_stream, body)


def _sdk_reads(read: Callable[[bytes], dict[str, Any]], stream: bytes) -> Any:
    try:
        return without_cost(read(stream))
    except Exception as unreadable:  # noqa: BLE001 - whatever the SDK makes of beta events, it makes of ours
        return type(unreadable)
