"""A chat request is read into the neutral conversation whole; what is wrong is refused by the name of its field."""

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from monkey_coder_server.domain.conversation import (
    CacheHint,
    Grammar,
    Message,
    OutputFormat,
    Reasoning,
    Role,
    Sampling,
    Source,
    Text,
    Tool,
    ToolChoice,
)
from monkey_coder_server.domain.errors import InvalidRequest
from packages.server.tests.dialects.conversations import json_values
from packages.server.tests.dialects.openai_chat.asking import FRONT, NOBODY, SAID, read

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}


def refused(**fields: Any) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        read(**fields)
    assert caught.value.message.endswith(".")
    return caught.value


SPOKEN = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "developer", "user", "assistant", "tool"]) | json_values},
    optional={"content": st.just("hello") | st.just("") | json_values, "name": st.just("me") | json_values},
)
USUAL = st.fixed_dictionaries(
    {"messages": st.lists(SPOKEN, max_size=3) | json_values},
    optional={
        "model": st.just("auto") | json_values,
        "stream": st.booleans() | json_values,
        "max_tokens": st.integers(-1, 9) | json_values,
        "max_completion_tokens": st.integers(0, 9) | json_values,
        "temperature": st.floats(0, 2) | json_values,
        "stop": st.just(["a", "b"]) | json_values,
        "top_p": st.integers(0, 1) | json_values,
        "top_k": st.integers() | st.just(3.0) | json_values,
        "presence_penalty": st.floats(-2, 2) | json_values,
        "seed": st.integers() | json_values,
        "user": st.just("u1") | json_values,
    },
)


@given(USUAL)
def test_a_request_that_holds_nothing_unusual_is_read_as_any_other(fields: dict[str, Any]) -> None:
    def told(body: dict[str, Any]) -> Any:
        try:
            inbound = FRONT.read(json.dumps(body).encode(), NOBODY)
        except InvalidRequest as wrong:
            return wrong.message
        return replace(inbound, request=dataclasses.replace(inbound.request, source=None))

    assert told(fields) == told({**fields, "tools": None})


def test_a_plain_request() -> None:
    body = b'{"model": "auto", "messages": [{"role": "user", "content": "hello"}]}'
    inbound = FRONT.read(body, NOBODY)
    assert (inbound.model, inbound.stream, inbound.lost) == ("auto", False, ())
    assert inbound.request.messages == (Message(Role.USER, (Text("hello"),)),)
    assert inbound.request.source == Source("openai-chat", body, words_only=True)
    assert inbound.request.dialect == FRONT.name
    assert read().model is None


def test_numbers_stay_what_they_were_written_as_whoever_said_the_same_before() -> None:
    told = [read(temperature=given).request.sampling.temperature for given in (1, 1.0, 1)]
    assert [type(number) for number in told] == [int, float, int]


def test_tools_of_every_kind() -> None:
    grammar = {"syntax": "lark", "definition": "start: WORD"}
    inbound = read(
        tools=[
            {"type": "function", "function": {"name": "a", "parameters": SCHEMA, "strict": True, "extra": 1}},
            {"type": "function", "name": "b", "parameters": SCHEMA},
            {"function": {"name": "c"}, "cache_control": {"type": "ephemeral"}},
            {"type": "custom", "custom": {"name": "d", "format": {"type": "grammar", "grammar": grammar}}},
            {"type": "custom", "name": "e", "format": {"type": "grammar", **grammar}},
            {"custom": {"name": "f", "description": "Free.", "format": {"type": "text"}}},
            {"type": "browser_search"},
        ],
        parallel_tool_calls=False,
    )
    nothing = {"type": "object", "properties": {}}
    assert inbound.request.tools == (
        Tool("a", schema=SCHEMA, strict=True),
        Tool("b", schema=SCHEMA),
        Tool("c", schema=nothing, cache=CacheHint()),
        Tool("d", grammar=Grammar("lark", "start: WORD")),
        Tool("e", grammar=Grammar("lark", "start: WORD")),
        Tool("f", "Free."),
        Tool("browser_search", server={"type": "browser_search"}, dialect="openai-chat"),
    )
    assert inbound.request.tool_choice == ToolChoice(parallel=False)
    assert inbound.form.free_form == {"d", "e", "f"}
    assert inbound.lost == ("tools.extra",)


TOOLS = [{"type": "function", "function": {"name": name}} for name in ("f", "g")]


@pytest.mark.parametrize(
    ("given", "choice", "names"),
    [
        ("auto", ToolChoice(), "fg"),
        ("none", ToolChoice("none"), "fg"),
        ("required", ToolChoice("required"), "fg"),
        ("any", ToolChoice("required"), "fg"),
        ({"type": "function", "function": {"name": "g"}}, ToolChoice("named", "g"), "fg"),
        ({"type": "function", "name": "g"}, ToolChoice("named", "g"), "fg"),
        ({"type": "custom", "custom": {"name": "g"}}, ToolChoice("named", "g"), "fg"),
        ({"type": "web_search"}, ToolChoice("named", "web_search"), "fg"),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": TOOLS[1:]}},
            ToolChoice("required"),
            "g",
        ),
        ({"type": "allowed_tools", "tools": TOOLS[:1]}, ToolChoice(), "f"),
    ],
)
def test_the_choice_among_tools(given: Any, choice: ToolChoice, names: str) -> None:
    request = read(tools=TOOLS, tool_choice=given).request
    assert request.tool_choice == choice
    assert "".join(tool.name for tool in request.tools) == names


