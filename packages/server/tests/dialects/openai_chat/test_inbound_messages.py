"""Messages are read whole, also in the words other servers added to the dialect."""

from typing import Any

import pytest

from monkey_coder_server.domain.conversation import (
    CacheHint,
    Document,
    Image,
    Refusal,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Unknown,
)
from packages.server.tests.dialects.openai_chat.asking import read, turn

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}


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
