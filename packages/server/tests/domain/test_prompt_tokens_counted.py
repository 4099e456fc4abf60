"""What is found in a request, thing by thing, and what each thing counts."""

from types import MappingProxyType

import pytest

from monkey_coder_server.domain.conversation import (
    Document,
    Grammar,
    Image,
    Message,
    ModelRequest,
    OutputFormat,
    Part,
    Refusal,
    Role,
    Source,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
    Unknown,
)
from monkey_coder_server.domain.prompt_tokens import PromptSize, expected_tokens, prompt_size
from monkey_coder_server.domain.tokenizers import ANY, Calibration

SCHEMA = {"type": "object"}
"""17 bytes as it is written."""
NOTHING = Calibration(*[0.0] * 11)


def ask(*parts: Part, **more: object) -> ModelRequest:
    return ModelRequest((Message(Role.USER, parts),), **more)  # type: ignore[arg-type]  # fields vary by test


@pytest.mark.parametrize(
    ("part", "found"),
    [
        (Text("hello"), PromptSize(bytes=5)),
        (Text("héllo"), PromptSize(bytes=6, wide_bytes=2)),
        (Refusal("no"), PromptSize(bytes=2)),
        (Image(data="aGk="), PromptSize(images=1, encoded_bytes=4)),
        (Image(url="data:image/png;base64,aGk="), PromptSize(images=1, encoded_bytes=26)),
        (Image(url="https://example.com/a.png"), PromptSize(images=1)),
        (Document(name="a", text="bcd"), PromptSize(documents=1, bytes=4)),
        (Document(data="aGVsbG8="), PromptSize(documents=1, encoded_bytes=8, document_bytes=7)),
        (Document(url="https://example.com/a.pdf"), PromptSize(documents=1, remote_documents=1)),
        (Thinking("hm", signature="sig"), PromptSize(bytes=5, unread_bytes=3)),
        (Thinking("", redacted="sealed"), PromptSize(bytes=6, unread_bytes=6)),
        (Unknown("gemini", {"a": 1}), PromptSize(bytes=7)),
        (Unknown("gemini", {"a": "é"}), PromptSize(bytes=10, wide_bytes=2)),
        (Unknown("gemini", {}), PromptSize()),
        (Unknown("gemini", None), PromptSize()),
    ],
)
def test_each_kind_of_part_is_counted_as_what_it_is(part: Part, found: PromptSize) -> None:
    found.messages = 1
    assert prompt_size(ask(part)) == found


def test_calls_and_results_are_turns_of_their_own_and_their_ids_are_not_read() -> None:
    call = ToolCall("i1", "run", "{}", signature="sg")
    assert prompt_size(ask(call)) == PromptSize(messages=2, calls=1, bytes=9, argument_bytes=5, unread_bytes=4)
    result = ToolResult("i1", (Text("ok"), Text("é")), name="run")
    assert prompt_size(ask(result)) == PromptSize(messages=2, calls=1, bytes=9, unread_bytes=5, wide_bytes=2)
    wide = ToolCall("", "r", "é")
    assert prompt_size(ask(wide)) == PromptSize(messages=2, calls=1, bytes=3, argument_bytes=1, wide_bytes=2)


@pytest.mark.parametrize(
    ("tool", "found"),
    [
        (Tool("t", "does", SCHEMA), PromptSize(bytes=22, schema_bytes=17)),
        (Tool("web", server={"a": 1}), PromptSize(bytes=10, schema_bytes=7, server_tools=1)),
        (Tool("sh", server={"a": 1}, run_by_caller=True), PromptSize(bytes=9, schema_bytes=7)),
        (Tool("p", grammar=Grammar("lark", "x")), PromptSize(bytes=6)),
    ],
)
def test_a_tool_is_counted_with_its_schema_and_with_who_runs_it(tool: Tool, found: PromptSize) -> None:
    found.messages, found.tools = 1, 1
    assert prompt_size(ask(tools=(tool,))) == found


