"""Requests are read whole: every item, tool and parameter, or one sentence that names the field."""

import json
from typing import Any

import pytest

from monkey_coder_server.domain.conversation import (
    Document,
    Grammar,
    Image,
    Message,
    OutputFormat,
    Part,
    Reasoning,
    Refusal,
    Role,
    Sampling,
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
from packages.server.tests.dialects.conversations import PDF
from packages.server.tests.dialects.openai_responses.answers import FRONT

OWN = "openai-responses"


def read(*, headers: dict[str, str] | None = None, **fields: Any) -> Inbound:
    body = json.dumps({"model": "m", "input": "hi", **fields}).encode()
    return FRONT.read(body, Envelope(headers=headers or {}, query={}))


def messages(*items: dict[str, Any], **fields: Any) -> list[tuple[Role, list[Part]]]:
    given = read(input=list(items), **fields).request.messages
    return [(message.role, list(message.parts)) for message in given]


def content(*parts: dict[str, Any]) -> list[Part]:
    return messages({"role": "user", "content": list(parts)})[0][1]


def function(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "function", "name": name, **more}


def test_a_string_is_a_user_message_and_instructions_come_first() -> None:
    assert read(instructions="Be brief.").request.messages == (
        Message(Role.SYSTEM, (Text("Be brief."),)),
        Message(Role.USER, (Text("hi"),)),
    )
    listed = read(instructions=[{"role": "developer", "content": "Be brief."}])
    assert listed.request.messages[0] == Message(Role.DEVELOPER, (Text("Be brief."),))


def test_every_role_may_speak_anywhere() -> None:
    given = [{"role": role, "content": role} for role in ("user", "system", "assistant", "developer")]
    assert [role for role, _ in messages(*given)] == [Role.USER, Role.SYSTEM, Role.ASSISTANT, Role.DEVELOPER]


def test_what_a_model_said_in_a_row_is_one_turn() -> None:
    call = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
    custom = {"type": "custom_tool_call", "call_id": "c2", "name": "p", "input": "text"}
    turns = messages(
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "gAAA"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "I look."}]},
        call,
        custom,
        {"type": "function_call_output", "call_id": "c1", "output": "1"},
        {"type": "custom_tool_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "2"}]},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
        {"role": "user", "content": "Why?"},
    )
    assert turns == [
        (
            Role.ASSISTANT,
            [
                Thinking("hm", "gAAA", origin="openai"),
                Text("I look."),
                ToolCall("c1", "f", "{}"),
                ToolCall("c2", "p", "text", custom=True),
            ],
        ),
        (Role.TOOL, [ToolResult("c1", (Text("1"),)), ToolResult("c2", (Text("2"),))]),
        (Role.ASSISTANT, [Refusal("no")]),
        (Role.USER, [Text("Why?")]),
    ]


def test_thoughts_go_back_to_where_they_came_from() -> None:
    text = [{"type": "summary_text", "text": "a"}, {"type": "summary_text", "text": "b"}]
    said = {"role": "assistant", "content": "x"}
    turn = messages(
        {"type": "reasoning", "summary": text, "encrypted_content": "mk1.anthropic.c2ln"},
        {"type": "reasoning", "summary": [], "encrypted_content": "mk1.anthropic.redacted.cmVk"},
        {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "c"}]},
        {"type": "reasoning", "summary": []},
        said,
    )[0][1]
    assert turn == [
        Thinking("a\n\nb", "c2ln", origin="anthropic"),
        Thinking("", redacted="cmVk", origin="anthropic"),
        Thinking("c"),
        Text("x"),
    ]


def test_a_calls_signature_is_found_in_the_thought_before_it() -> None:
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    proof = {"type": "reasoning", "summary": [], "encrypted_content": "mk1.google.next.c2ln"}
    assert messages(proof, call, {**call, "call_id": "d"}) == [
        (Role.ASSISTANT, [ToolCall("c", "f", "{}", signature="c2ln", origin="google"), ToolCall("d", "f", "{}")])
    ]


def test_a_turn_nobody_else_could_be_told_waits_for_the_next() -> None:
    search = {"type": "web_search_call", "id": "ws_1", "status": "completed"}
    turns = messages(search, {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, search)
    assert turns == [
        (Role.USER, [Text("a")]),
        (Role.ASSISTANT, [Unknown(OWN, search), Text("b"), Unknown(OWN, search)]),
    ]
    assert messages({"role": "user", "content": "a"}, search)[-1] == (Role.ASSISTANT, [Unknown(OWN, search)])


def test_images_files_and_audio() -> None:
    assert content(
        {"type": "input_image", "image_url": "https://a.example/b.png", "detail": "low"},
        {"type": "input_image", "file_id": "file-1", "detail": "auto"},
        {"type": "input_file", "filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"},
        {"type": "input_file", "filename": "a.pdf", "file_data": PDF},
        {"type": "input_file", "file_url": "https://a.example/a.pdf"},
        {"type": "input_file", "file_id": "file-2"},
        {"type": "input_file", "filename": "a.txt", "file_data": "data:text/plain;base64,aGk="},
        {"type": "input_file", "filename": "a.txt", "file_data": "not base64"},
        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "mp3"}},
        {"type": "hologram", "depth": 3},
    ) == [
        Image(url="https://a.example/b.png", detail="low"),
        Document(file_id="file-1"),
        Document("a.pdf", data=PDF, media_type="application/pdf"),
        Document("a.pdf", data=PDF, media_type="application/pdf"),
        Document(url="https://a.example/a.pdf"),
        Document(file_id="file-2"),
        Document("a.txt", text="hi", media_type="text/plain"),
        Document("a.txt", data="not base64", media_type="text/plain"),
        Document(data="UklGRg==", media_type="audio/mp3"),
        Unknown(OWN, {"type": "hologram", "depth": 3}),
    ]


