"""A chat request is read into the neutral conversation whole; what is wrong is refused by the name of its field."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.dialects.openai_chat import ChatFront
from monkey_coder_server.domain.conversation import (
    CacheHint,
    Document,
    Grammar,
    Image,
    Message,
    OutputFormat,
    Reasoning,
    Refusal,
    Role,
    Sampling,
    Source,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Unknown,
)
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.ports.front import Envelope, Inbound
from packages.server.tests.dialects.conversations import json_values

FRONT = ChatFront()
NOBODY = Envelope(headers={}, query={})
HELLO = [{"role": "user", "content": "hello"}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}


def read(**fields: Any) -> Inbound:
    return FRONT.read(json.dumps({"messages": HELLO, **fields}).encode(), NOBODY)


def turn(**fields: Any) -> Message:
    (message,) = read(messages=[fields]).request.messages
    return message


def refused(**fields: Any) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        read(**fields)
    assert caught.value.message.endswith(".")
    return caught.value


def test_a_plain_request() -> None:
    body = b'{"model": "auto", "messages": [{"role": "user", "content": "hello"}]}'
    inbound = FRONT.read(body, NOBODY)
    assert (inbound.model, inbound.stream, inbound.lost) == ("auto", False, ())
    assert inbound.request.messages == (Message(Role.USER, (Text("hello"),)),)
    assert inbound.request.source == Source("openai-chat", body)
    assert inbound.request.dialect == FRONT.name
    assert read().model is None


def test_who_speaks_in_every_role() -> None:
    roles = ["system", "developer", "user", "assistant"]
    inbound = read(messages=[{"role": role, "content": role, "name": "bo"} for role in roles])
    assert [message.role.value for message in inbound.request.messages] == roles
    assert {message.name for message in inbound.request.messages} == {"bo"}


def test_parts_of_a_users_message() -> None:
    parts = [
        {"type": "text", "text": "look", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        {"type": "text", "text": "here", "prompt_cache_breakpoint": {"mode": "explicit"}},
        {"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "low"}},
        {"type": "image_url", "image_url": "https://x/z.png"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,QUJD"}},
        {"type": "file", "file": {"file_data": "QUJD"}},
        {"type": "file", "file": {"file_id": "file-1"}},
        {"type": "file_url", "file_url": {"url": "https://x/p.pdf"}, "file_name": "p"},
        {"type": "file_url", "file_url": {"url": "QUJD"}},
        {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "wav"}},
    ]
    inbound = read(messages=[{"role": "user", "content": parts}])
    assert inbound.request.messages[0].parts == (
        Text("look", CacheHint("1h")),
        Text("here", CacheHint("5m")),
        Image(url="https://x/y.png", detail="low"),
        Image(url="https://x/z.png"),
        Image(data="QUJD", media_type="image/png"),
        Document("a.pdf", data="QUJD", media_type="application/pdf"),
        Document(data="QUJD"),
        Document(file_id="file-1"),
        Document("p", url="https://x/p.pdf"),
        Document(data="QUJD"),
        Unknown("openai-chat", parts[-1]),
    )
    assert inbound.lost == ("messages.input_audio",)


def test_a_mark_for_a_cache_may_stand_beside_the_text() -> None:
    marked = turn(role="system", content="long", cache_control={"type": "ephemeral"})
    assert marked.parts == (Text("long", CacheHint()),)
    assert turn(role="user", content="x", cache_control="soon").parts == (Text("x"),)


def test_an_answer_given_back_with_its_calls() -> None:
    said = turn(
        role="assistant",
        content=[{"type": "text", "text": "I look."}, {"type": "refusal", "refusal": "Not there."}],
        refusal="No.",
        tool_calls=[
            {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}},
            {"type": "function", "function": {"name": "g", "arguments": {"b": 2}}},
            {"id": "c3", "type": "custom", "custom": {"name": "shell", "input": "ls"}},
            {"id": "c4", "type": "function", "function": {"name": "h"}},
        ],
        annotations=[],
        house_rule=7,
    )
    assert said.parts == (
        Text("I look."),
        Refusal("Not there."),
        Refusal("No."),
        ToolCall("c1", "f", '{"a": 1}'),
        ToolCall("call_1", "g", '{"b":2}'),
        ToolCall("c3", "shell", "ls", custom=True),
        ToolCall("c4", "h", ""),
    )
    assert said.extra == {"annotations": [], "house_rule": 7}


@pytest.mark.parametrize("content", [None, "", []])
def test_an_answer_of_calls_alone_says_no_text(content: Any) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    assert turn(role="assistant", content=content, tool_calls=[call]).parts == (ToolCall("c", "f", "{}"),)


def test_a_googles_proof_of_thought_comes_back_with_its_call() -> None:
    def call(proof: str) -> Any:
        google = {"google": {"thought_signature": proof}}
        function = {"name": "f", "arguments": "{}"}
        called = {"id": "c", "type": "function", "function": function, "extra_content": google}
        return turn(role="assistant", tool_calls=[called]).parts[0]

    assert call("abc") == ToolCall("c", "f", "{}", signature="abc", origin="google")
    assert call("mk1.anthropic.abc") == ToolCall("c", "f", "{}", signature="abc", origin="anthropic")


@pytest.mark.parametrize(
    ("fields", "thoughts"),
    [
        ({"reasoning_content": "hm"}, (Thinking("hm"),)),
        ({"reasoning": "hm"}, (Thinking("hm"),)),
        ({"reasoning_content": "", "reasoning": None}, ()),
        ({"reasoning_details": [{"type": "reasoning.text", "text": "hm"}], "reasoning": "hm"}, (Thinking("hm"),)),
        (
            {"reasoning_details": [{"type": "reasoning.text", "text": "hm", "signature": "mk1.anthropic.s"}]},
            (Thinking("hm", "s", origin="anthropic"),),
        ),
        (
            {"reasoning_details": [{"type": "reasoning.encrypted", "data": "mk1.anthropic.d"}]},
            (Thinking("", redacted="d", origin="anthropic"),),
        ),
        ({"reasoning_details": [{"type": "reasoning.summary", "summary": "in short"}]}, (Thinking("in short"),)),
        (
            {"reasoning_details": [7, {"type": "reasoning.text"}, {"type": "reasoning.summary"},
                                   {"type": "reasoning.encrypted"}, {"type": "new"}], "reasoning": "hm"},
            (Thinking("hm"),),
        ),
    ],
)  # fmt: skip
def test_reasoning_given_back(fields: dict[str, Any], thoughts: tuple[Thinking, ...]) -> None:
    assert turn(role="assistant", content="so", **fields).parts == (*thoughts, Text("so"))


def test_what_a_tool_returned() -> None:
    parts = [
        {"type": "text", "text": "here"},
        {"type": "image_url", "image_url": {"url": "https://x/y.png"}},
        {"type": "refusal", "refusal": "no more"},
    ]
    assert turn(role="tool", tool_call_id="c", content="sunny").parts == (ToolResult("c", (Text("sunny"),)),)
    assert turn(role="tool", tool_call_id="c", content=parts).parts == (
        ToolResult("c", (Text("here"), Image(url="https://x/y.png"), Text("no more"))),
    )


def test_the_words_that_came_before_tools() -> None:
    inbound = read(
        functions=[{"name": "weather", "description": "Tells it", "parameters": SCHEMA}],
        function_call={"name": "weather"},
        messages=[
            {"role": "user", "content": "?"},
            {"role": "assistant", "content": None, "function_call": {"name": "weather", "arguments": "{}"}},
            {"role": "function", "name": "weather", "content": "sunny"},
        ],
    )
    request = inbound.request
    assert request.tools == (Tool("weather", "Tells it", SCHEMA),)
    assert request.tool_choice == ToolChoice("named", "weather", parallel=False)
    assert request.messages[1].parts == (ToolCall("call_1", "weather", "{}"),)
    assert request.messages[2].parts == (ToolResult("call_1", (Text("sunny"),), name="weather"),)
    assert request.source is None, "the answer must come in those words, too"
    assert inbound.form.functions
    assert read(functions=[{"name": "f"}]).request.tool_choice == ToolChoice("auto", parallel=False)
    assert read(functions=[{"name": "f"}], function_call="none").request.tool_choice == ToolChoice(
        "none", parallel=False
    )


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
        ({"messages": [*HELLO, {"role": "user", "content": 7}]}, "messages[1].content"),
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
    for sent in (fields, {**fields, "messages": [*messages, *HELLO]}):
        refusal = "Read."
        try:
            FRONT.read(json.dumps(sent).encode(), NOBODY)
        except InvalidRequest as error:
            refusal = error.message
        assert refusal.endswith(".")