def test_what_is_asked_of_the_answer_and_what_only_its_caller_understands_is_counted() -> None:
    output = OutputFormat("json_schema", SCHEMA, name="shape")
    assert prompt_size(ask(output=output)) == PromptSize(messages=1, bytes=22, output_bytes=17)
    assert prompt_size(ask(extra=MappingProxyType({"a": 1}))) == PromptSize(messages=1, bytes=7)
    named = ModelRequest((Message(Role.USER, (), name="ann", extra={"a": 1}),) * 2)
    assert prompt_size(named) == PromptSize(messages=2, bytes=20)
    sent = ask(source=Source("gemini", b"{....}", server_tools=2))
    assert prompt_size(sent) == PromptSize(messages=1, sent_bytes=6, server_tools=2)


@pytest.mark.parametrize(
    ("found", "most"),
    [
        (PromptSize(), 768),
        (PromptSize(bytes=100), 868),
        (PromptSize(bytes=100, sent_bytes=350, encoded_bytes=50), 1_068),
        (PromptSize(messages=3), 816),
        (PromptSize(tools=1), 1_856),
        (PromptSize(tools=3), 1_984),
        (PromptSize(server_tools=2), 400_768),
        (PromptSize(images=2), 33_536),
        (PromptSize(documents=2), 8_960),
        (PromptSize(document_bytes=10), 808),
        (PromptSize(remote_documents=2), 4_000_768),
        (PromptSize(10, 20, 3, 4, 1, images=1, documents=1, document_bytes=5, tools=1), 22_437),
    ],
)
def test_the_bound_adds_up_what_each_thing_can_be_at_most(found: PromptSize, most: int) -> None:
    assert found.most_tokens == most


def test_what_only_a_provider_that_runs_tools_can_add_is_told_apart() -> None:
    assert [PromptSize(server_tools=count).server_tool_tokens for count in (0, 1, 3)] == [0, 200_000, 600_000]


def test_plain_is_what_nothing_else_is() -> None:
    found = PromptSize(bytes=100, wide_bytes=10, argument_bytes=20, schema_bytes=5, output_bytes=3, unread_bytes=2)
    assert found.plain_bytes == 60
    weights = NOTHING._replace(plain=1_000.0)
    assert found.expected_by(weights) == 60


@pytest.mark.parametrize(
    ("weight", "expected"),
    [
        ({"request": 1.0}, 1),
        ({"turn": 1.0}, 3),
        ({"call": 1.0}, 4),
        ({"toolbox": 1.0}, 1),
        ({"tool": 1.0}, 2),
        ({"plain": 1_000.0}, 31),
        ({"wide": 1_000.0}, 11),
        ({"arguments": 1_000.0}, 13),
        ({"schemas": 1_000.0}, 17),
        ({"output": 1_000.0}, 19),
        ({"unread": 1_000.0}, 23),
        ({"plain": 1.0}, 1),
        ({"request": 2.0, "turn": 10.0, "wide": 1_001.0}, 44),
    ],
)
def test_a_guess_weighs_each_thing_by_its_own_weight_and_rounds_up(weight: dict[str, float], expected: int) -> None:
    found = PromptSize(
        bytes=114,
        wide_bytes=11,
        argument_bytes=13,
        schema_bytes=17,
        output_bytes=19,
        unread_bytes=23,
        messages=7,
        calls=4,
        tools=2,
    )
    assert found.expected_by(NOTHING._replace(**weight)) == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (PromptSize(images=2), 3_200),
        (PromptSize(document_bytes=41), 3),
        (PromptSize(document_bytes=40), 2),
        (PromptSize(remote_documents=2), 20_000),
    ],
)
def test_files_are_guessed_by_kind_and_size(found: PromptSize, expected: int) -> None:
    assert found.expected_by(NOTHING) == expected


def test_no_guess_is_above_the_bound_and_one_for_no_family_is_by_the_mean_of_all() -> None:
    assert PromptSize(bytes=10).expected_by(NOTHING._replace(plain=10**9)) == 778
    found = prompt_size(ask(Text("x" * 1_000)))
    assert found.expected_tokens == expected_tokens(ask(Text("x" * 1_000))) == found.expected_by(ANY)
