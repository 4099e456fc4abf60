"""A chat request goes on to a chat provider as it was written, but for what the provider or the bill needs."""

import json
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.dialects.openai_chat import ChatFront
from monkey_coder_server.domain.conversation import ModelRequest
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.ports.front import Envelope
from monkey_coder_server.ports.provider import WireRequest
from packages.server.tests.dialects.conversations import json_values
from packages.server.tests.dialects.openai_chat.asking import CARDS

NOBODY = Envelope(headers={}, query={})
HELLO = [{"role": "user", "content": "hello"}]
FUNCTION = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
CUSTOM = {"type": "custom", "custom": {"name": "shell"}}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "sunny"}
LONG = "toolu_" + "x" * 50
BLUNT = "moonshot groq xai perplexity"
MODELS = (
    "gpt-4.1",
    "gpt-5",
    "llama-3.1-8b-instant",
    "openai/gpt-oss-120b",
    "grok-4.7",
    "sonar",
    "kimi-k3",
    "kimi-k2.6",
)


def relay(body: bytes, model: str) -> WireRequest:
    provider, card = CARDS[model]
    request = ChatFront().read(body, NOBODY).request
    fitted: ModelRequest = replace(request, sampling=replace(request.sampling, max_tokens=99))
    stream = bool(json.loads(body).get("stream"))
    return provider.dialect.encode(fitted, card=card, key="k", stream=stream)


def passed(model: str = "gpt-4.1", **fields: Any) -> dict[str, Any]:
    sent: dict[str, Any] = json.loads(relay(json.dumps({"messages": HELLO, **fields}).encode(), model).body)
    return sent


def dropped(model: str, **fields: Any) -> tuple[str, ...]:
    return relay(json.dumps({"messages": HELLO, **fields}).encode(), model).dropped


def turns(*messages: dict[str, Any], model: str = "gpt-4.1") -> list[dict[str, Any]]:
    return list(passed(model, messages=messages)["messages"])


