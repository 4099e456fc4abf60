"""What a conversation looks like as a Messages request."""

from dataclasses import replace
from typing import Any

import pytest

from monkey_coder_server.domain.conversation import (
    CacheHint,
    Document,
    Image,
    Message,
    ModelRequest,
    OutputFormat,
    Part,
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
from monkey_coder_server.providers.anthropic import PROVIDER
from packages.server.tests.dialects import conversations
from packages.server.tests.dialects.conversations import PDF, PNG, WEATHER, assistant, result, system, user

OLD = "claude-haiku-4-5"
NEW = "claude-opus-5-5"


def written(request: ModelRequest, model: str = OLD, *, stream: bool = False) -> dict[str, Any]:
    return conversations.body(PROVIDER, model, request, stream=stream)


def blocks(*parts: Part) -> list[dict[str, Any]]:
    return written(ModelRequest((user(*parts),)))["messages"][0]["content"]


def said(*parts: Part) -> list[dict[str, Any]]:
    return written(ModelRequest((user("?"), assistant(*parts), user("go on"))))["messages"][1]["content"]


def test_a_plain_question() -> None:
    wire = PROVIDER.dialect.encode(
        ModelRequest((system("Be brief."), user("Hi")), user="u-1"),
        card=conversations.card(PROVIDER, OLD),
        key="a-key",
        stream=True,
    )
    assert wire.path == "/v1/messages"
    assert wire.headers == {
        "content-type": "application/json",
        "x-api-key": "a-key",
        "anthropic-version": "2023-06-01",
    }
    assert wire.body == (
        b'{"model":"claude-haiku-4-5","max_tokens":64000,"stream":true,"metadata":{"user_id":"u-1"},'
        b'"system":[{"type":"text","text":"Be brief."}],'
        b'"messages":[{"role":"user","content":[{"type":"text","text":"Hi"}]}]}'
    )


def test_a_tool_turn_joins_neighbours_and_puts_results_first() -> None:
    request = ModelRequest(
        (
            user("Weather?"),
            assistant("I look.", ToolCall("call_1", "get_weather", '{"city":"Oslo"}'), ToolCall("call_2", "now", "")),
            user("Quick!"),
            result("call_1", "rain"),
            result("call_2", "broken", is_error=True),
        ),
        tools=(WEATHER,),
    )
    assert written(request)["messages"][1:] == [
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "call_1", "name": "get_weather", "input": {"city": "Oslo"}},
                {"type": "tool_use", "id": "call_2", "name": "now", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "call_1", "content": "rain"},
                {"type": "tool_result", "tool_use_id": "call_2", "content": "broken", "is_error": True},
                {"type": "text", "text": "Quick!"},
            ],
        },
    ]


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (Image(url="https://a.b/c.png"), {"type": "image", "source": {"type": "url", "url": "https://a.b/c.png"}}),
        (
            Image(data=PNG, cache=CacheHint("1h")),
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": PNG},
                "cache_control": {"type": "ephemeral", "ttl": "1h"},
            },
        ),
        (
            Image(url=f"data:image/gif;base64,{PNG}"),
            {"type": "image", "source": {"type": "base64", "media_type": "image/gif", "data": PNG}},
        ),
        (
            Document(name="spec.pdf", data=PDF),
            {
                "type": "document",
                "source": {"type": "base64", "media_type": "application/pdf", "data": PDF},
                "title": "spec.pdf",
            },
        ),
        (
            Document(data="aMOp", media_type="text/csv"),
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "hé"}},
        ),
        (
            Document(url="https://a.b/c.pdf"),
            {"type": "document", "source": {"type": "url", "url": "https://a.b/c.pdf"}},
        ),
        (Text("x", CacheHint()), {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}),
        (
            ToolResult("c", (Text("see"), Image(data=PNG))),
            {
                "type": "tool_result",
                "tool_use_id": "c",
                "content": [
                    {"type": "text", "text": "see"},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
                ],
            },
        ),
        (ToolResult("c", ()), {"type": "tool_result", "tool_use_id": "c"}),
        (
            Unknown("anthropic_messages", {"type": "container_upload", "file_id": "f"}),
            {"type": "container_upload", "file_id": "f"},
        ),
    ],
)
def test_a_users_part(part: Part, expected: dict[str, Any]) -> None:
    assert blocks(part) == [expected]