def test_sampling() -> None:
    sampling = read(
        temperature=0.5,
        top_p=1,
        top_k=3,
        presence_penalty=0.1,
        frequency_penalty=-0.2,
        seed=-7,
        stop=["a", "b"],
        max_tokens=9,
    ).request.sampling
    assert sampling == Sampling(9, 0.5, 1, 3, -7, ("a", "b"), 0.1, -0.2)
    assert read(stop="a", max_tokens=9, max_completion_tokens=5.0, n=1).request.sampling == Sampling(5, stop=("a",))
    assert read(temperature=None, stop=None, max_tokens=None, n=None).request.sampling == Sampling()


@pytest.mark.parametrize(
    ("fields", "reasoning"),
    [
        ({}, None),
        ({"reasoning_effort": None}, None),
        ({"reasoning_effort": "high"}, Reasoning(effort="high")),
        ({"reasoning_effort": "none"}, Reasoning(enabled=False)),
        ({"reasoning": {"effort": "low", "exclude": True}}, Reasoning(effort="low", include_text=False)),
        ({"reasoning": {"max_tokens": 2000}}, Reasoning(budget_tokens=2000)),
        ({"reasoning": {"enabled": False}}, Reasoning(enabled=False)),
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, Reasoning(budget_tokens=1024)),
        ({"thinking": {"type": "disabled"}}, Reasoning(enabled=False)),
        ({"reasoning_effort": "max", "thinking": {"type": "enabled"}}, Reasoning(effort="max")),
    ],
)
def test_how_much_to_think(fields: dict[str, Any], reasoning: Reasoning | None) -> None:
    assert read(**fields).request.reasoning == reasoning


def test_the_form_of_the_answer() -> None:
    described = {"name": "place", "schema": SCHEMA, "strict": True, "description": "Where"}
    assert read(response_format={"type": "json_schema", "json_schema": described}).request.output == OutputFormat(
        "json_schema", SCHEMA, "place", strict=True
    )
    assert read(response_format={"type": "json_object"}).request.output == OutputFormat("json")
    assert read(response_format={"type": "text"}).request.output is None
    other = read(response_format={"type": "grammar", "grammar": "x"})
    assert (other.request.output, other.lost) == (None, ("response_format.grammar",))


def test_what_the_neutral_conversation_cannot_keep_is_named() -> None:
    inbound = read(
        logprobs=True, top_logprobs=3, verbosity="low", service_tier="auto", store=False, metadata=None, user="u1",
        stream=True, stream_options={"include_usage": True},
    )  # fmt: skip
    assert inbound.lost == ("logprobs", "top_logprobs", "verbosity")
    assert read(service_tier="flex").lost == ("service_tier",)
    assert set(inbound.request.extra) == {*inbound.lost, "service_tier", "store", "metadata"}
    assert inbound.request.user == "u1"
    assert inbound.form.include_usage
    assert not read(stream_options={}).form.include_usage


PART = "messages[0].content[0]"


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"model": 7}, "model"),
        ({"stream": "yes"}, "stream"),
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": {}}, "messages"),
        ({"messages": ["hi"]}, "messages[0]"),
        ({"messages": [{"content": "hi"}]}, "messages[0].role"),
        ({"messages": [{"role": "poet"}]}, "messages[0].role"),
        ({"messages": [*SAID, {"role": "user", "content": 7}]}, "messages[1].content"),
        ({"messages": [{"role": "user", "content": ["hi"]}]}, "messages[0].content[0]"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, f"{PART}.text"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, f"{PART}.image_url"),
        ({"messages": [{"role": "user", "content": [{"type": "file"}]}]}, f"{PART}.file"),
        ({"messages": [{"role": "user", "content": [{"type": "file", "file": {}}]}]}, f"{PART}.file.file_id"),
        ({"messages": [{"role": "user", "content": [{"type": "file_url"}]}]}, f"{PART}.file_url"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id"),
        ({"messages": [{"role": "assistant", "tool_calls": [{}]}]}, "messages[0].tool_calls[0].function"),
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"max_completion_tokens": -1}, "max_completion_tokens"),
        ({"seed": 0.5}, "seed"),
        ({"stop": [7]}, "stop"),
        ({"n": 2}, "n"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"audio": {"voice": "alloy"}}, "modalities"),
        ({"tools": {}}, "tools"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name"),
        ({"tools": TOOLS, "tool_choice": "maybe"}, "tool_choice"),
        ({"tools": TOOLS, "tool_choice": {"type": "function"}}, "tool_choice.name"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema.schema"),
        ({"response_format": {"type": "json_schema", "json_schema": {}}}, "response_format.json_schema.schema"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(fields: dict[str, Any], place: str) -> None:
    error = refused(**fields)
    assert error.facts["param"] == place
    assert f"`{place}`" in error.message


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b'{"a":1e999}', b"\xff", b'{"messages":' + b"[" * 99_999])
def test_a_body_that_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        FRONT.read(body, NOBODY)


READ = (
    *("model", "messages", "tools", "tool_choice", "functions", "function_call", "response_format", "n", "reasoning"),
    *("thinking", "reasoning_effort", "stop", "seed", "stream", "stream_options", "modalities", "unheard_of"),
)
turns = st.dictionaries(st.sampled_from(["role", "content", "tool_calls", "reasoning_details", "x"]), json_values)


@given(
    fields=st.fixed_dictionaries({}, optional=dict.fromkeys(READ, json_values)),
    messages=st.lists(turns | turns.map(lambda turn: {**turn, "role": "assistant"})),
)
def test_whatever_is_sent_is_read_or_refused_with_a_sentence(fields: dict[str, Any], messages: list[Any]) -> None:
    for sent in (fields, {**fields, "messages": [*messages, *SAID]}):
        refusal = "Read."
        try:
            FRONT.read(json.dumps(sent).encode(), NOBODY)
        except InvalidRequest as error:
            refusal = error.message
        assert refusal.endswith(".")
