"""Responses as OpenAI and xAI serve them: full event sequences, strict checks, reasoning that can be given back."""

import json
from collections import Counter
from typing import Any

import pytest

from monkey_coder_server.sandbox.wire_errors import Refused
from packages.server.tests.sandbox.simulating import RESPONDING, Answer, Simulated

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"type": "function", "name": "weather", "parameters": SCHEMA, "strict": False}
PATCH = {"type": "custom", "name": "apply_patch"}
THINKING: dict[str, Any] = {"include": ["reasoning.encrypted_content"], "reasoning": {"summary": "auto"}}
every_provider = pytest.mark.parametrize("provider", RESPONDING)


def kinds(answer: Answer) -> list[str]:
    return [event["type"].removeprefix("response.") for event in answer.documents]


def once(events: list[str]) -> list[str]:
    """The sequence with deltas in a row told once."""
    return [event for at, event in enumerate(events) if not at or event != events[at - 1]]


@every_provider
def test_a_stream_tells_its_whole_story_in_order(simulated: Simulated, provider: str) -> None:
    answer = simulated.respond(provider, "create a REST API", stream=True, **THINKING)
    assert once(kinds(answer)) == [
        "created",
        "in_progress",
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert [event["sequence_number"] for event in answer.documents] == list(range(len(answer.documents)))
    padded = {event["type"] for event in answer.documents if "obfuscation" in event}
    assert bool(padded) is (provider == "openai")
    deltas = "".join(event["delta"] for event in answer.documents if event["type"] == "response.output_text.delta")
    assert deltas == answer.served.reply.text
    whole = simulated.respond(provider, "create a REST API", **THINKING)
    assert answer.documents[-1]["response"].keys() == whole.documents[0].keys()


def test_calls_come_in_fragments_that_add_up(simulated: Simulated) -> None:
    prompt = """[[sandbox tool=weather,apply_patch parallel=2 args='{"input": "*** End"}']]"""
    answer = simulated.respond("openai", prompt, stream=True, tools=[WEATHER, PATCH])
    grown = Counter(kinds(answer))
    assert grown["function_call_arguments.delta"] > 1
    assert grown["custom_tool_call_input.delta"] == 1
    done = [event["item"] for event in answer.documents if event["type"] == "response.output_item.done"]
    assert [item["type"] for item in done] == ["reasoning", "function_call", "custom_tool_call"]
    assert done[2]["input"] == "*** End"
    assert done[1]["call_id"] != done[2]["call_id"]


def test_a_free_form_tool_is_given_a_patch_and_its_words_are_counted(simulated: Simulated) -> None:
    answer = simulated.respond("openai", "use the tool apply_patch", tools=[PATCH], reasoning={"effort": "none"})
    [item] = answer.documents[0]["output"]
    assert item["input"].startswith("*** Begin Patch")
    assert answer.documents[0]["usage"]["output_tokens"] > 10


def test_a_tool_in_a_namespace_is_called_by_both_its_names(simulated: Simulated) -> None:
    namespace = {"type": "namespace", "name": "fs", "tools": [PATCH]}
    brought = {"type": "additional_tools", "role": "developer", "tools": [namespace]}
    given = [brought, {"role": "user", "content": "use the tool apply_patch"}]
    answer = simulated.respond("openai", given, model="gpt-6.1-sol")
    assert answer.documents[0]["output"][-1] | {"namespace": "fs"} == answer.documents[0]["output"][-1]


@pytest.mark.parametrize(
    ("provider", "reported"), [("openai", {"cache_write_tokens", "cached_tokens"}), ("xai", {"cached_tokens"})]
)
def test_usage_is_counted_by_the_providers_rule(simulated: Simulated, provider: str, reported: set[str]) -> None:
    model = "gpt-6-sol" if provider == "openai" else "grok-4.3"
    answer = simulated.respond(provider, "x" * 8_000, model=model)
    usage, billed = answer.documents[0]["usage"], answer.served.usage
    assert usage["output_tokens"] == billed.output + billed.reasoning
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert set(usage["input_tokens_details"]) == reported
    again = simulated.respond(provider, "x" * 8_000, model=model)
    assert again.documents[0]["usage"]["input_tokens_details"]["cached_tokens"] > 1_000
    if provider == "xai":
        assert usage["cost_in_usd_ticks"] == -(-answer.served.bill.exact * 10 // 1)


def test_searches_are_run_told_and_billed(simulated: Simulated) -> None:
    prompt = "news [[sandbox tool=web_search parallel=2]]"
    search = {"type": "web_search"}
    answer = simulated.respond("openai", prompt, stream=True, tools=[search], model="gpt-6-sol")
    assert kinds(answer).count("web_search_call.searching") == 2
    assert kinds(answer).count("output_text.annotation.added") == 2
    response = answer.documents[-1]["response"]
    assert response["tool_usage"]["web_search"]["num_requests"] == 2
    assert answer.served.bill.parts["web_searches_kcount"] == 2 * 10_000_000
    assert simulated.respond("openai", prompt, model="gpt-6-sol").served.reply.searches == 0


@pytest.mark.parametrize(
    ("directive", "status", "reason"),
    [
        ("output_tokens=500", "incomplete", "max_output_tokens"),
        ("fault=content_filter", "incomplete", "content_filter"),
        ("fault=refusal", "completed", None),
        ("fault=empty", "completed", None),
    ],
)
def test_an_answer_says_how_it_ended(simulated: Simulated, directive: str, status: str, reason: str | None) -> None:
    prompt = f"go [[sandbox {directive}]]"
    limit = {"max_output_tokens": 300} if reason == "max_output_tokens" else {}
    for stream in (False, True):
        last = simulated.respond("openai", prompt, stream=stream, **limit).documents[-1]
        response = last["response"] if stream else last
        assert response["status"] == status
        assert response["incomplete_details"] == (reason and {"reason": reason})
        if stream:
            assert last["type"] == f"response.{status}"
    if "refusal" in directive:
        assert response["output"][-1]["content"][0]["type"] == "refusal"


def test_usage_that_is_withheld_is_not_there(simulated: Simulated) -> None:
    answer = simulated.respond("openai", "go [[sandbox fault=no_usage]]", stream=True)
    assert "usage" not in answer.documents[-1]["response"]


def turn(simulated: Simulated, provider: str, **change: str) -> list[dict[str, Any]]:
    """A tool turn given back, its reasoning changed."""
    answer = simulated.respond(provider, "use the tool weather", tools=[WEATHER], **THINKING)
    thought, call = answer.documents[0]["output"]
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": "rain"}
    return [{"role": "user", "content": "use the tool weather"}, {**thought, **change}, call, result]


@every_provider
def test_reasoning_given_back_is_checked(simulated: Simulated, provider: str) -> None:
    then = simulated.respond(provider, turn(simulated, provider), tools=[WEATHER])
    assert "rain" in then.served.reply.text
    simulated.respond(provider, turn(simulated, provider, summary=[]), tools=[WEATHER])  # type: ignore[arg-type] # no words
    with pytest.raises(Refused, match=r"could not be verified|Could not decrypt") as refused:
        simulated.respond(provider, turn(simulated, provider, encrypted_content="gAAAnonsense"), tools=[WEATHER])
    assert refused.value.code == ("invalid_encrypted_content" if provider == "openai" else None)


def test_reasoning_is_good_only_at_its_own_provider(simulated: Simulated) -> None:
    with pytest.raises(Refused, match="could not be verified"):
        simulated.respond("openai", turn(simulated, "xai"), tools=[WEATHER])


def test_reasoning_belongs_before_what_it_led_to_and_to_models_that_reason(simulated: Simulated) -> None:
    asked, thought, call, result = turn(simulated, "openai")
    with pytest.raises(Refused, match="required following item"):
        simulated.respond("openai", [asked, call, thought, result], tools=[WEATHER])
    with pytest.raises(Refused, match="reasoning or computer use model"):
        simulated.respond("openai", [asked, thought, call, result], tools=[WEATHER], model="gpt-4.1")


USER = {"role": "user", "content": "hi"}
CALL = {"type": "function_call", "call_id": "c", "name": "weather", "arguments": "{}"}
RESULT = {"type": "function_call_output", "call_id": "c", "output": "x"}
BAD: list[tuple[str, dict[str, Any], str]] = [
    ("openai", {"input": None}, "Missing required parameter: 'input'"),
    ("openai", {"input": 5}, "Invalid type for 'input'"),
    ("openai", {"input": [7]}, r"Invalid type for 'input\[0\]'"),
    ("openai", {"input": [{"type": "nonsense"}]}, "Invalid value: 'nonsense'"),
    ("openai", {"input": [{"role": "robot", "content": "x"}]}, "Invalid value: 'robot'"),
    ("openai", {"input": [{"role": "user"}]}, r"input\[0\].content"),
    ("openai", {"input": [{"role": "user", "content": [{"type": "output_text"}]}]}, "'output_text'. Supported"),
    ("openai", {"input": [{"role": "assistant", "content": [{"type": "input_text"}]}]}, "'input_text'. Supported"),
    ("openai", {"input": [{"type": "item_reference", "id": "msg_1"}]}, "not found"),
    ("openai", {"input": [{**USER, "id": "x1"}]}, "begins with 'msg'"),
    ("openai", {"input": [USER, {**CALL, "arguments": None}]}, r"input\[1\].arguments"),
    ("openai", {"input": [USER, {**CALL, "call_id": "c" * 65}]}, "string too long"),
    ("openai", {"input": [USER, CALL]}, "No tool output found for function call c"),
    ("openai", {"input": [USER, RESULT]}, "No tool call found for function call output"),
    ("openai", {"input": [USER, CALL, {**RESULT, "type": "custom_tool_call_output"}]}, "custom tool call output"),
    ("openai", {"input": [USER, {"type": "reasoning"}]}, "summary"),
    ("openai", {"input": [{"type": "additional_tools", "tools": []}]}, "additional_tools"),
    ("xai", {"input": [{"type": "custom_tool_call", "call_id": "c", "name": "x", "input": ""}]}, "custom_tool_call"),
    ("openai", {"new_field": 1}, "Unknown parameter: 'new_field'"),
    ("openai", {"previous_response_id": "resp_1"}, "Previous response with id 'resp_1' not found"),
    ("openai", {"conversation": "conv_1"}, "Conversation not found"),
    ("openai", {"background": True, "store": False}, "Background mode"),
    ("openai", {"stream_options": {}}, "stream_options"),
    ("openai", {"max_output_tokens": 5}, ">= 16, but got 5"),
    ("openai", {"max_output_tokens": "9"}, "expected an integer"),
    ("openai", {"max_output_tokens": 10_000_000}, "too large"),
    ("openai", {"temperature": 0.5}, "'temperature' is not supported"),
    ("xai", {"temperature": 3}, "between 0 and 2"),
    ("openai", {"reasoning": {"effort": "minimal"}}, "'minimal' is not supported with the 'gpt-5.2' model"),
    ("openai", {"model": "gpt-4.1", "reasoning": {"effort": "low"}}, "'reasoning.effort' is not supported"),
    ("openai", {"model": "gpt-4.1", "text": {"verbosity": "low"}}, "'low' is not supported with the 'gpt-4.1'"),
    ("xai", {"model": "grok-4-0709", "reasoning": {"effort": "low"}}, "reasoningEffort"),
    ("openai", {"text": {"format": {"type": "json_object"}}}, "the word 'json'"),
    ("openai", {"text": {"format": {"type": "json_schema", "schema": SCHEMA}}}, "text.format.name"),
    (
        "openai",
        {"text": {"format": {"type": "json_schema", "name": "x", "schema": SCHEMA, "strict": True}}},
        "additionalProperties",
    ),
    ("openai", {"tools": [{"name": "x"}]}, r"tools\[0\].type"),
    ("openai", {"tools": [{"type": "function"}]}, r"tools\[0\].name"),
    ("openai", {"tools": [{"type": "function", "name": "a b"}]}, "does not match pattern"),
    ("openai", {"tools": [{**WEATHER, "parameters": {"type": "object"}}]}, "missing properties"),
    ("openai", {"tools": [{**WEATHER, "parameters": {"type": "string"}}]}, 'type: "object"'),
    ("openai", {"tools": [{**WEATHER, "strict": True}]}, "additionalProperties"),
    (
        "openai",
        {
            "tools": [
                {
                    **WEATHER,
                    "strict": True,
                    "parameters": {**SCHEMA, "required": [], "additionalProperties": False},
                }
            ]
        },
        "Missing 'city'",
    ),
    ("openai", {"model": "gpt-4.1", "tools": [PATCH]}, "'custom' is not supported with gpt-4.1"),
    ("xai", {"tools": [PATCH]}, "unknown variant `custom`"),
    ("openai", {"tool_choice": "required"}, "when 'tools' are provided"),
    ("openai", {"tools": [WEATHER], "tool_choice": "maybe"}, "Invalid value: 'maybe'"),
    ("openai", {"tools": [WEATHER], "tool_choice": {"type": "function", "name": "no"}}, "'no' not found"),
]


@pytest.mark.parametrize(("provider", "change", "said"), BAD, ids=range(len(BAD)))
def test_what_the_provider_refuses_is_refused_in_its_words(
    simulated: Simulated, provider: str, change: dict[str, Any], said: str
) -> None:
    body = {"input": "hi", "model": RESPONDING[provider], **change}
    given, model = body.pop("input"), body.pop("model")
    with pytest.raises(Refused, match=said):
        simulated.respond(provider, given, model=model, **body)


GOOD: list[dict[str, Any]] = [
    {"tools": [WEATHER], "tool_choice": {"type": "function", "name": "weather"}},
    {"tools": [WEATHER], "tool_choice": {"type": "allowed_tools", "tools": []}},
    {"tools": [{"type": "function", "name": "bare"}], "tool_choice": "required"},
    {"text": {"format": {"type": "json_object"}}, "instructions": "Answer in JSON."},
    {"stream_options": {"include_obfuscation": False}, "stream": True},
    {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "https://x/y.png"}]}]},
    {"input": [USER, CALL, {**RESULT, "output": [{"type": "input_file", "file_data": "data:x;base64,QUJD"}]}]},
    {"input": [USER, {"type": "web_search_call", "id": "ws_1"}, {"role": "assistant", "content": "x"}, USER]},
]


@pytest.mark.parametrize("change", GOOD, ids=range(len(GOOD)))
def test_what_the_provider_takes_is_taken(simulated: Simulated, change: dict[str, Any]) -> None:
    more = {"input": "hi", **change}
    answer = simulated.respond("openai", more.pop("input"), **more)
    assert answer.served.reply.output_tokens
    assert not any("obfuscation" in event for event in answer.documents if "stream_options" in change)


def test_the_chat_endpoint_sends_tools_of_newer_models_here(simulated: Simulated) -> None:
    function = {"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}
    body = simulated.body("openai", "hi", model="gpt-6-luna", tools=[function])
    with pytest.raises(Refused, match="use /v1/responses"):
        simulated.ask("openai", body)
    assert simulated.ask("openai", {**body, "reasoning_effort": "none"}).served.reply.text
    assert json.loads(simulated.ask("openai", simulated.body("openai", "hi", model="gpt-6-luna")).body)