def test_a_file_id_asks_for_the_files_beta() -> None:
    wire = PROVIDER.dialect.encode(
        ModelRequest((user(ToolResult("c", (Document(file_id="file_1"),))),)),
        card=PROVIDER.cards[0],
        key="k",
        stream=False,
    )
    assert wire.headers["anthropic-beta"] == "files-api-2025-04-14"
    assert b'"source":{"type":"file","file_id":"file_1"}' in wire.body


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (Thinking("hm", signature="s", origin="anthropic"), {"type": "thinking", "thinking": "hm", "signature": "s"}),
        (Thinking("", redacted="r", origin="anthropic"), {"type": "redacted_thinking", "data": "r"}),
        (Refusal("I cannot."), {"type": "text", "text": "I cannot."}),
        (
            ToolCall("functions.a:0", "a", "{"),
            {"type": "tool_use", "id": "functions_a_0_bce8c117", "name": "a", "input": {"unparsed_arguments": "{"}},
        ),
        (
            ToolCall("c", "patch", "*** Begin", custom=True),
            {"type": "tool_use", "id": "c", "name": "patch", "input": {"input": "*** Begin"}},
        ),
    ],
)
def test_an_assistants_part(part: Part, expected: dict[str, Any]) -> None:
    assert said(Text("So"), part) == [{"type": "text", "text": "So"}, expected]


@pytest.mark.parametrize(
    "part",
    [
        Thinking("hm", signature="s", origin="google"),
        Thinking("hm", signature="s"),
        Thinking("hm", origin="anthropic"),
        Unknown("gemini", {"executableCode": {}}),
        Text(" \n"),
    ],
    ids=["signed elsewhere", "of unknown origin", "unsigned", "another dialect's", "blank"],
)
def test_a_part_claude_would_refuse_is_left_out(part: Part) -> None:
    assert said(Text("So"), part) == [{"type": "text", "text": "So"}]


def test_the_same_foreign_call_id_is_rewritten_alike_on_both_sides() -> None:
    request = ModelRequest((user("?"), assistant(ToolCall("a:0", "now", "{}")), result("a:0", "12")))
    call, answer = (turn["content"][0] for turn in written(request)["messages"][1:])
    assert call["id"] == answer["tool_use_id"] != "a:0"


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, None),
        (ToolChoice("auto"), None),
        (ToolChoice("none"), {"type": "none"}),
        (ToolChoice("required"), {"type": "any"}),
        (ToolChoice("named", "get_weather"), {"type": "tool", "name": "get_weather"}),
        (ToolChoice("auto", parallel=False), {"type": "auto", "disable_parallel_tool_use": True}),
    ],
)
def test_a_tool_choice(choice: ToolChoice | None, expected: dict[str, Any] | None) -> None:
    request = ModelRequest((user("?"),), tools=(WEATHER,), tool_choice=choice)
    assert written(request).get("tool_choice") == expected
    assert "tool_choice" not in written(ModelRequest((user("?"),), tool_choice=choice))


def test_tools_of_every_kind() -> None:
    tools = (
        Tool("strict", "Exact.", {"properties": {}}, strict=True, cache=CacheHint()),
        Tool("patch"),
        Tool("search", server={"type": "web_search_20250305", "name": "web_search"}, dialect="anthropic_messages"),
    )
    assert written(ModelRequest((user("?"),), tools=tools))["tools"] == [
        {
            "name": "strict",
            "description": "Exact.",
            "input_schema": {"properties": {}, "type": "object"},
            "strict": True,
            "cache_control": {"type": "ephemeral"},
        },
        {
            "name": "patch",
            "input_schema": {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]},
        },
        {"type": "web_search_20250305", "name": "web_search"},
    ]


def test_a_schema_for_the_answer_is_closed_at_every_level() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "object"}}}}
    request = ModelRequest((user("?"),), output=OutputFormat("json_schema", schema))
    assert written(request)["output_config"]["format"] == {
        "type": "json_schema",
        "schema": {
            "type": "object",
            "properties": {"a": {"type": "array", "items": {"type": "object", "additionalProperties": False}}},
            "additionalProperties": False,
        },
    }


def test_a_model_without_structured_output_is_not_held_to_a_schema() -> None:
    plain = replace(conversations.card(PROVIDER, OLD), capabilities=frozenset())
    request = ModelRequest((user("?"),), output=OutputFormat("json_schema", {}))
    with pytest.raises(InvalidRequest, match="JSON schema"):
        PROVIDER.dialect.encode(request, card=plain, key="k", stream=False)


def test_any_json_is_asked_for_in_words() -> None:
    request = ModelRequest((system("Be brief."), user("?")), output=OutputFormat("json"))
    assert written(request)["system"][0]["text"] == "Be brief."
    assert "JSON" in written(request)["system"][1]["text"]


