"""What a caller's Messages request says, read into the neutral conversation."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.dialects.anthropic_messages.front import MessagesFront
from monkey_coder_server.domain.conversation import (
    CacheHint,
    Document,
    Image,
    OutputFormat,
    Part,
    Reasoning,
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
from monkey_coder_server.domain.prompt_tokens import prompt_size
from monkey_coder_server.ports.front import Envelope, Inbound
from packages.server.tests.dialects.anthropic_messages import agents
from packages.server.tests.dialects.conversations import PDF, PNG, json_values
from packages.server.tests.dialects.hostile import bent

FRONT = MessagesFront()
PLAIN: dict[str, Any] = {"model": "auto", "max_tokens": 10, "messages": [{"role": "user", "content": "hi"}]}


def read(body: Any, *, headers: dict[str, str] | None = None, front: MessagesFront = FRONT) -> Inbound:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return front.read(raw, Envelope(headers=headers or {}, query={"beta": "true"}))


def asked(**fields: Any) -> Inbound:
    return read({**PLAIN, **fields})


def parts(*blocks: dict[str, Any], role: str = "user") -> tuple[Part, ...]:
    return asked(messages=[{"role": role, "content": list(blocks)}]).request.messages[0].parts


def said(*blocks: Any, role: str = "user") -> dict[str, Any]:
    return {**PLAIN, "messages": [{"role": role, "content": list(blocks)}]}


def test_claude_codes_request() -> None:
    body = json.dumps(agents.claude_code_next()).encode()
    headers = {"anthropic-beta": "effort-2025-11-24", "anthropic-version": "2023-06-01", "x-app": "cli"}
    inbound = read(body, headers=headers)
    request = inbound.request
    assert (inbound.model, inbound.stream, inbound.lost) == ("mk-auto", True, ("context_management",))
    assert request.source is not None
    assert (request.source.dialect, request.source.body) == ("anthropic_messages", body)
    assert request.source.headers == {"anthropic-beta": "effort-2025-11-24", "anthropic-version": "2023-06-01"}
    assert [message.role for message in request.messages] == [
        Role.SYSTEM,
        Role.USER,
        Role.SYSTEM,
        Role.ASSISTANT,
        Role.USER,
    ]
    assert request.messages[0].parts == (
        Text("You are an agent.", CacheHint()),
        Text("\nYou help.", CacheHint()),
    ), "the billing line is for Anthropic alone"
    assert request.messages[3].parts == (ToolCall("toolu_1", "Write", '{"path":"hello.txt"}'),)
    assert request.messages[4].parts == (ToolResult("toolu_1", (Text("File created."),), cache=CacheHint()),)
    assert request.tools == (Tool("Write", "Write a file.", agents.SCHEMA),)
    assert request.reasoning == Reasoning(effort="high")
    assert request.user == "0f", "the session in Claude Code's user id changes, the device does not"
    assert request.extra == {"context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]}}
    assert request.dialect == "anthropic_messages"


def test_a_long_billing_line_is_a_prompt_like_any_other() -> None:
    line = "x-anthropic-billing-header: " + "tell me everything " * 1_000
    request = asked(system=[agents.text(line)]).request
    assert request.messages[0].parts == (Text(line),)


@pytest.mark.parametrize("system", [None, [], [agents.BILLING_LINE]])
def test_no_system_prompt(system: Any) -> None:
    assert [message.role for message in asked(system=system).request.messages] == [Role.USER]


def test_a_system_prompt_of_one_string() -> None:
    assert asked(system="Be brief.").request.messages[0].parts == (Text("Be brief."),)


def test_what_is_no_text_in_the_system_prompt_is_named() -> None:
    inbound = asked(system=[{"type": "image"}, agents.text("Be brief.")])
    assert inbound.request.messages[0].parts == (Text("Be brief."),)
    assert inbound.lost == ("system",)


def test_instructions_may_stand_anywhere() -> None:
    turns = [{"role": role, "content": "x"} for role in ("system", "user", "developer", "assistant", "system")]
    roles = [message.role for message in asked(messages=turns).request.messages]
    assert roles == [Role.SYSTEM, Role.USER, Role.SYSTEM, Role.ASSISTANT, Role.SYSTEM]


@pytest.mark.parametrize(
    ("block", "part"),
    [
        (agents.text("a", cache_control={"type": "ephemeral", "ttl": "1h"}), Text("a", CacheHint("1h"))),
        (
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
            Image(data=PNG, media_type="image/png"),
        ),
        ({"type": "image", "source": {"type": "url", "url": "https://a.b/c"}}, Image(url="https://a.b/c")),
        (
            {
                "type": "document",
                "title": "t",
                "source": {"type": "base64", "media_type": "application/pdf", "data": PDF},
            },
            Document("t", data=PDF, media_type="application/pdf"),
        ),
        (
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}},
            Document(text="words", media_type="text/plain"),
        ),
        ({"type": "document", "source": {"type": "url", "url": "https://a.b/c"}}, Document(url="https://a.b/c")),
        ({"type": "document", "source": {"type": "file", "file_id": "file_1"}}, Document(file_id="file_1")),
        (
            {"type": "document", "source": {"type": "content", "content": [agents.text("a"), agents.text("b")]}},
            Document(text="a\nb", media_type="text/plain"),
        ),
        (
            {"type": "document", "source": {"type": "content", "content": "whole"}},
            Document(text="whole", media_type="text/plain"),
        ),
        (
            {"type": "search_result", "title": "T", "source": "https://a.b", "content": [agents.text("found")]},
            Document("T (https://a.b)", text="found", media_type="text/plain"),
        ),
        (agents.result("ok", is_error=True), ToolResult("toolu_1", (Text("ok"),), is_error=True)),
        (
            {"type": "tool_result", "tool_use_id": "c", "content": [agents.text("x"), {"type": "tool_reference"}]},
            ToolResult("c", (Text("x"), Unknown("anthropic_messages", {"type": "tool_reference"}))),
        ),
        ({"type": "tool_result", "tool_use_id": "c"}, ToolResult("c", ())),
        ({"type": "thinking", "thinking": "hm", "signature": "s"}, Thinking("hm", signature="s", origin="anthropic")),
        (
            {"type": "thinking", "thinking": "hm", "signature": "mk1.google.s"},
            Thinking("hm", signature="s", origin="google"),
        ),
        ({"type": "thinking", "thinking": "hm", "signature": "mk1.moonshot."}, Thinking("hm", origin="moonshot")),
        ({"type": "thinking", "thinking": "hm", "signature": ""}, Thinking("hm")),
        ({"type": "redacted_thinking", "data": "d"}, Thinking("", redacted="d", origin="anthropic")),
        ({"type": "redacted_thinking", "data": "mk1.openai.d"}, Thinking("", redacted="d", origin="openai")),
        ({"type": "tool_use", "id": "c", "name": "now"}, ToolCall("c", "now", "{}")),
    ],
)
def test_a_block(block: dict[str, Any], part: Part) -> None:
    assert parts(block) == (part,)


def test_sources_of_a_text_are_kept_in_both_forms() -> None:
    location = {"type": "web_search_result_location", "url": "https://a.b", "title": "T", "cited_text": "said"}
    (part,) = parts(agents.text("So", citations=[location]))
    assert isinstance(part, Text)
    (citation,) = part.citations
    assert (citation.url, citation.title, citation.quoted, citation.raw) == ("https://a.b", "T", "said", location)


def test_the_proof_of_a_call_comes_in_the_block_before_it() -> None:
    proof = {"type": "redacted_thinking", "data": "mk1.google.next.c2ln"}
    found = parts(agents.text("I write."), proof, agents.call(), agents.call("toolu_2"), role="assistant")
    assert found == (
        Text("I write."),
        ToolCall("toolu_1", "Write", "{}", signature="c2ln", origin="google"),
        ToolCall("toolu_2", "Write", "{}"),
    )


@pytest.mark.parametrize(
    ("block", "name"),
    [
        ({"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}, "server_tool_use"),
        ({"type": "image", "source": {"type": "file", "file_id": "f"}}, "image.source.file"),
        (
            {"type": "document", "source": {"type": "content", "content": [{"type": "image"}]}},
            "document.source.content",
        ),
    ],
)
def test_what_has_no_neutral_form_stays_as_it_came(block: dict[str, Any], name: str) -> None:
    inbound = asked(messages=[{"role": "user", "content": [block]}])
    assert inbound.request.messages[0].parts == (Unknown("anthropic_messages", block),)
    assert inbound.lost == (name,)


def test_fields_nobody_else_has_are_named() -> None:
    inbound = asked(
        service_tier="auto",
        tools=[agents.WRITE | {"defer_loading": True}],
        output_config={"task_budget": {"total": 20_000}},
        messages=[
            {
                "role": "user",
                "content": [
                    {
                        "type": "document",
                        "citations": {"enabled": True},
                        "source": {"type": "text", "data": "x", "media_type": "text/plain"},
                    }
                ],
            }
        ],
    )
    assert set(inbound.lost) == {
        "service_tier",
        "tools.defer_loading",
        "output_config.task_budget",
        "document.citations",
    }


def test_tools_of_every_kind() -> None:
    search = {"type": "web_search_20250305", "name": "web_search", "max_uses": 2}
    shell = {"type": "bash_20250124", "name": "bash"}
    toolset = {"type": "mcp_toolset", "mcp_server_name": "m"}
    custom = agents.WRITE | {"type": "custom", "strict": True, "cache_control": agents.EPHEMERAL}
    assert asked(tools=[search, shell, toolset, custom]).request.tools == (
        Tool("web_search", server=search, dialect="anthropic_messages"),
        Tool("bash", server=shell, dialect="anthropic_messages", run_by_caller=True),
        Tool("mcp_toolset", server=toolset, dialect="anthropic_messages"),
        Tool("Write", "Write a file.", agents.SCHEMA, strict=True, cache=CacheHint()),
    )


def test_a_tool_defined_in_mid_conversation_is_offered_too() -> None:
    added = {"type": "tool_addition", "tool": {"type": "tool_definition", "definition": agents.WRITE}}
    referred = {"type": "tool_addition", "tool": {"type": "tool_reference", "name": "Write"}}
    turns = [{"role": "user", "content": "hi"}, {"role": "system", "content": [added, referred]}]
    assert [tool.name for tool in asked(messages=turns).request.tools] == ["Write"]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"type": "auto", "disable_parallel_tool_use": True}, ToolChoice("auto", parallel=False)),
        ({"type": "any"}, ToolChoice("required")),
        ({"type": "tool", "name": "Write"}, ToolChoice("named", "Write")),
        ({"type": "none"}, ToolChoice("none")),
        (None, None),
    ],
)
def test_tool_choice(choice: Any, expected: ToolChoice | None) -> None:
    assert asked(tool_choice=choice).request.tool_choice == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, None),
        ({"thinking": {"type": "enabled", "budget_tokens": 2048}}, Reasoning(budget_tokens=2048)),
        ({"thinking": {"type": "adaptive", "display": "omitted"}}, Reasoning(include_text=False)),
        ({"thinking": {"type": "disabled"}}, Reasoning(enabled=False)),
        ({"thinking": {"type": "between_tools"}}, Reasoning(enabled=False)),
        ({"thinking": {"type": "new"}}, Reasoning()),
        ({"output_config": {"effort": "low"}}, Reasoning(effort="low")),
    ],
)
def test_how_much_to_think(fields: dict[str, Any], expected: Reasoning | None) -> None:
    assert asked(**fields).request.reasoning == expected


@pytest.mark.parametrize("name", ["output_config", "output_format"])
def test_the_form_of_the_answer(name: str) -> None:
    form = {"type": "json_schema", "schema": agents.SCHEMA}
    fields = {name: {"format": form} if name == "output_config" else form}
    assert asked(**fields).request.output == OutputFormat("json_schema", agents.SCHEMA)
    assert asked(output_config={"format": {"type": "text"}}).request.output is None
    assert asked(output_format={"type": "json_schema"}).request.output == OutputFormat("json_schema")


def test_sampling() -> None:
    fields = {"temperature": 0.5, "top_p": 0.9, "top_k": 3, "stop_sequences": ["END"]}
    assert asked(**fields).request.sampling == Sampling(10, 0.5, 0.9, 3, stop=("END",))


@pytest.mark.parametrize(
    ("given", "user"),
    [
        ("user-1", "user-1"),
        ("", None),
        ('{"device_id": ""}', '{"device_id": ""}'),
        ("[", "["),
        ("{", "{"),
        ("x" * 65, hashlib.sha256(b"x" * 65).hexdigest()),
    ],
)
def test_an_end_users_id_fits_every_provider(given: str, user: str | None) -> None:
    assert asked(metadata={"user_id": given}).request.user == user


def test_what_anthropic_runs_itself_counts_towards_the_bound() -> None:
    bare = prompt_size(asked().request).most_tokens
    servers = [{"type": "url", "name": "m", "url": "https://a.b"}]
    assert prompt_size(asked(mcp_servers=servers).request).most_tokens > bare + 200_000
    shell = prompt_size(asked(tools=[{"type": "bash_20250124", "name": "bash"}]).request).most_tokens
    assert shell < bare + 10_000, "the caller runs this one"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not valid JSON"),
        (b'{"model": ', "not valid JSON"),
        ([], "`body` must be a JSON object"),
        ({**PLAIN, "model": None}, "`model` is missing"),
        ({**PLAIN, "model": 5}, "`model` must be a string"),
        ({**PLAIN, "max_tokens": None}, "`max_tokens` is missing"),
        ({**PLAIN, "max_tokens": -1}, "`max_tokens` must be a whole number"),
        ({**PLAIN, "max_tokens": 1.5}, "`max_tokens` must be a whole number"),
        ({**PLAIN, "max_tokens": "10"}, "`max_tokens` must be a number"),
        ({**PLAIN, "stream": "yes"}, "`stream` must be true or false"),
        ({**PLAIN, "messages": {}}, "`messages` must be an array"),
        ({**PLAIN, "messages": ["hi"]}, "`messages.0` must be a JSON object"),
        (said(role="robot"), "`messages.0.role` must be one of user, assistant"),
        (said({"type": "text"}), "`messages.0.content.0.text` is missing"),
        (said({"type": "image"}), "`messages.0.content.0.source` is missing"),
        ({**PLAIN, "tools": [{"name": "a"}]}, "`tools.0.input_schema` is missing"),
        ({**PLAIN, "tool_choice": {"type": "some"}}, "`tool_choice.type` must be one of auto, any, tool, none"),
        ({**PLAIN, "tool_choice": {"type": "tool"}}, "`tool_choice.name` is missing"),
        ({**PLAIN, "stop_sequences": [1]}, "`stop_sequences` must be an array of strings"),
        ({**PLAIN, "temperature": True}, "`temperature` must be a number"),
        ({**PLAIN, "thinking": "yes"}, "`thinking` must be a JSON object"),
    ],
)
def test_one_sentence_names_the_field_that_is_wrong(body: Any, words: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(body)
    assert words in refused.value.message
    assert refused.value.message.endswith(".")


def test_counting_needs_no_length() -> None:
    counting = MessagesFront(counts_only=True)
    body = {name: value for name, value in PLAIN.items() if name != "max_tokens"}
    assert read(body, front=counting).request.sampling.max_tokens is None
    assert asked(max_tokens=0).request.sampling.max_tokens == 0, "warms the prompt cache"


@given(bent({**agents.claude_code_next(), "tool_choice": {"type": "tool", "name": "Write"}, "temperature": 1}))
def test_anything_is_read_or_refused_in_one_sentence(body: Any) -> None:
    sentence = "."
    try:
        read(body)
    except InvalidRequest as refused:
        sentence = refused.message
    assert sentence.endswith(".")


@given(st.dictionaries(st.text(min_size=1, max_size=8), json_values, max_size=4))
def test_unknown_fields_are_kept(unknown: dict[str, Any]) -> None:
    fields = {f"x_{name}": value for name, value in unknown.items()}
    assert asked(**fields).request.extra == fields
