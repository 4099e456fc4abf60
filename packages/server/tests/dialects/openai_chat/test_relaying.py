"""A chat request goes on to a chat provider as it was written, but for what the provider or the bill needs."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.conversation import Source
from monkey_coder_server.domain.errors import InvalidRequest
from packages.server.tests.dialects.conversations import json_values
from packages.server.tests.dialects.openai_chat.asking import (
    FUNCTION,
    MODELS,
    SAID,
    dropped,
    passed,
    read,
    relay,
)

CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CUSTOM = {"type": "custom", "custom": {"name": "shell"}}


def test_values_stay_byte_for_byte_and_fields_in_their_order() -> None:
    body = (
        b'{ "messages" : [ {"role":"user",  "content":"h\\u00e9 \\/", "x" : 1.50} ],\n'
        b' "model":"auto", "temperature": 1.0e-1, "max_tokens": 5000, "logit_bias": {"50256": -100}, "new": [1, 2 ] }'
    )
    wire = relay(body, "gpt-4.1")
    assert wire.body == (
        b'{"messages":[{"role":"user","content":"h\\u00e9 \\/","x":1.50}],"model":"gpt-4.1","temperature":1.0e-1,'
        b'"max_completion_tokens":99,"logit_bias":{"50256": -100},"new":[1, 2 ]}'
    )
    assert wire.dropped == ()


def test_the_limit_is_the_routes_in_the_field_the_provider_reads() -> None:
    assert passed("gpt-5", max_tokens=1, max_completion_tokens=2) == passed("gpt-5")
    assert passed("gpt-5")["max_completion_tokens"] == 99
    assert passed("sonar", max_completion_tokens=2)["max_tokens"] == 99


@pytest.mark.parametrize("model", MODELS)
def test_a_stream_always_reports_its_usage_and_keeps_its_other_options(model: str) -> None:
    options = {"include_usage": False, "include_obfuscation": False}
    assert passed(model, stream=True, stream_options=options)["stream_options"] == {**options, "include_usage": True}
    assert passed(model, stream=True, stream_options=None)["stream_options"] == {"include_usage": True}
    assert passed(model, stream=True)["stream_options"] == {"include_usage": True}
    assert "stream_options" not in passed(model, stream=False, stream_options=options)


@pytest.mark.parametrize(
    ("model", "name", "value"),
    [
        ("gpt-5", "temperature", 0),
        ("gpt-5", "top_p", 0.5),
        ("gpt-5", "stop", ["a"]),
        ("gpt-5", "logprobs", True),
        ("grok-4.7", "presence_penalty", 0.5),
        ("kimi-k3", "seed", 7),
        ("kimi-k3", "user", "u1"),
        ("sonar", "logit_bias", {}),
        ("llama-3.1-8b-instant", "verbosity", "low"),
        ("gpt-4.1", "top_k", 3),
        ("gpt-4.1", "service_tier", "priority"),
        ("gpt-4.1", "reasoning_effort", "high"),
        ("kimi-k2.6", "reasoning_effort", "high"),
    ],
)
def test_what_a_model_does_not_take_is_left_out_and_named(model: str, name: str, value: Any) -> None:
    assert name not in passed(model, **{name: value})
    assert dropped(model, **{name: value}) == (name,)


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        ("gpt-5", {"temperature": 1, "top_p": 1.0, "presence_penalty": 0, "logprobs": False, "stop": None}),
        ("llama-3.1-8b-instant", {"logprobs": None, "frequency_penalty": 0.0}),
        ("sonar", {"n": 1, "seed": None}),
    ],
)
def test_a_default_is_left_out_without_a_word(model: str, fields: dict[str, Any]) -> None:
    assert set(passed(model, **fields)) == set(passed(model))
    assert dropped(model, **fields) == ()


@pytest.mark.parametrize("tier", [None, "auto", "default", "standard", "on_demand"])
def test_the_usual_tier_may_be_asked_for(tier: str | None) -> None:
    assert passed(service_tier=tier)["service_tier"] == tier


def test_the_wish_to_think_is_said_in_the_models_words() -> None:
    assert passed("gpt-5", reasoning_effort="high")["reasoning_effort"] == "high"
    assert passed("gpt-5", reasoning_effort="max")["reasoning_effort"] == "high"
    wished = passed("gpt-5", reasoning={"effort": "low"})
    assert (wished["reasoning_effort"], "reasoning" in wished) == ("low", False)
    switched = passed("gpt-5.1", thinking={"type": "disabled"})
    assert (switched["reasoning_effort"], "thinking" in switched) == ("none", False)


def test_kimi_takes_its_own_switch() -> None:
    kept = {"type": "enabled", "keep": "all"}
    assert passed("kimi-k3", thinking=kept)["thinking"] == kept
    assert passed("kimi-k2.6", thinking={"type": "disabled", "x": 1})["thinking"] == {"type": "disabled", "x": 1}
    assert passed("kimi-k2.6", reasoning_effort="none")["thinking"] == {"type": "disabled"}
    off = passed("kimi-k3", thinking={"type": "disabled"})
    assert ("thinking" in off, off["reasoning_effort"]) == (False, "low")


def test_what_a_model_always_needs_yields_to_the_caller() -> None:
    assert passed("qwen/qwen3-32b")["reasoning_format"] == "parsed"
    assert passed("qwen/qwen3-32b", reasoning_format="raw")["reasoning_format"] == "raw"


def test_tools_stay_as_they_are() -> None:
    tools = [{**FUNCTION, "new": 1}, CUSTOM]
    sent = passed(tools=tools, tool_choice={"type": "custom", "custom": {"name": "shell"}}, parallel_tool_calls=True)
    assert sent["tools"] == tools
    assert sent["tool_choice"] == {"type": "custom", "custom": {"name": "shell"}}
    assert sent["parallel_tool_calls"] is True


def test_tools_a_provider_has_no_word_for_are_said_in_its_own() -> None:
    sent = passed("grok-4.7", tools=[{**FUNCTION, "new": 1}, CUSTOM], tool_choice={"type": "custom", "name": "shell"})
    assert sent["tools"][0] == {**FUNCTION, "new": 1}
    assert sent["tools"][1]["function"]["parameters"]["required"] == ["input"]
    assert sent["tool_choice"] == {"type": "function", "function": {"name": "shell"}}
    flat = {"type": "function", "name": "f", "parameters": {"type": "object"}}
    assert passed("grok-4.7", tools=[flat])["tools"] == [FUNCTION]
    marked = {**FUNCTION, "cache_control": {"type": "ephemeral"}}
    assert passed(tools=[marked])["tools"] == [FUNCTION]
    assert passed("kimi-k3", tools=[FUNCTION], tool_choice="required")["tool_choice"] == "auto"
    assert dropped("kimi-k3", tools=[FUNCTION], tool_choice="required") == ("tool_choice",)


def test_a_tool_the_provider_runs_itself_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="browser_search"):
        passed("openai/gpt-oss-120b", tools=[{"type": "browser_search"}])


def test_no_tools_and_the_choice_among_none_are_left_out() -> None:
    sent = passed(tools=[], tool_choice="auto", parallel_tool_calls=True)
    assert sent.keys() == passed().keys()
    assert "parallel_tool_calls" not in passed("sonar", tools=[FUNCTION], parallel_tool_calls=True)


def test_a_choice_among_some_tools_is_said_where_it_is_understood() -> None:
    other = {"type": "function", "function": {"name": "g", "parameters": {"type": "object"}}}
    allowed = {"mode": "required", "tools": [{"type": "function", "function": {"name": "f"}}]}
    choice = {"type": "allowed_tools", "allowed_tools": allowed}
    whole = passed(tools=[FUNCTION, other], tool_choice=choice)
    assert (whole["tools"], whole["tool_choice"]) == ([FUNCTION, other], choice)
    some = passed("grok-4.7", tools=[FUNCTION, other], tool_choice=choice)
    assert (some["tools"], some["tool_choice"]) == ([FUNCTION], "required")


def test_the_form_of_the_answer_stays_where_a_model_can_be_held_to_it() -> None:
    described = {"name": "place", "schema": {"type": "object"}, "description": "Where", "strict": True}
    wanted = {"type": "json_schema", "json_schema": described}
    assert passed(response_format=wanted)["response_format"] == wanted
    told = passed("llama-3.1-8b-instant", response_format=wanted)
    assert told["response_format"] == {"type": "json_object"}
    assert '{"type":"object"}' in told["messages"][-1]["content"]
    assert told["messages"][0] == SAID[0]
    for other in ({"type": "text"}, {"type": "grammar", "grammar": "x"}, {"type": "json_object", "x": 1}, None):
        assert passed(response_format=other)["response_format"] == other
    silent = passed("sonar", response_format={"type": "json_object"})
    assert "response_format" not in silent
    assert len(silent["messages"]) == 1, "Perplexity takes one user turn at a time"


plain_turns = st.builds(
    lambda role, text, extra: {"role": role, "content": text, **extra},
    st.sampled_from(["system", "user", "assistant"]),
    st.text(),
    st.dictionaries(st.sampled_from(["x", "weight", "id"]), json_values, max_size=2),
)
unknown = st.dictionaries(st.sampled_from(["metadata", "prompt_cache_key", "new_thing", "logit_bias"]), json_values)


@given(messages=st.lists(plain_turns, min_size=1, max_size=4), fields=unknown, stream=st.booleans())
def test_unknown_fields_survive_at_every_depth(
    messages: list[dict[str, Any]], fields: dict[str, Any], stream: bool
) -> None:
    body = {"model": "m", "messages": messages, "stream": stream, **fields}
    sent = json.loads(relay(json.dumps(body).encode(), "gpt-4.1").body)
    added = {"max_completion_tokens": 99} | ({"stream_options": {"include_usage": True}} if stream else {})
    assert sent == {**body, "model": "gpt-4.1", **added}


words = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "assistant"]), "content": st.text('ab"é', min_size=1)}
)
decoding = st.fixed_dictionaries(
    {}, optional={"model": st.just("m"), "max_tokens": st.just(7), "temperature": st.just(0.5), "stop": st.just("a")}
)


@given(messages=st.lists(words, min_size=1, max_size=4), fields=decoding, model=st.sampled_from(MODELS), stream=...)
def test_words_alone_are_passed_on_as_they_are_among_other_things(
    messages: list[dict[str, Any]], fields: dict[str, Any], model: str, stream: bool
) -> None:
    body = {"messages": messages, **fields, "stream": stream}
    assert read(**body).request.source == Source("openai-chat", json.dumps(body).encode(), words_only=True)
    usual = relay(json.dumps(body).encode(), model)
    thorough = relay(json.dumps({**body, "tools": None}).encode(), model)
    assert (usual.body, usual.dropped) == (thorough.body, thorough.dropped)


def test_of_a_field_that_was_written_twice_the_last_is_read_and_passed_on() -> None:
    body = (
        b'{"messages":[{"role":"user","content":"a"}],'
        b'"messages":[{"content":"b","role":"x","role":"user","content":"c"}]}'
    )
    assert relay(body, "gpt-4.1").body == (
        b'{"messages":[{"content":"c","role":"user"}],"model":"gpt-4.1","max_completion_tokens":99}'
    )


@given(
    messages=st.lists(plain_turns, min_size=2, max_size=5), model=st.sampled_from(["gpt-4.1", "kimi-k3", "grok-4.7"])
)
def test_the_next_turn_begins_with_the_bytes_of_this_one(messages: list[dict[str, Any]], model: str) -> None:
    def body(count: int) -> bytes:
        return relay(json.dumps({"stream": True, "messages": messages[:count]}).encode(), model).body

    for count in range(1, len(messages)):
        shorter = body(count)
        ends = shorter.rindex(b"]")
        assert body(count + 1).startswith(shorter[:ends])


odd_parts = st.dictionaries(st.sampled_from(["type", "text", "name", "image_url", "x"]), json_values, max_size=3)
odd_turns = st.builds(
    lambda role, fields: {**fields, "role": role},
    st.sampled_from(["system", "developer", "user", "assistant"]),
    st.fixed_dictionaries(
        {},
        optional={
            "content": st.none()
            | st.text()
            | st.lists(odd_parts.map(lambda part: {**part, "type": "text", "text": "a"})),
            **dict.fromkeys(["annotations", "audio", "x"], json_values),
            "tool_calls": st.none() | st.just([]) | st.just([{**CALL, "x": 1}]),
            "refusal": st.none() | st.text(),
            "reasoning_content": st.none() | st.text(),
        },
    ),
)
odd_tools = st.builds(
    lambda tool, more: {**more, **tool},
    st.sampled_from(
        [FUNCTION, CUSTOM, {"type": "function", "name": "g"}, {"type": "web_search"}, {"function": {"name": "h"}}]
    ),
    st.dictionaries(st.sampled_from(["x", "cache_control", "strict"]), json_values, max_size=2),
)


@given(
    messages=st.lists(odd_turns, min_size=1, max_size=5),
    tools=st.lists(odd_tools, max_size=3),
    fields=st.dictionaries(
        st.sampled_from(["x", "user", "metadata", "store", "service_tier"]), json_values, max_size=3
    ),
    model=st.sampled_from(MODELS),
)
def test_whatever_was_read_is_passed_on_or_refused_with_a_sentence(
    messages: list[Any], tools: list[Any], fields: dict[str, Any], model: str
) -> None:
    refusal, sent = "Sent.", None
    try:
        sent = relay(json.dumps({"messages": messages, "tools": tools, **fields}).encode(), model)
    except InvalidRequest as refused:
        refusal = refused.message
    assert refusal.endswith(".")
    assert sent is None or json.loads(sent.body)["messages"]