@pytest.mark.parametrize(
    ("model", "sampling", "expected"),
    [
        (OLD, Sampling(temperature=1.5, top_p=0.5, top_k=3), {"temperature": 1.0, "top_k": 3}),
        (OLD, Sampling(top_p=0.5, seed=1, presence_penalty=1.0), {"top_p": 0.5}),
        (OLD, Sampling(stop=("END", " ")), {"stop_sequences": ["END"]}),
        (NEW, Sampling(temperature=0.2, top_p=0.5, top_k=3, stop=("END",)), {"stop_sequences": ["END"]}),
    ],
)
def test_sampling(model: str, sampling: Sampling, expected: dict[str, Any]) -> None:
    sent = written(ModelRequest((user("?"),), sampling=sampling), model)
    for name in ("model", "max_tokens", "messages"):
        del sent[name]
    assert sent == expected


@pytest.mark.parametrize(("asked", "sent"), [(None, 64_000), (100, 100), (1_000_000, 64_000)])
def test_the_answers_length_is_always_bounded(asked: int | None, sent: int) -> None:
    assert written(ModelRequest((user("?"),), sampling=Sampling(max_tokens=asked)))["max_tokens"] == sent


def test_an_instruction_in_mid_conversation_speaks_as_system_only_where_it_may() -> None:
    late = Message(Role.DEVELOPER, (Text("Now in French."),))
    after_user = ModelRequest((user("?"), late))
    after_assistant = ModelRequest((user("?"), assistant("Yes."), late, user("Go on.")))
    assert written(after_user, NEW)["messages"][1] == {
        "role": "system",
        "content": [{"type": "text", "text": "Now in French."}],
    }
    wrapped = {"type": "text", "text": "<system>\nNow in French.\n</system>"}
    assert written(after_user, OLD)["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "?"}, wrapped]}
    ]
    assert written(after_assistant, NEW)["messages"][2]["content"][0] == wrapped


def test_an_instruction_between_two_turns_of_the_user_speaks_through_the_user() -> None:
    late = Message(Role.DEVELOPER, (Text("Now in French."),))
    unanswered = ModelRequest((user("?"), late, user("Go on.")))
    [turn] = written(unanswered, NEW)["messages"]
    assert [block["text"] for block in turn["content"]] == ["?", "<system>\nNow in French.\n</system>", "Go on."]
    answered = ModelRequest((user("?"), late, late, assistant("Oui."), user("Go on.")))
    assert [turn["role"] for turn in written(answered, NEW)["messages"]] == ["user", "system", "assistant", "user"]


def test_only_the_last_four_cache_marks_are_kept() -> None:
    marked = [Text(str(number), CacheHint()) for number in range(6)]
    sent = blocks(*marked)
    assert ["cache_control" in block for block in sent] == [False, False, True, True, True, True]


def test_unknown_fields_go_on_only_to_their_own_dialect() -> None:
    extra = {"context_management": {"edits": []}, "model": "other"}
    own = ModelRequest((user("?"),), dialect="anthropic_messages", extra=extra)
    foreign = ModelRequest((user("?"),), dialect="openai_chat", extra=extra)
    assert written(own)["context_management"] == {"edits": []}
    assert written(own)["model"] == OLD
    assert "context_management" not in written(foreign)


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        (
            ModelRequest(
                (user("?"),),
                dialect="anthropic_messages",
                extra={"context_management": {"edits": [{"type": "compact_20260112"}]}},
            ),
            "compaction",
        ),
        (
            ModelRequest(
                (user("?"),),
                tools=(Tool("advisor", server={"type": "advisor_20260301"}, dialect="anthropic_messages"),),
            ),
            "advisor",
        ),
        (ModelRequest((user(Image(data="QUJD", media_type="image/tiff")),)), "image/tiff"),
        (ModelRequest((user(Image()),)), "needs a URL"),
        (ModelRequest((user(Document(data=PDF, media_type="application/zip")),)), "application/zip"),
        (ModelRequest((user(Document()),)), "needs text"),
        (ModelRequest((user(Document(data="!", media_type="text/plain")),)), "not base64"),
        (ModelRequest((user(ToolCall("a", "b", "{}")),)), "tool call"),
        (ModelRequest((user("?"), assistant(ToolResult("a", ())))), "tool result"),
        (ModelRequest((user("?"), assistant(Image(data=PNG)))), "user messages only"),
        (
            ModelRequest((user("?"),), tools=(Tool("s", server={"googleSearch": {}}, dialect="gemini"),)),
            "another provider",
        ),
    ],
)
def test_what_the_format_cannot_say_is_refused_in_one_sentence(request_: ModelRequest, sentence: str) -> None:
    with pytest.raises(InvalidRequest, match=sentence):
        written(request_)