def test_annotations_are_citations() -> None:
    note = {"type": "url_citation", "url": "https://a.example", "title": "A", "start_index": 0, "end_index": 1}
    (text,) = content({"type": "output_text", "text": "x", "annotations": [note]})
    assert isinstance(text, Text)
    assert [(each.url, each.title, each.raw) for each in text.citations] == [("https://a.example", "A", note)]


def test_a_result_holds_text_images_and_files_only() -> None:
    output = [
        {"type": "input_text", "text": "a"},
        {"type": "input_image", "image_url": "https://a.example/b.png"},
        {"type": "refusal", "refusal": "no"},
    ]
    turns = messages({"type": "function_call_output", "call_id": "c", "output": output})
    assert turns == [(Role.TOOL, [ToolResult("c", (Text("a"), Image(url="https://a.example/b.png")))])]


def test_tools_of_every_kind() -> None:
    search = {"type": "web_search", "search_context_size": "low"}
    mcp = {"type": "mcp", "server_label": "docs", "server_url": "https://a.example"}
    tools = read(
        tools=[
            function("f", description="Does f.", parameters={"type": "object"}, strict=True),
            function("g"),
            {"type": "custom", "name": "p", "description": "Patches."},
            {"type": "custom", "name": "q", "format": {"type": "grammar", "syntax": "lark", "definition": "start: A"}},
            {"type": "custom", "name": "r", "format": {"type": "text"}},
            {"type": "namespace", "name": "agents", "description": "Agents.", "tools": [function("spawn")]},
            search,
            mcp,
        ]
    ).request.tools
    nothing = {"type": "object", "properties": {}}
    assert tools == (
        Tool("f", "Does f.", {"type": "object"}, strict=True),
        Tool("g", schema=nothing),
        Tool("p", "Patches."),
        Tool("q", grammar=Grammar("lark", "start: A")),
        Tool("r"),
        Tool("agents__spawn", schema=nothing),
        Tool("web_search", server=search, dialect=OWN),
        Tool("mcp.docs", server=mcp, dialect=OWN),
    )


def test_tools_among_the_input_are_tools() -> None:
    inner = {"type": "namespace", "name": "functions", "tools": [{"type": "custom", "name": "exec"}]}
    found = {"type": "tool_search_output", "call_id": "c", "tools": [function("late")]}
    call = {"type": "custom_tool_call", "call_id": "d", "name": "exec", "namespace": "functions", "input": "1"}
    inbound = read(input=[{"type": "additional_tools", "role": "developer", "tools": [inner]}, call, found])
    assert [tool.name for tool in inbound.request.tools] == ["exec", "late"]
    assert inbound.request.messages[0].parts[0] == ToolCall("d", "exec", "1", custom=True)
    assert inbound.lost == ("input.tool_search_output",)


def test_a_call_into_a_namespace_has_the_flat_name() -> None:
    tools = [{"type": "namespace", "name": "agents", "tools": [function("spawn")]}]
    call = {"type": "function_call", "call_id": "c", "name": "spawn", "namespace": "agents", "arguments": "{}"}
    assert messages(call, tools=tools)[0][1] == [ToolCall("c", "agents__spawn", "{}")]


@pytest.mark.parametrize(
    ("choice", "neutral"),
    [
        (None, None),
        ("auto", ToolChoice("auto")),
        ("none", ToolChoice("none")),
        ("required", ToolChoice("required")),
        ({"type": "function", "name": "f"}, ToolChoice("named", "f")),
        ({"type": "custom", "name": "p"}, ToolChoice("named", "p")),
        ({"type": "web_search"}, ToolChoice("named", "web_search")),
        ({"type": "mcp", "server_label": "docs", "name": "x"}, ToolChoice("named", "mcp.docs")),
    ],
)
def test_the_choice_among_tools(choice: Any, neutral: ToolChoice | None) -> None:
    tools = [function("f"), {"type": "custom", "name": "p"}]
    assert read(tools=tools, tool_choice=choice).request.tool_choice == neutral


def test_parallel_calls_can_be_turned_off() -> None:
    assert read(parallel_tool_calls=False).request.tool_choice == ToolChoice(parallel=False)
    assert read(tool_choice="auto", parallel_tool_calls=False).request.tool_choice == ToolChoice(parallel=False)


