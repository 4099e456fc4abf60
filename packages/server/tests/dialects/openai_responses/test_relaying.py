"""Relayed answers are their provider's bytes with the cost in them, and end properly where the provider did not."""

import gzip
import json
from collections.abc import Sequence
from functools import cache
from typing import Any

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_protocol.sse import SseParser
from monkey_coder_server.domain.stream_events import FinishReason, Frame, TextDelta
from monkey_coder_server.ports.front import AnswerWriter, Bill, Finishing, Problem, Told
from packages.server.tests.dialects.openai_responses.answers import (
    BILL,
    FRONT,
    bill,
    frames,
    inbound,
    read_stream,
    read_whole,
    read_with_helper,
)
from packages.server.tests.recordings.replay import folder

TOLD = Told(request_id="req_0001", created=1_795_000_000, provider="openai", model="gpt-x")
CUT = bill(FinishReason.LENGTH)
PROBLEM = Problem(code="provider_error", status=502, message="It broke.", request_id="req_0001", facts={})
pytestmark = pytest.mark.filterwarnings("ignore:Pydantic serializer")


@cache
def recorded(*, stream: bool) -> list[dict[str, Any]]:
    """Good answers of the dialect, as they were recorded."""
    found = []
    for path in sorted(folder().glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            found += [record for record in map(json.loads, lines) if record["api"] == "openai-responses"]
    good = [each for each in found if each["response"]["status"] == 200 and each["stream"] is stream]
    return [each for each in good if each["expected"]["kind"] == "message"]


@cache
def streams() -> list[list[Frame]]:
    """Recorded streams that came to their end."""
    ended = [record for record in recorded(stream=True) if not record["expected"].get("truncated_stream")]
    return [parsed(record["response"]["body"].encode()) for record in ended]


def parsed(body: bytes) -> list[Frame]:
    parser = SseParser()
    return [Frame(event.event, event.data) for event in [*parser.feed(body), *parser.finish()]]


def relay(told: Sequence[Frame], ending: Bill = BILL, **fields: Any) -> bytes:
    writer = FRONT.writer(inbound(**fields), TOLD, relayed=True)
    return writer.begin() + b"".join(writer.write([frame]) for frame in told) + writer.end(ending)


def event(kind: str, **fields: Any) -> Frame:
    return Frame(kind, json.dumps({"type": kind, **fields}, separators=(",", ":")))


def finished(writer: AnswerWriter) -> dict[str, Any]:
    assert isinstance(writer, Finishing)
    response: dict[str, Any] = json.loads(writer.finished())
    return response


def test_every_recorded_stream_is_passed_on_with_its_cost() -> None:
    assert len(streams()) > 50
    for told in streams():
        *before, last = parsed(relay(told, store=False))
        assert before == told[:-1]
        wanted = json.loads(told[-1].data)
        wanted["response"]["usage"]["cost"] = 0.00123
        wanted.setdefault("sequence_number", len(before))
        assert json.loads(last.data) == wanted


def test_every_recorded_whole_answer_is_passed_on_with_its_cost() -> None:
    records = recorded(stream=False)
    assert len(records) > 50
    for record in records:
        body = record["response"]["body"].encode()
        wanted = json.loads(body)
        wanted["usage"]["cost"] = 0.00123
        written = FRONT.relay(inbound(store=False), body, BILL)
        assert json.loads(written) == wanted
        assert read_whole(written).output_text == (record["expected"]["text"] or "")


@given(data=st.data())
def test_a_stream_cut_anywhere_is_ended_as_incomplete(data: st.DataObject) -> None:
    told = data.draw(st.sampled_from(streams()))
    kept = told[: data.draw(st.integers(0, len(told) - 1))]
    body = relay(kept, CUT)
    written = frames(body)
    last = written[-1]
    assert [each.get("sequence_number", at) for at, each in enumerate(written)] == list(range(len(written)))
    assert (last["type"], last["response"]["status"]) == ("response.incomplete", "incomplete")
    assert last["response"]["incomplete_details"] == {"reason": "max_output_tokens"}
    assert last["response"]["usage"]["cost"] == 0.00123
    opened = {each["output_index"] for each in written if each["type"] == "response.output_item.added"}
    done = {each["output_index"]: each["item"] for each in written if each["type"] == "response.output_item.done"}
    assert done.keys() == opened
    assert last["response"]["output"] == [done[index] for index in sorted(done)]
    said = "".join(each["delta"] for each in written if each["type"] == "response.output_text.delta")
    assert said == read_stream(body)[-1].response.output_text  # type: ignore[union-attr] - the last event holds one


@given(data=st.data())
def test_a_stream_whose_items_never_end_is_read_by_the_sdk_all_the_same(data: st.DataObject) -> None:
    told = data.draw(st.sampled_from(streams()))
    kept = [frame for frame in told if not frame.event.endswith(".done")]
    body = relay(kept)
    written = frames(body)
    done = [each["item"] for each in written if each["type"] == "response.output_item.done"]
    acted_on = {"message", "reasoning", "function_call", "custom_tool_call"}
    assert done == [item for item in written[-1]["response"]["output"] if item["type"] in acted_on]
    read_with_helper(body)


def test_an_end_without_usage_gets_ours() -> None:
    response = {"id": "resp_1", "status": "completed", "output": []}
    told = [event("response.created", response=response), event("response.completed", response=response)]
    usage = frames(relay(told))[-1]["response"]["usage"]
    assert (usage["input_tokens"], usage["total_tokens"], usage["cost"]) == (12, 18, 0.00123)


def test_a_stream_that_never_began_is_a_whole_sequence_too() -> None:
    created, incomplete = frames(relay([], CUT))
    assert (created["type"], incomplete["type"]) == ("response.created", "response.incomplete")
    assert created["response"]["id"] == incomplete["response"]["id"] == "resp_0001"
    assert incomplete["response"]["output"] == []


def test_what_is_open_is_closed_as_far_as_it_was_heard() -> None:
    at = {"item_id": "rs_1", "output_index": 0, "summary_index": 0}
    told = [
        event("response.created", response={"id": "resp_1", "status": "in_progress"}, sequence_number=0),
        event("response.output_item.added", output_index=0, item={"id": "rs_1", "type": "reasoning", "summary": []}),
        event("response.reasoning_summary_part.added", **at, part={"type": "summary_text", "text": ""}),
        event("response.reasoning_summary_text.delta", **at, delta="whole"),
        event("response.reasoning_summary_part.done", **at, part={"type": "summary_text", "text": "whole"}),
        event("response.reasoning_summary_text.delta", **{**at, "summary_index": 1}, delta="part"),
        event("response.output_item.added", output_index=1, item={"id": "ctc_1", "type": "custom_tool_call"}),
        event("response.custom_tool_call_input.delta", item_id="ctc_1", output_index=1, delta="*** Begin"),
        event(
            "response.output_item.added", output_index=2, item={"id": "m", "type": "message", "status": "in_progress"}
        ),
        event("response.content_part.added", output_index=2, content_index=0, part={"type": "refusal", "refusal": ""}),
        event("response.refusal.delta", output_index=2, content_index=0, delta="No"),
        event("response.output_item.added", output_index=3, item={"id": "w", "type": "web_search_call", "status": "x"}),
    ]
    thought, call, message, search = frames(relay(told, CUT))[-1]["response"]["output"]
    assert [part["text"] for part in thought["summary"]] == ["whole", "part"]
    assert (call["input"], "status" in call) == ("*** Begin", False)
    assert (message["content"], message["status"]) == ([{"type": "refusal", "refusal": "No"}], "incomplete")
    assert search["status"] == "incomplete"


def test_an_annotation_is_kept_when_its_text_is_cut_off() -> None:
    note = {"type": "url_citation", "url": "https://a.example"}
    told = [
        event("response.created", response={"id": "resp_1"}),
        event("response.output_item.added", output_index=0, item={"id": "m", "type": "message"}),
        event("response.output_text.annotation.added", output_index=0, content_index=0, annotation=note),
        event("response.content_part.added", output_index=0, content_index=0, part={"type": "output_text", "text": ""}),
        event("response.output_text.annotation.added", output_index=0, content_index=0, annotation=note),
    ]
    (message,) = frames(relay(told, CUT))[-1]["response"]["output"]
    assert message["content"] == [{"type": "output_text", "text": "", "annotations": [note]}]


def test_events_that_fit_nothing_are_passed_on() -> None:
    told = [
        event("response.created", response={"id": "resp_1"}),
        event("response.output_text.delta", output_index=7, delta="lost"),
        event("response.content_part.added", output_index=7, part={}),
        event("response.output_text.delta", output_index="seven", delta="x"),
        event("response.novelty", depth=3),
    ]
    assert parsed(relay(told, CUT))[: len(told)] == told


def test_names_are_given_and_line_breaks_kept_where_a_provider_was_careless() -> None:
    told = [Frame("", '{"type":"response.created",\n"response":{"id":"resp_1"}}'), Frame("", "[1]"), Frame("", "{}")]
    written = parsed(relay(told, CUT))
    assert [frame.event for frame in written] == ["response.created", "message", "message", "response.incomplete"]
    assert written[0].data == told[0].data


def test_an_end_nobody_can_read_is_none() -> None:
    told = [event("response.created", response={"id": "resp_1"}), event("response.completed", response=[])]
    assert frames(relay(told, BILL))[-1]["type"] == "response.incomplete"


def test_a_kept_answer_is_what_the_caller_got() -> None:
    writer = FRONT.writer(inbound(), TOLD, relayed=True)
    writer.write(streams()[0])
    assert frames(writer.end(BILL))[-1]["response"] == finished(writer)
    assert finished(writer)["id"] == json.loads(streams()[0][0].data)["response"]["id"]


def test_the_response_before_is_named_by_our_id() -> None:
    response = {"id": "resp_2", "previous_response_id": None, "status": "completed", "output": []}
    told = [event("response.created", response=response), event("response.completed", response=response)]
    written = frames(relay(told, previous_response_id="resp_1"))
    assert {each["response"]["previous_response_id"] for each in written} == {"resp_1"}
    whole = FRONT.relay(inbound(previous_response_id="resp_1"), json.dumps(response).encode(), BILL)
    assert json.loads(whole)["previous_response_id"] == "resp_1"


def test_an_error_in_mid_stream_follows_what_was_said() -> None:
    told = [
        event("response.created", response={"id": "resp_1", "status": "in_progress"}, sequence_number=0),
        event("response.output_item.added", output_index=0, item={"id": "m", "type": "message"}, sequence_number=1),
    ]
    writer = FRONT.writer(inbound(), TOLD, relayed=True)
    body = writer.write(told) + writer.fail(PROBLEM)
    *_, error, failed = frames(body)
    assert [error["sequence_number"], failed["sequence_number"]] == [2, 3]
    assert failed["response"]["id"] == "resp_1"
    assert failed["response"]["error"] == {"code": "server_error", "message": "It broke."}
    with pytest.raises(openai.APIError, match="It broke"):
        read_stream(body)


def test_an_error_before_anything_was_said_is_a_sequence_too() -> None:
    created, error, failed = frames(FRONT.writer(inbound(), TOLD, relayed=True).fail(PROBLEM))
    assert (created["type"], error["type"], failed["type"]) == ("response.created", "error", "response.failed")


def test_what_the_gateway_keeps_itself_it_says_itself() -> None:
    response = {"id": "resp_2", "store": False, "status": "completed", "output": []}
    told = [event("response.created", response=response), event("response.completed", response=response)]
    assert {each["response"]["store"] for each in frames(relay(told))} == {True}
    assert {each["response"]["store"] for each in frames(relay(told, store=False))} == {False}


def test_proofs_of_another_provider_are_marked_with_it() -> None:
    told_by = Told(request_id="req_1", created=1, provider="xai", model="grok")
    item = {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "eHg="}
    response = {"id": "resp_2", "status": "completed", "output": [item]}
    writer = FRONT.writer(inbound(), told_by, relayed=True)
    done = event("response.output_item.done", output_index=0, item=item)
    body = writer.write([event("response.created", response={"id": "resp_2"}), done])
    given = frames(body + writer.write([event("response.completed", response=response)]) + writer.end(BILL))
    assert given[1]["item"]["encrypted_content"] == "mk1.xai.eHg="
    assert given[-1]["response"]["output"] == [given[1]["item"]]
    bill_of_xai = Bill(usage=BILL.usage, cost=0, receipt_id=None, finish=FinishReason.STOP, provider="xai")
    whole = json.loads(FRONT.relay(inbound(), json.dumps(response, separators=(",", ":")).encode(), bill_of_xai))
    assert whole["output"] == [given[1]["item"]]
    assert "output" not in json.loads(FRONT.relay(inbound(), b"{}", bill_of_xai))


def test_only_frames_are_relayed() -> None:
    writer = FRONT.writer(inbound(), TOLD, relayed=True)
    assert writer.write([TextDelta("x")]) == b""


def test_a_filter_is_told_as_one() -> None:
    last = frames(relay([], bill(FinishReason.CONTENT_FILTER)))[-1]
    assert last["response"]["incomplete_details"] == {"reason": "content_filter"}
