"""Every recorded answer of every provider, given on as a response, reads the same with OpenAI's SDK."""

import json

import pytest
from openai.types.responses import Response

from monkey_coder_server.domain.stream_events import Answer, Event, Failed, FinishReason
from monkey_coder_server.domain.usage import Usage, normalise
from monkey_coder_server.ports.front import Bill, Told
from packages.server.tests.dialects.openai_responses.answers import (
    FRONT,
    frames,
    inbound,
    read_whole,
    read_with_helper,
)
from packages.server.tests.recordings import replay
from packages.server.tests.recordings.replay import Record

pytestmark = pytest.mark.filterwarnings("ignore:Pydantic serializer")
ASKED = inbound(tools=[])
ANSWERS = [
    record
    for record in replay.records()
    if not replay.is_http_error(record) and record["expected"]["kind"] == "message"
]
FINE = {FinishReason.STOP, FinishReason.TOOL_CALLS}


def told(record: Record) -> Told:
    return Told(request_id="req_1", created=1_764_000_000, provider=record["provider"], model="a-model")


def bill_of(record: Record, answer: Answer) -> Bill:
    usage = Usage() if answer.usage is None else normalise(replay.usage_rule_of(record), answer.usage)
    finish = FinishReason.LENGTH if answer.finish is None else answer.finish
    return Bill(usage=usage, cost=1_500, receipt_id=None, finish=finish, provider=record["provider"])


def arguments(item: object) -> object:
    """What a call says: parsed, or its text."""
    if item.type == "custom_tool_call":  # type: ignore[attr-defined] - one of two kinds of calls
        return item.input  # type: ignore[attr-defined] - as above
    if not item.arguments:  # type: ignore[attr-defined] - as above
        return {}
    try:
        return json.loads(item.arguments)  # type: ignore[attr-defined] - as above
    except ValueError:
        return {"__unparsed__": item.arguments}  # type: ignore[attr-defined] - as above


def check(record: Record, response: Response, answer: Answer, bill: Bill) -> None:
    """What OpenAI's SDK read is what the provider's own SDK had read."""
    expected = record["expected"]
    messages = [item for item in response.output if item.type == "message"]
    refusals = [part.refusal for item in messages for part in item.content if part.type == "refusal"]
    assert response.output_text == (expected["text"] or "")
    assert "".join(refusals) == (expected["refusal"] or "")
    thoughts = [item for item in response.output if item.type == "reasoning"]
    assert "".join(part.text for item in thoughts for part in item.summary) == "".join(
        thought.text for thought in answer.thinking
    )
    calls = [item for item in response.output if item.type in {"function_call", "custom_tool_call"}]
    if answer.finish is None:  # what was still being said is no call to an SDK that lists finished ones alone
        calls = calls[: len(expected["tool_calls"])]
    assert [item.name for item in calls] == [call["name"] for call in expected["tool_calls"]]
    for item, call in zip(calls, expected["tool_calls"], strict=True):
        wanted = call["arguments"]
        assert "__unparsed__" in wanted or call.get("custom") or arguments(item) == wanted
    complete = bill.finish in FINE or bool(refusals)
    assert (response.status == "completed") == complete or bill.finish is FinishReason.PAUSE
    assert response.usage is not None
    usage = (response.usage.input_tokens, response.usage.input_tokens_details.cached_tokens)
    assert usage == (bill.usage.input, bill.usage.cache_read)
    assert response.usage.output_tokens == bill.usage.output


@pytest.mark.parametrize("record", ANSWERS, ids=[record["id"] for record in ANSWERS])
def test_an_answer_reads_the_same_whole_and_streamed(record: Record) -> None:
    events = replay.read(record)
    answer = replay.fold(events)
    bill = bill_of(record, answer)
    whole = FRONT.write(ASKED, told(record), events, bill)
    check(record, read_whole(whole), answer, bill)
    writer = FRONT.writer(ASKED, told(record), relayed=False)
    written: list[Event] = [event for event in events if not isinstance(event, Failed)]
    stream = writer.begin() + b"".join(writer.write([event]) for event in written) + writer.end(bill)
    assert frames(stream)[-1]["response"] == json.loads(whole)
    check(record, read_with_helper(stream), answer, bill)
