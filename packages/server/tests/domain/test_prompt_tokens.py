"""A bound that holds for every tokenizer, and a guess below it."""

import json
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
from monkey_coder_server.domain.prompt_tokens import (
    IMAGE_BOUND,
    REMOTE_DOCUMENT_BOUND,
    SERVER_TOOL_BOUND,
    expected_tokens,
    prompt_size,
)

TEXTS = st.text(max_size=200)
PARTS: st.SearchStrategy[Part] = st.one_of(
    st.builds(Text, TEXTS),
    st.builds(Refusal, TEXTS),
    st.builds(Image, url=TEXTS),
    st.builds(Document, data=TEXTS, text=st.none() | TEXTS),
    st.builds(ToolCall, id=TEXTS, name=TEXTS, arguments=TEXTS),
    st.builds(ToolResult, call_id=TEXTS, parts=st.tuples(st.builds(Text, TEXTS))),
    st.builds(Thinking, text=TEXTS, signature=st.none() | TEXTS),
    st.builds(Unknown, dialect=st.just("anthropic_messages"), raw=st.dictionaries(TEXTS, TEXTS, max_size=2)),
)
REQUESTS = st.builds(
    ModelRequest,
    messages=st.lists(
        st.builds(Message, role=st.sampled_from(Role), parts=st.lists(PARTS, max_size=3).map(tuple)), max_size=4
    ).map(tuple),
    tools=st.lists(st.builds(Tool, name=TEXTS, description=st.none() | TEXTS), max_size=3).map(tuple),
)


def ask(*parts: Part, **more: object) -> ModelRequest:
    return ModelRequest((Message(Role.USER, parts),), **more)  # type: ignore[arg-type] # fields vary by test


def input_upper_bound(request: ModelRequest) -> int:
    return prompt_size(request).most_tokens


RECORDED = [("xai", "grok-4-1-fast-non-reasoning", 19, 175), ("groq", "openai/gpt-oss-120b", 46, 84)]
"""Of recorded requests with one message: bytes of its text, prompt tokens the provider counted."""


@pytest.mark.parametrize(("provider", "model", "size", "counted"), RECORDED)
def test_a_providers_own_preamble_is_within_the_bound(provider: str, model: str, size: int, counted: int) -> None:
    assert input_upper_bound(ask(Text("x" * size))) >= counted, (provider, model)


@given(REQUESTS)
@settings(max_examples=100)
def test_the_guess_never_exceeds_the_bound(request: ModelRequest) -> None:
    assert 0 <= expected_tokens(request) <= input_upper_bound(request)


@given(st.lists(TEXTS, max_size=5))
@settings(max_examples=60)
def test_the_bound_is_at_least_every_byte_of_text(texts: list[str]) -> None:
    request = ask(*(Text(text) for text in texts))
    assert input_upper_bound(request) >= sum(len(text.encode()) for text in texts)


@pytest.mark.parametrize("text", ["hello world", "def f(x):\n    return x + 1\n", "日本語のテキスト", "🦍" * 10])
def test_the_guess_is_no_lower_than_a_quarter_of_the_characters(text: str) -> None:
    assert expected_tokens(ask(Text(text))) >= len(text) / 4


def test_lone_surrogates_are_counted_instead_of_raising() -> None:
    assert input_upper_bound(ask(Text("\ud800"))) >= 3


@pytest.mark.parametrize(
    "part",
    [
        Refusal("x" * 500),
        Thinking("x" * 300, signature="s" * 200),
        Thinking("", redacted="x" * 500),
        ToolCall("id", "name", "x" * 500),
        ToolResult("id", (Text("x" * 500),)),
        Document(text="x" * 500),
        Document(data="x" * 668),
        Unknown("gemini", {"executableCode": "x" * 500}),
    ],
)
def test_every_kind_of_part_counts_by_its_bytes(part: Part) -> None:
    grown = input_upper_bound(ask(part)) - input_upper_bound(ask())
    assert grown >= 500


def test_tools_schemas_and_unknown_fields_count() -> None:
    schema = {"type": "object", "properties": {"path": {"type": "string", "description": "x" * 400}}}
    plain = input_upper_bound(ask(Text("hi")))
    written = len(json.dumps(schema, separators=(",", ":")))
    assert input_upper_bound(ask(Text("hi"), tools=(Tool("write", "writes", schema),))) >= plain + written
    assert input_upper_bound(ask(Text("hi"), output=OutputFormat("json_schema", schema))) >= plain + written
    assert input_upper_bound(ask(Text("hi"), extra=MappingProxyType({"prediction": schema}))) >= plain + written
    assert input_upper_bound(ask(Text("hi"), tools=(Tool("web", server=schema),))) >= plain + written
    grammar = Grammar("lark", "start: WORD " * 50)
    assert input_upper_bound(ask(Text("hi"), tools=(Tool("patch", grammar=grammar),))) >= plain + 650


def test_media_are_bounded_by_kind() -> None:
    bare = input_upper_bound(ask())
    assert input_upper_bound(ask(Image(data="aGk="))) == bare + IMAGE_BOUND
    assert input_upper_bound(ask(Document(file_id="file-1"))) > bare + REMOTE_DOCUMENT_BOUND
    assert expected_tokens(ask(Document(url="https://example.com/a.pdf"))) > expected_tokens(ask())


def test_what_a_provider_runs_itself_may_fill_the_prompt() -> None:
    bare, plain = input_upper_bound(ask()), expected_tokens(ask())
    search = Tool("web_search", server={"type": "web_search_20250305", "name": "web_search"}, dialect="anthropic")
    assert input_upper_bound(ask(tools=(search,))) > bare + SERVER_TOOL_BOUND
    assert expected_tokens(ask(tools=(search,))) < plain + 100
    assert input_upper_bound(ask(source=Source("anthropic", b"", server_tools=2))) == bare + 2 * SERVER_TOOL_BOUND


def test_a_request_that_may_be_passed_on_is_bounded_by_all_it_says() -> None:
    bare, plain = input_upper_bound(ask(Text("hi"))), expected_tokens(ask(Text("hi")))
    hidden = ask(Text("hi"), source=Source("gemini", b'{"nobody reads": "' + b"x" * 5_000 + b'"}'))
    assert input_upper_bound(hidden) >= bare + 5_000
    assert expected_tokens(hidden) == plain


@pytest.mark.parametrize(
    "part", [Image(data="A" * 9_000), Image(url=f"data:image/png;base64,{'A' * 9_000}"), Document(data="A" * 9_000)]
)
def test_a_file_passed_on_is_not_taken_for_text(part: Part) -> None:
    apart = input_upper_bound(ask(part))
    body = json.dumps({"file": part.url if isinstance(part, Image) and part.url else part.data}).encode()
    assert input_upper_bound(ask(part, source=Source("gemini", body))) <= apart + 100
