"""Conversations to encode: strategies for generated ones, and cards to encode them for."""

import json
from typing import Any

from hypothesis import strategies as st

from monkey_coder_server.domain.catalog import ModelCard
from monkey_coder_server.domain.conversation import (
    CacheHint,
    Document,
    Image,
    Message,
    ModelRequest,
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
from monkey_coder_server.ports.provider import Provider

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = Tool("get_weather", "The weather in a city.", SCHEMA)
PNG = "iVBORw0KGgo="
PDF = "JVBERi0xLjQK"


def user(*parts: Part | str) -> Message:
    return Message(Role.USER, tuple(Text(part) if isinstance(part, str) else part for part in parts))


def system(text: str) -> Message:
    return Message(Role.SYSTEM, (Text(text),))


def assistant(*parts: Part | str) -> Message:
    return Message(Role.ASSISTANT, tuple(Text(part) if isinstance(part, str) else part for part in parts))


def result(call_id: str, *parts: Part | str, **more: Any) -> Message:
    inside = tuple(Text(part) if isinstance(part, str) else part for part in parts)
    return Message(Role.TOOL, (ToolResult(call_id, inside, **more),))


def card(provider: Provider, model: str) -> ModelCard:
    return next(card for card in provider.cards if card.model == model)


def body(provider: Provider, model: str, request: ModelRequest, *, stream: bool = False) -> dict[str, Any]:
    wire = provider.dialect.encode(request, card=card(provider, model), key="a-key", stream=stream)
    return json.loads(wire.body)


words = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=12)
spoken = words.filter(lambda text: bool(text.strip()))
hints = st.none() | st.builds(CacheHint, ttl=st.sampled_from(["5m", "1h"]))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
texts = st.builds(Text, spoken, cache=hints)
images = st.builds(Image, data=st.just(PNG), media_type=st.sampled_from(["image/png", "image/tiff", None])) | st.builds(
    Image, url=st.sampled_from(["https://example.com/a.png", f"data:image/png;base64,{PNG}"])
)
documents = st.builds(
    Document,
    data=st.sampled_from([None, PDF, "not base64!"]),
    text=st.none() | words,
    media_type=st.sampled_from([None, "application/pdf", "text/plain", "application/zip"]),
)
unknowns = st.builds(Unknown, st.sampled_from(["anthropic_messages", "gemini", "openai_chat"]), json_values)
calls = st.builds(
    ToolCall,
    st.sampled_from(["call_1", "functions.a:0", ""]),
    st.just("get_weather"),
    st.sampled_from(['{"city":"Oslo"}', "", "{", "[]", "null"]),
    custom=st.booleans(),
    signature=st.none() | st.just("c2ln"),
    origin=st.sampled_from([None, "google", "anthropic"]),
)
results = st.builds(
    ToolResult,
    st.sampled_from(["call_1", "functions.a:0", "never"]),
    st.lists(texts | images | documents | unknowns, max_size=2).map(tuple),
    is_error=st.booleans(),
)
thoughts = st.builds(
    Thinking,
    words,
    signature=st.none() | st.just("c2ln"),
    redacted=st.none() | st.just("cmVk"),
    origin=st.sampled_from([None, "google", "anthropic"]),
)
parts = texts | images | documents | unknowns | calls | results | thoughts | st.builds(Refusal, words)
messages = st.builds(Message, st.sampled_from(Role), st.lists(parts, max_size=3).map(tuple))
tools = st.sampled_from(
    [
        WEATHER,
        Tool("patch", "Free text."),
        Tool("strict", schema=SCHEMA, strict=True, cache=CacheHint("1h")),
        Tool("search", server={"type": "web_search_20250305", "name": "search"}, dialect="anthropic_messages"),
        Tool("search", server={"googleSearch": {}}, dialect="gemini"),
    ]
)
efforts = st.sampled_from([None, "none", "minimal", "low", "medium", "high", "xhigh", "max", "unheard-of"])
requests = st.builds(
    ModelRequest,
    st.lists(messages, max_size=5).map(tuple),
    tools=st.lists(tools, max_size=3).map(tuple),
    tool_choice=st.none()
    | st.builds(
        ToolChoice,
        mode=st.sampled_from(["auto", "none", "required", "named"]),
        name=st.just("get_weather"),
        parallel=st.sampled_from([None, True, False]),
    ),
    sampling=st.builds(
        Sampling,
        max_tokens=st.none() | st.integers(1, 500_000),
        temperature=st.none() | st.floats(0, 2),
        top_p=st.none() | st.floats(0, 1),
        top_k=st.none() | st.integers(1, 100),
        seed=st.none() | st.integers(0, 9),
        stop=st.lists(words, max_size=6).map(tuple),
    ),
    reasoning=st.none()
    | st.builds(
        Reasoning,
        enabled=st.booleans(),
        effort=efforts,
        budget_tokens=st.none() | st.integers(0, 100_000),
        include_text=st.booleans(),
    ),
    output=st.none()
    | st.builds(OutputFormat, kind=st.sampled_from(["json", "json_schema"]), schema=st.none() | st.just(SCHEMA)),
    user=st.none() | words,
    dialect=st.sampled_from([None, "anthropic_messages", "gemini"]),
    extra=st.dictionaries(st.sampled_from(["safetySettings", "context_management", "model"]), json_values, max_size=2),
)
