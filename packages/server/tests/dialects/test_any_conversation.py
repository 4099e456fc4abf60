"""Whatever a conversation holds, Claude and Gemini get JSON with all that was said, or the caller one sentence."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.catalog import ModelCard
from monkey_coder_server.domain.conversation import Message, ModelRequest, Role, Text
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.ports.provider import Provider
from monkey_coder_server.providers import anthropic, google
from packages.server.tests.dialects import conversations
from packages.server.tests.dialects.conversations import assistant, result, system, user

PROVIDERS = (anthropic.PROVIDER, google.PROVIDER)
CARDS = [(provider, each) for provider in PROVIDERS for each in provider.cards]


def strings_in(value: object) -> str:
    """Every string of a JSON document, joined."""
    if isinstance(value, dict):
        return "\n".join(strings_in(inner) for inner in value.values())
    if isinstance(value, list):
        return "\n".join(strings_in(inner) for inner in value)
    return value if isinstance(value, str) else ""


@given(request=conversations.requests, target=st.sampled_from(CARDS), stream=st.booleans())
def test_encoding_loses_no_text_and_fails_only_with_a_sentence(
    request: ModelRequest, target: tuple[Provider, ModelCard], stream: bool
) -> None:
    provider, model = target
    wire, refusal = None, "a sentence."
    try:
        wire = provider.dialect.encode(request, card=model, key="a-key", stream=stream)
    except InvalidRequest as refused:
        refusal = refused.message
    assert refusal.endswith(".")
    written = strings_in(json.loads(wire.body)) if wire else None
    for message in request.messages:
        for part in message.parts:
            if isinstance(part, Text) and message.role is not Role.TOOL:
                assert written is None or part.text in written


@given(request=conversations.requests, target=st.sampled_from(CARDS))
def test_the_same_request_gives_the_same_bytes(request: ModelRequest, target: tuple[Provider, ModelCard]) -> None:
    provider, model = target
    try:
        first, second = (provider.dialect.encode(request, card=model, key="k", stream=True) for _ in range(2))
    except InvalidRequest:
        return
    assert first == second


@given(said=st.lists(st.tuples(conversations.spoken, conversations.spoken), min_size=1, max_size=4))
@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.name)
def test_the_next_turn_begins_with_the_bytes_of_this_one(provider: Provider, said: list[tuple[str, str]]) -> None:
    turns: list[Message] = [system("Be brief.")]
    earlier = b""
    for question, answer in said:
        turns.append(user(question))
        request = ModelRequest(tuple(turns), tools=(conversations.WEATHER,))
        sent = provider.dialect.encode(request, card=provider.cards[0], key="k", stream=True).body
        assert sent.startswith(earlier)
        assert sent.endswith(b"]}")
        earlier = sent.removesuffix(b"]}") + b","
        turns.append(assistant(answer))


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.name)
def test_a_tool_loop_keeps_its_prefix(provider: Provider) -> None:
    call = conversations.ToolCall("call_1", "get_weather", '{"city":"Oslo"}')
    loop = [
        user("Weather?"),
        assistant("I look.", call),
        result("call_1", "rain"),
        assistant("It rains."),
        user("Why?"),
    ]
    earlier = b""
    for length in (1, 3, 5):
        request = ModelRequest(tuple(loop[:length]), tools=(conversations.WEATHER,))
        sent = provider.dialect.encode(request, card=provider.cards[0], key="k", stream=True).body
        assert sent.startswith(earlier)
        earlier = sent.removesuffix(b"]}") + b","


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.name)
@pytest.mark.parametrize("messages", [(), (system("Be brief."),), (user(""),)], ids=["nothing", "system", "empty"])
def test_a_conversation_without_a_turn_is_refused(provider: Provider, messages: tuple[Message, ...]) -> None:
    with pytest.raises(InvalidRequest, match="no message"):
        provider.dialect.encode(ModelRequest(messages), card=provider.cards[0], key="k", stream=False)


@pytest.mark.parametrize(
    ("provider", "header"), [(anthropic.PROVIDER, "x-api-key"), (google.PROVIDER, "x-goog-api-key")]
)
def test_the_key_goes_into_its_header_and_nowhere_else(provider: Provider, header: str) -> None:
    wire = provider.dialect.encode(ModelRequest((user("hi"),)), card=provider.cards[0], key="s3cret", stream=True)
    assert wire.headers[header] == "s3cret"
    assert "s3cret" not in wire.path
    assert b"s3cret" not in wire.body