def test_values_stay_byte_for_byte_and_fields_in_their_order() -> None:
    body = (
        b'{ "messages" : [ {"role":"user",  "content":"h\\u00e9 \\/", "x" : 1.50} ],\n'
        b' "model":"auto", "temperature": 1.0e-1, "max_tokens": 5000, "logit_bias": {"50256": -100}, "new": [1, 2 ] }'
    )
    wire = relay(body, "gpt-4.1")
    assert wire.body == (
        b'{"messages":[{"role":"user",  "content":"h\\u00e9 \\/", "x" : 1.50}],"model":"gpt-4.1","temperature":1.0e-1,'
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
    assert passed("gpt-6-sol", tools=[FUNCTION])["reasoning_effort"] == "none"


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
    assert told["messages"][0] == HELLO[0]
    for other in ({"type": "text"}, {"type": "grammar", "grammar": "x"}, {"type": "json_object", "x": 1}, None):
        assert passed(response_format=other)["response_format"] == other
    silent = passed("sonar", response_format={"type": "json_object"})
    assert "response_format" not in silent
    assert len(silent["messages"]) == 1, "Perplexity takes one user turn at a time"


def test_messages_keep_what_nobody_here_knows() -> None:
    odd = [
        {"role": "system", "content": [{"type": "text", "text": "a", "new": 1}], "new": {"b": []}},
        {"role": "user", "content": [{"type": "video_url", "video_url": {"url": "x"}}], "weight": 0},
        {"role": "assistant", "content": "b", "audio": {"id": "a1"}, "annotations": [], "refusal": None},
    ]
    assert turns(*odd) == odd


@pytest.mark.parametrize("model", [model for model in MODELS if not model.startswith("gpt")])
def test_a_developer_is_the_system_to_others_than_openai(model: str) -> None:
    spoken = {"role": "developer", "content": [{"type": "text", "text": "a", "new": 1}], "new": 1}
    wanted = {**spoken, "role": "system"}
    if model == "sonar":
        assert turns(spoken, *HELLO, model=model)[0] == wanted
    else:
        assert turns(spoken, model=model) == [wanted]
    assert turns(spoken) == [spoken]


def test_names_are_left_out_where_they_are_refused() -> None:
    named = {"role": "user", "content": "a", "name": "bo", "new": 1}
    assert turns(named) == [named]
    assert turns(named, model="kimi-k3") == [{"role": "user", "content": "a", "new": 1}]
    assert dropped("kimi-k3", messages=[named]) == ("messages.name",)


THOUGHT = {"role": "assistant", "content": "so", "reasoning_content": "hm", "new": 1}


@pytest.mark.parametrize(
    ("model", "kept"),
    [
        ("gpt-4.1", ()),
        ("openai/gpt-oss-120b", ()),
        ("grok-4.7", ("reasoning_content", "reasoning")),
        ("sonar", ("reasoning_content", "reasoning")),
        ("kimi-k3", ("reasoning_content",)),
    ],
)
def test_reasoning_goes_back_only_where_it_is_taken(model: str, kept: tuple[str, ...]) -> None:
    details = [{"type": "reasoning.text", "text": "hm", "signature": "mk1.anthropic.s"}]
    said = {**THOUGHT, "reasoning": "hm", "reasoning_details": details}
    left = {name: value for name, value in said.items() if name in {"role", "content", "new", *kept}}
    assert turns(*HELLO, said, *HELLO, model=model)[1] == left
    assert dropped(model, messages=[*HELLO, said, *HELLO]) == ()


def test_kimi_gets_its_thought_with_its_calls() -> None:
    calling = {"role": "assistant", "content": "", "tool_calls": [CALL]}
    for thought, said in ({}, " "), ({"reasoning_content": None}, " "), ({"reasoning": "hm"}, "hm"):
        wrote = turns(*HELLO, {**calling, **thought}, RESULT, model="kimi-k3")[1]
        assert wrote == {**calling, "reasoning_content": said}
    kept = {**calling, "reasoning_content": "mine"}
    assert turns(*HELLO, kept, RESULT, model="kimi-k3")[1] == kept


def test_calls_are_changed_only_where_they_must_be() -> None:
    signed = {**CALL, "extra_content": {"google": {"thought_signature": "abc"}}}
    odd = {**CALL, "index": 0, "new": 1}
    calling = {"role": "assistant", "content": None, "new": 1}
    assert turns({**calling, "tool_calls": [odd]}, RESULT)[0]["tool_calls"] == [odd]
    assert turns({**calling, "tool_calls": [signed]}, RESULT)[0] == {**calling, "tool_calls": [CALL]}
    free = {"id": "c1", "type": "custom", "custom": {"name": "shell", "input": "ls"}}
    assert turns({**calling, "tool_calls": [free]}, RESULT)[0]["tool_calls"] == [free]
    function = {"name": "shell", "arguments": '{"input":"ls"}'}
    (told,) = turns({**calling, "tool_calls": [free]}, RESULT, model="grok-4.7")[0]["tool_calls"]
    assert told == {"id": "c1", "type": "function", "function": function}


def test_ids_too_long_for_openai_are_the_same_digest_at_call_and_result() -> None:
    calling = {"role": "assistant", "content": None, "tool_calls": [{**CALL, "id": LONG}]}
    result = {**RESULT, "tool_call_id": LONG, "new": 1}
    called, returned = turns(calling, result)
    short = returned["tool_call_id"]
    assert called["tool_calls"] == [{**CALL, "id": short}]
    assert returned == {**result, "tool_call_id": short}
    assert len(short) <= 40
    assert turns(calling, result, model="grok-4.7") == [calling, result]


@pytest.mark.parametrize("calls", [None, []])
def test_no_calls_are_not_said(calls: Any) -> None:
    assert turns({"role": "assistant", "content": "a", "tool_calls": calls, "function_call": None}) == [
        {"role": "assistant", "content": "a"}
    ]


def test_the_words_that_came_before_tools_are_said_in_todays() -> None:
    wrote = turns(
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}, "new": 1},
        {"role": "function", "name": "f", "content": "sunny", "new": 1},
    )
    assert wrote == [
        {"role": "assistant", "content": None, "new": 1, "tool_calls": [{**CALL, "id": "call_0"}]},
        {"role": "tool", "content": "sunny", "new": 1, "tool_call_id": "call_0"},
    ]


