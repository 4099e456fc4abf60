"""What our own writer says of a conversation, our reader understands: nothing is lost that Gemini can say."""

import json
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.conversation import (
    Document,
    Image,
    Message,
    ModelRequest,
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
)
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.providers.google import PROVIDER
from packages.server.tests.dialects import conversations
from packages.server.tests.dialects.conversations import PDF, PNG, SCHEMA, json_values
from packages.server.tests.dialects.gemini.reading import inbound

CARD = conversations.card(PROVIDER, "gemini-3.5-flash")
words = conversations.spoken
arguments = st.dictionaries(words, json_values, max_size=2).map(
    lambda args: json.dumps(args, separators=(",", ":"), ensure_ascii=False)
)
media = st.sampled_from(
    [
        Image(data=PNG, media_type="image/png"),
        Image(url="https://a.example/a.png", media_type="image/png"),
        Document(data=PDF, media_type="application/pdf"),
        Document(file_id="gs://a/b", media_type="text/csv"),
    ]
)
questions = st.lists(st.builds(Text, words) | media, min_size=1, max_size=3).map(
    lambda parts: [Message(Role.USER, tuple(parts))]
)


@st.composite
def tool_turns(draw: st.DrawFn) -> list[Message]:
    """An answer that calls tools, and their results."""
    ids = draw(st.lists(st.uuids().map(str), min_size=1, max_size=3, unique=True))
    proof = draw(st.text(min_size=1, max_size=8))
    said: list[Part] = [Text(text) for text in draw(st.lists(words, max_size=1))]
    first = ToolCall(ids[0], "f", draw(arguments), signature=f"s{proof}", origin="google")
    calls = [first, *(ToolCall(each, "g", draw(arguments)) for each in ids[1:])]
    results = [
        ToolResult(call.id, (Text(draw(words)),), name=call.name, is_error=draw(st.booleans())) for call in calls
    ]
    return [Message(Role.ASSISTANT, (*said, *calls)), Message(Role.TOOL, tuple(results))]


answers = st.builds(
    lambda text, thought: [Message(Role.ASSISTANT, (*([thought] if thought else []), Text(text)))],
    words,
    st.none() | st.builds(Thinking, words, st.just("sig"), origin=st.just("google")),
)


@st.composite
def requests(draw: st.DrawFn) -> ModelRequest:
    messages = [Message(Role.SYSTEM, (Text(text),)) for text in draw(st.lists(words, max_size=1))]
    for _ in range(draw(st.integers(1, 3))):
        messages += draw(questions)
        messages += draw(tool_turns() | answers)
    return ModelRequest(
        tuple(messages),
        tools=(Tool("f", "Does f.", SCHEMA), Tool("g", None, SCHEMA), Tool("s", server={"s": {}}, dialect="gemini")),
        tool_choice=draw(
            st.none() | st.sampled_from([ToolChoice("auto"), ToolChoice("none"), ToolChoice("named", "f")])
        ),
        sampling=Sampling(max_tokens=draw(st.integers(1, 60_000)), temperature=0.5, top_k=3, seed=1, stop=("END",)),
        reasoning=draw(st.none() | st.builds(Reasoning, effort=st.sampled_from(["minimal", "low", "medium", "high"]))),
        output=draw(st.none() | st.sampled_from([OutputFormat("json"), OutputFormat("json_schema", SCHEMA)])),
        dialect="gemini",
        extra={"labels": {"a": "b"}},
    )


@given(request=requests())
def test_what_is_written_reads_as_it_was(request: ModelRequest) -> None:
    body = PROVIDER.dialect.encode(request, card=CARD, key="k", stream=False).body
    read = inbound(body).request
    assert replace(read, source=None) == request


@given(request=requests())
def test_what_was_read_is_passed_on_with_the_same_meaning(request: ModelRequest) -> None:
    body = PROVIDER.dialect.encode(request, card=CARD, key="k", stream=False).body
    forwarded = PROVIDER.dialect.encode(inbound(body).request, card=CARD, key="k", stream=False)
    assert json.loads(forwarded.body) == json.loads(body)
    assert forwarded.dropped == ()


@given(document=st.dictionaries(st.sampled_from(["contents", "tools", "generationConfig", "x"]), json_values))
def test_nonsense_is_read_or_refused_with_a_sentence(document: Any) -> None:
    refusal = "."
    try:
        inbound(document)
    except InvalidRequest as refused:
        refusal = refused.message
    assert refusal.endswith(".")