def test_only_allowed_tools_are_offered() -> None:
    allowed = {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "g"}]}
    request = read(tools=[function("f"), function("g")], tool_choice=allowed).request
    assert ([tool.name for tool in request.tools], request.tool_choice) == (["g"], ToolChoice("required"))
    del allowed["mode"]
    assert read(tools=[function("f")], tool_choice=allowed).request.tool_choice == ToolChoice("auto")


def test_parameters() -> None:
    inbound = read(
        stream=True, max_output_tokens=99, temperature=0.5, top_p=0.9, stop=["END"], user="u", safety_identifier="s"
    )
    request = inbound.request
    assert (inbound.model, inbound.stream, inbound.lost) == ("m", True, ())
    assert request.sampling == Sampling(max_tokens=99, temperature=0.5, top_p=0.9, stop=("END",))
    assert (request.user, request.dialect, request.extra) == ("s", OWN, {})
    assert read(stop="END", user="u").request.sampling.stop == ("END",)
    assert read(user="u").request.user == "u"
    assert (read().stream, read(model=None).model) == (False, None)


@pytest.mark.parametrize(
    ("reasoning", "neutral"),
    [
        ({"effort": "low"}, Reasoning(effort="low", include_text=False)),
        ({"effort": "none"}, Reasoning(enabled=False, effort="none", include_text=False)),
        ({"summary": "auto"}, Reasoning()),
        ({"context": "all_turns"}, None),
        ({}, None),
    ],
)
def test_how_much_to_think(reasoning: dict[str, str], neutral: Reasoning | None) -> None:
    assert read(reasoning=reasoning).request.reasoning == neutral


@pytest.mark.parametrize(
    ("form", "neutral"),
    [
        ({"type": "text"}, None),
        (None, None),
        ({"type": "json_object"}, OutputFormat("json")),
        (
            {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": True},
            OutputFormat("json_schema", {"type": "object"}, "n", strict=True),
        ),
        ({"type": "json_schema"}, OutputFormat("json_schema")),
    ],
)
def test_the_form_of_the_answer(form: Any, neutral: OutputFormat | None) -> None:
    assert read(text={"format": form}).request.output == neutral


def test_unknown_parameters_are_kept_and_named_where_they_are_lost() -> None:
    inbound = read(
        novelty=3,
        truncation="auto",
        service_tier="auto",
        top_logprobs=0,
        metadata={"a": "b"},
        client_metadata={"c": "d"},
        prompt_cache_key="k",
        text={"verbosity": "low"},
        reasoning={"context": "all_turns"},
        include=["reasoning.encrypted_content", "message.output_text.logprobs"],
    )
    assert inbound.request.extra == {"novelty": 3}
    assert inbound.lost == (
        *("novelty", "truncation", "prompt_cache_key", "include.message.output_text.logprobs"),
        *("text.verbosity", "reasoning.context"),
    )


def test_a_provider_of_the_dialect_gets_the_callers_own_words() -> None:
    body = b'{ "model":"m", "input":"hi", "novelty":1.0 }'
    headers = {"x-openai-internal-codex-responses-lite": "true", "authorization": "Bearer mk-1", "session-id": "s"}
    source = FRONT.read(body, Envelope(headers=headers, query={})).request.source
    assert source is not None
    assert (source.dialect, source.body) == (OWN, body)
    assert source.headers == {"x-openai-internal-codex-responses-lite": "true"}


def test_no_provider_is_told_of_our_ids() -> None:
    inbound = read(previous_response_id="resp_1")
    assert inbound.request.source is not None
    assert json.loads(inbound.request.source.body) == {"model": "m", "input": "hi"}
    assert inbound.form.previous == "resp_1"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"input": None}, "input"),
        ({"input": 3}, "input"),
        ({"input": ["x"]}, "input[0]"),
        ({"input": [{"content": "x"}]}, "input[0].type"),
        ({"input": [{"role": "robot", "content": "x"}]}, "input[0].role"),
        ({"input": [{"role": "user", "content": [{"text": "x"}]}]}, "input[0].content[0].type"),
        ({"input": [{"role": "user", "content": [{"type": "input_text"}]}]}, "input[0].content[0].text"),
        ({"input": [{"type": "function_call", "call_id": "c"}]}, "input[0].name"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0].id"),
        ({"model": 1}, "model"),
        ({"background": True}, "background"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"prompt": {"id": "pmpt_1"}}, "prompt"),
        ({"stream": "yes"}, "stream"),
        ({"tools": [{"type": "function"}]}, "tools[0].name"),
        ({"tool_choice": "sometimes"}, "tool_choice"),
        ({"tool_choice": {"type": "allowed_tools", "mode": "never", "tools": []}}, "tool_choice.mode"),
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"max_output_tokens": 1.5}, "max_output_tokens"),
        ({"text": {"format": {"type": "poem"}}}, "text.format.type"),
        ({"reasoning": "much"}, "reasoning"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(**fields)
    assert f"`{field}`" in refused.value.message
    assert refused.value.facts["param"] == field


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"[" * 5_000, b'"x"'])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest, match="body"):
        FRONT.read(body, Envelope(headers={}, query={}))