def test_a_refusal_is_plain_text_where_it_has_no_field() -> None:
    refusing = {"role": "assistant", "content": None, "refusal": "No.", "new": 1}
    assert turns(refusing) == [refusing]
    assert turns(refusing, model="grok-4.7") == [{"role": "assistant", "content": "No.", "new": 1}]
    part = {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}
    assert turns(part, model="grok-4.7") == [{"role": "assistant", "content": "No."}]
    echoed = {"role": "assistant", "content": "Yes.", "refusal": None, "annotations": [], "audio": None}
    assert turns(echoed, model="llama-3.1-8b-instant") == [{"role": "assistant", "content": "Yes."}]


def test_marks_for_a_cache_are_left_out() -> None:
    marked = {"type": "text", "text": "long", "cache_control": {"type": "ephemeral"}}
    assert turns({"role": "user", "content": [marked, {"type": "text", "text": "b"}], "new": 1}) == [
        {"role": "user", "content": [{"type": "text", "text": "long"}, {"type": "text", "text": "b"}], "new": 1}
    ]
    said = [{"type": "text", "text": '"cache_control"', "new": 1}]
    own = [{"type": "text", "text": "a", "prompt_cache_breakpoint": {"mode": "explicit"}}]
    for kept in (said, own):
        assert turns({"role": "user", "content": kept}) == [{"role": "user", "content": kept}]
    result = {**RESULT, "content": [marked]}
    assert turns({"role": "assistant", "content": None, "tool_calls": [CALL]}, result)[1]["content"] == "long"
    beside = {"role": "system", "content": "long", "cache_control": {"type": "ephemeral"}, "new": 1}
    assert turns(beside) == [{"role": "system", "content": "long", "new": 1}]


def test_pictures_of_results_follow_where_a_tools_message_holds_text_only() -> None:
    picture = {"type": "image_url", "image_url": {"url": "https://x/y.png"}}
    calling = {"role": "assistant", "content": None, "tool_calls": [CALL]}
    result = {**RESULT, "content": [{"type": "text", "text": "here"}, picture]}
    assert turns(calling, result, *HELLO) == [calling, result, *HELLO]
    wrote = turns(calling, result, *HELLO, model="meta-llama/llama-4-scout-17b-16e-instruct")
    assert [message["role"] for message in wrote] == ["assistant", "tool", "user", "user"]
    assert wrote[2]["content"][1] == picture
    assert wrote[3] == HELLO[0]


def test_documents_are_written_as_the_provider_takes_them() -> None:
    file = {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,QUJD"}}
    url = {"type": "file_url", "file_url": {"url": "https://x/p.pdf"}}
    assert turns({"role": "user", "content": [file]})[0]["content"] == [file]
    assert turns({"role": "user", "content": [url]}, model="sonar")[0]["content"] == [url]
    named = {"type": "file_url", "file_url": {"url": "QUJD"}, "file_name": "a.pdf"}
    assert turns({"role": "user", "content": [file]}, model="sonar")[0]["content"] == [named]
    with pytest.raises(InvalidRequest, match="document"):
        turns({"role": "user", "content": [url]})


def test_perplexity_gets_one_user_turn_at_a_time() -> None:
    wrote = turns(
        {"role": "user", "content": "a", "new": 1},
        {"role": "user", "content": [{"type": "text", "text": "b", "new": 2}], "name": "bo"},
        {"role": "assistant", "content": "c"},
        {"role": "user", "content": "d", "new": 3},
        model="sonar",
    )
    both = [{"type": "text", "text": "a"}, {"type": "text", "text": "b", "new": 2}]
    assert wrote == [
        {"role": "user", "content": both, "new": 1},
        {"role": "assistant", "content": "c"},
        {"role": "user", "content": "d", "new": 3},
    ]


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
        assert (
            msgspec.json.decode(shorter[ends + 1 :].replace(b",", b"{", 1))[
                "max_completion_tokens" if model != "kimi-k3" else "max_tokens"
            ]
            == 99
        )
