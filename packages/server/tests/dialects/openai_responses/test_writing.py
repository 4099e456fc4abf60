"""Answers of other dialects as responses: sequences the official SDK accepts, and their fold."""

import json
from decimal import Decimal
from typing import Any

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from monkey_coder_server.domain.conversation import Citation
from monkey_coder_server.domain.stream_events import (
    Cited,
    Event,
    FinishReason,
    RefusalDelta,
    ServerItem,
    TextDelta,
    ThinkingClosed,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallOpened,
)
from monkey_coder_server.ports.front import Problem, Told
from packages.server.tests.dialects.openai_responses.answers import (
    BILL,
    FRONT,
    TOLD,
    answers,
    bill,
    call,
    client,
    frames,
    inbound,
    read_stream,
    read_whole,
    read_with_helper,
    streamed,
)

KINDS_OF_TEXT = [
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
]
PROBLEM = Problem(code="provider_error", status=502, message="It broke.", request_id="req_0001", facts={})


def whole(events: list[Event], **fields: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(FRONT.write(inbound(**fields), TOLD, events, BILL))
    return body


def test_text_is_told_in_the_full_sequence() -> None:
    written = frames(streamed(inbound(), [TextDelta("Hel"), TextDelta("lo")]))
    assert [event["type"] for event in written] == KINDS_OF_TEXT
    assert [event["sequence_number"] for event in written] == list(range(len(written)))
    assert [event["delta"] for event in written if "delta" in event] == ["Hel", "lo"]
    message = written[-1]["response"]["output"][0]
    assert message["content"] == [{"type": "output_text", "annotations": [], "logprobs": [], "text": "Hello"}]
    assert written[-2]["item"] == message


def test_usage_counts_as_openai_does_and_carries_the_cost() -> None:
    raw = FRONT.write(inbound(), TOLD, [TextDelta("x")], BILL)
    usage = json.loads(raw, parse_float=Decimal)["usage"]
    assert usage == {
        "input_tokens": 12,
        "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 5},
        "output_tokens": 6,
        "output_tokens_details": {"reasoning_tokens": 2},
        "total_tokens": 18,
        "cost": Decimal("0.00123"),
    }


def test_the_answer_repeats_its_request() -> None:
    response = whole([TextDelta("x")], temperature=0.5, metadata={"a": "b"}, instructions="Be brief.", store=False)
    assert (response["temperature"], response["metadata"], response["store"]) == (0.5, {"a": "b"}, False)
    assert (response["instructions"], response["previous_response_id"]) == ("Be brief.", None)
    assert (response["id"], response["model"], response["created_at"]) == ("resp_0001", "claude-x", 1_795_000_000)
    assert [tool["name"] for tool in response["tools"]] == ["get_weather", "apply_patch", "agents"]


def test_a_thought_is_a_summary_with_a_proof_of_its_origin() -> None:
    events: list[Event] = [ThinkingDelta("Let me "), ThinkingDelta("see."), ThinkingClosed("c2ln"), TextDelta("Yes.")]
    thought, message = whole(events)["output"]
    assert thought["summary"] == [{"type": "summary_text", "text": "Let me see."}]
    assert (thought["encrypted_content"], message["type"]) == ("mk1.anthropic.c2ln", "message")
    kinds = [event["type"] for event in frames(streamed(inbound(), events))]
    assert kinds[3:8] == [
        "response.reasoning_summary_part.added",
        "response.reasoning_summary_text.delta",
        "response.reasoning_summary_text.delta",
        "response.reasoning_summary_text.done",
        "response.reasoning_summary_part.done",
    ]


def test_openais_own_proof_goes_out_bare_and_what_has_none_goes_without() -> None:
    told = Told(request_id="req_1", created=1, provider="openai", model="m")
    events: list[Event] = [ThinkingDelta("a"), ThinkingClosed(), ThinkingDelta("b"), ThinkingClosed("gAAA")]
    first, second = json.loads(FRONT.write(inbound(), told, events, BILL))["output"]
    assert "encrypted_content" not in first
    assert second["encrypted_content"] == "gAAA"


def test_redacted_thoughts_and_signatures_of_calls_travel_as_empty_thoughts() -> None:
    redacted, signature, called = whole(
        [ThinkingClosed(redacted="cmVk"), *call(0, "get_weather", "{}", signature="c2ln")]
    )["output"]
    assert (redacted["summary"], redacted["encrypted_content"]) == ([], "mk1.anthropic.redacted.cmVk")
    assert (signature["type"], signature["encrypted_content"]) == ("reasoning", "mk1.anthropic.next.c2ln")
    assert called["type"] == "function_call"


def test_a_call_streams_its_arguments_and_ends_in_its_item() -> None:
    written = frames(streamed(inbound(), call(0, "get_weather", '{"city":', '"Oslo"}')))
    assert [event["type"] for event in written[2:-1]] == [
        "response.output_item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
    ]
    done = written[-2]["item"]
    assert (done["call_id"], done["name"], done["status"]) == ("call_0", "get_weather", "completed")
    assert json.loads(done["arguments"]) == {"city": "Oslo"}
    assert "namespace" not in done


def test_a_call_without_arguments_has_empty_ones() -> None:
    written = frames(streamed(inbound(), call(0, "get_weather")))
    assert [event["delta"] for event in written if "delta" in event] == ["{}"]
    assert written[-2]["item"]["arguments"] == "{}"


def test_a_tool_in_a_namespace_is_called_by_its_own_name() -> None:
    (item,) = whole(call(0, "agents__spawn", "{}"))["output"]
    assert (item["namespace"], item["name"]) == ("agents", "spawn")


def test_a_free_form_tool_gets_text_out_of_the_json_a_model_wrote() -> None:
    pieces = ['{"inp', 'ut": "*** Begin\\', 'n+a \\"b\\"', '\\n"}']
    written = frames(streamed(inbound(), call(0, "apply_patch", *pieces)))
    assert [event["type"] for event in written[2:-1]] == [
        "response.output_item.added",
        "response.custom_tool_call_input.delta",
        "response.custom_tool_call_input.delta",
        "response.custom_tool_call_input.delta",
        "response.custom_tool_call_input.done",
        "response.output_item.done",
    ]
    item = written[-2]["item"]
    assert (item["type"], item["name"], item["input"]) == ("custom_tool_call", "apply_patch", '*** Begin\n+a "b"\n')
    assert "".join(event["delta"] for event in written if "delta" in event) == item["input"]


def test_a_free_form_call_that_came_as_text_stays_as_it_is() -> None:
    (item,) = whole(call(0, "apply_patch", '{"input":"x"}', custom=True))["output"]
    assert (item["type"], item["input"]) == ("custom_tool_call", '{"input":"x"}')
    (item,) = whole(call(0, "made_up", "raw", custom=True))["output"]
    assert (item["type"], item["input"]) == ("custom_tool_call", "raw")


def test_calls_may_be_written_at_the_same_time() -> None:
    events: list[Event] = [
        ToolCallOpened(0, "a", "get_weather"),
        ToolCallOpened(1, "b", "get_weather"),
        ToolCallDelta(1, "[1]"),
        ToolCallDelta(0, "[0]"),
        *call(2, "get_weather")[2:],
    ]
    output = json.loads(FRONT.write(inbound(), TOLD, events, BILL))["output"]
    assert [(item["call_id"], item["arguments"]) for item in output] == [("a", "[0]"), ("b", "[1]")]
    read_with_helper(streamed(inbound(), events))


def test_sources_are_annotations_of_the_text_before_them() -> None:
    raw = {"type": "url_citation", "url_citation": {"start_index": 1, "end_index": 2}}
    events: list[Event] = [
        Cited(Citation("https://early.example", None)),
        TextDelta("Rain."),
        Cited(Citation("https://a.example", "A", raw=raw)),
        Cited(Citation(None, "no address")),
    ]
    written = frames(streamed(inbound(), events))
    added = [event["annotation"] for event in written if event["type"] == "response.output_text.annotation.added"]
    assert added == [
        {"type": "url_citation", "url": "https://early.example", "title": "", "start_index": 0, "end_index": 5},
        {"type": "url_citation", "url": "https://a.example", "title": "A", "start_index": 1, "end_index": 2},
    ]
    assert written[-1]["response"]["output"][0]["content"][0]["annotations"] == added


def test_a_search_the_provider_ran_is_an_item_and_other_work_is_not() -> None:
    events: list[Event] = [
        TextDelta("a"),
        ServerItem("web_search", {"action": {"query": "oslo"}}),
        ServerItem("web_search", {"input": {}}),
        ServerItem("code_execution", {"query": "q"}),
    ]
    written = frames(streamed(inbound(), events))
    search = written[-1]["response"]["output"][1]
    assert (search["type"], search["action"]) == ("web_search_call", {"type": "search", "query": "oslo"})
    assert [event["type"] for event in written].count("response.web_search_call.completed") == 1


@pytest.mark.parametrize(
    ("finish", "status", "reason"),
    [
        (FinishReason.STOP, "completed", None),
        (FinishReason.TOOL_CALLS, "completed", None),
        (FinishReason.LENGTH, "incomplete", "max_output_tokens"),
        (FinishReason.PAUSE, "incomplete", "max_output_tokens"),
        (FinishReason.CONTENT_FILTER, "incomplete", "content_filter"),
        (FinishReason.REFUSAL, "incomplete", "content_filter"),
        (FinishReason.OTHER, "incomplete", "content_filter"),
        (FinishReason.MALFORMED_CALL, "failed", None),
    ],
)
def test_an_answer_ends_as_it_ended(finish: FinishReason, status: str, reason: str | None) -> None:
    last = frames(streamed(inbound(), [TextDelta("x")], bill(finish)))[-1]
    response = last["response"]
    assert (last["type"], response["status"]) == (f"response.{status}", status)
    assert (response["incomplete_details"] or {}).get("reason") == reason
    assert (response["error"] is None) == (status != "failed")
    assert response["output"][0]["status"] in {status, "completed"} or status == "failed"
    assert response["usage"]["total_tokens"] == 18


def test_items_of_the_dialect_itself_are_given_as_they_came() -> None:
    """A request whose words a provider does not have is written anew; its answer comes back through events."""
    item = {"id": "sh_1", "type": "shell_call", "action": {"commands": ["ls"]}, "status": "completed"}
    written = frames(streamed(inbound(), [ServerItem("shell_call", item)], bill(FinishReason.PAUSE)))
    assert written[-1]["type"] == "response.completed"
    assert written[-1]["response"]["output"] == [item]
    assert [event["item"] for event in written[2:4]] == [item, item]


def test_a_refusal_in_words_is_a_complete_answer() -> None:
    written = frames(streamed(inbound(), [TextDelta("I "), RefusalDelta("will not.")], bill(FinishReason.REFUSAL)))
    assert written[-1]["type"] == "response.completed"
    text, refusal = written[-1]["response"]["output"][0]["content"]
    assert (text["text"], refusal) == ("I ", {"type": "refusal", "refusal": "will not."})
    assert "response.refusal.done" in [event["type"] for event in written]


def test_what_is_cut_off_is_incomplete() -> None:
    events: list[Event] = [TextDelta("x"), ToolCallOpened(0, "c", "get_weather"), ThinkingDelta("hm")]
    message, called, _ = frames(streamed(inbound(), events, bill(FinishReason.LENGTH)))[-1]["response"]["output"]
    assert (message["status"], called["status"], called["arguments"]) == ("completed", "incomplete", "")


def test_an_error_in_mid_stream_is_told_twice_and_raised_by_the_sdk() -> None:
    writer = FRONT.writer(inbound(), TOLD, relayed=False)
    begun = writer.begin() + writer.write([TextDelta("Hel")])
    told = writer.fail(PROBLEM)
    error, failed = frames(told)
    assert error["sequence_number"] == frames(begun)[-1]["sequence_number"] + 1
    assert (error["type"], error["code"], error["message"]) == ("error", "server_error", "It broke.")
    assert failed["response"]["error"] == {"code": "server_error", "message": "It broke."}
    assert failed["response"]["status"] == "failed"
    assert failed["response"]["output"][0]["content"][0]["text"] == "Hel"
    with pytest.raises(openai.APIError, match="It broke"):
        read_stream(begun + told)


def test_no_character_ends_a_line() -> None:
    body = streamed(inbound(), [TextDelta("a\u2028b\x85c\nd")])
    assert not any(character in body.decode() for character in "\u2028\x85")
    assert frames(body)[-1]["response"]["output"][0]["content"][0]["text"] == "a\u2028b\x85c\nd"


@given(events=answers)
def test_the_sdk_reads_every_stream_and_the_whole_is_its_last_object(events: list[Event]) -> None:
    asked = inbound()
    body = streamed(asked, events)
    final = read_with_helper(body)
    written = FRONT.write(asked, TOLD, events, BILL)
    assert json.loads(written) == frames(body)[-1]["response"]
    assert read_whole(written).output_text == final.output_text
    assert [item.type for item in read_whole(written).output] == [item.type for item in final.output]


@given(events=answers, data=st.data())
def test_how_events_arrive_changes_nothing(events: list[Event], data: st.DataObject) -> None:
    asked = inbound()
    writer = FRONT.writer(asked, TOLD, relayed=False)
    at = data.draw(st.integers(0, len(events)))
    pieces = writer.begin() + writer.write(events[:at]) + writer.write(events[at:]) + writer.end(BILL)
    assert pieces == streamed(asked, events)


@given(events=answers)
def test_deltas_add_up_and_every_item_is_opened_and_closed(events: list[Event]) -> None:
    written = frames(streamed(inbound(), events))
    assert [event["sequence_number"] for event in written] == list(range(len(written)))
    said: dict[str, str] = {}
    for event in written:
        if "delta" in event:
            said[event["item_id"]] = said.get(event["item_id"], "") + event["delta"]
    for number, item in enumerate(written[-1]["response"]["output"]):
        added, done = (
            next(e for e in written if e["type"] == kind and e["output_index"] == number)
            for kind in ("response.output_item.added", "response.output_item.done")
        )
        assert added["item"]["id"] == done["item"]["id"] == item["id"]
        assert done["item"] == item
        parts = [*item.get("content", []), *item.get("summary", [])]
        texts = [part.get("text") or part.get("refusal") or "" for part in parts]
        assert said.get(item["id"], "") == "".join(texts) + item.get("arguments", "") + item.get("input", "")


class City(BaseModel):
    name: str


def test_the_sdk_parses_what_was_asked_for_in_a_schema() -> None:
    events: list[Event] = [TextDelta('{"name":'), TextDelta('"Oslo"}')]
    asked = inbound(text={"format": {"type": "json_schema", "name": "City", "schema": {"type": "object"}}})
    whole_answer = FRONT.write(asked, TOLD, events, BILL)
    given = client(200, "application/json", whole_answer).responses.parse(model="m", input="hi", text_format=City)
    assert given.output_parsed == City(name="Oslo")
    sdk = client(200, "text/event-stream", streamed(asked, events))
    with sdk.responses.stream(model="m", input="hi", text_format=City) as stream:
        assert stream.get_final_response().output_parsed == City(name="Oslo")
