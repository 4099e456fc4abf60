"""OpenAI and xAI are told the name of a conversation where each of them documents it, and nobody else is."""

import json
from dataclasses import replace
from typing import Any

import pytest

from monkey_coder_server.dialects.openai_chat import ChatFront
from monkey_coder_server.dialects.openai_responses import ResponsesFront
from monkey_coder_server.domain.conversation import ModelRequest, PromptCache
from monkey_coder_server.ports.front import Envelope, Front
from monkey_coder_server.ports.provider import Continuity, Provider, WireRequest
from monkey_coder_server.providers import anthropic, google, groq, moonshot, openai, perplexity, xai
from packages.server.tests.dialects.conversations import card

NAME = "0123456789abcdef"
CHAT = {"messages": [{"role": "user", "content": "hi"}]}
RESPONSES = {"input": "hi"}


def asked(front: Front, body: dict[str, Any]) -> ModelRequest:
    request = front.read(json.dumps({"model": "auto", **body}).encode(), Envelope(headers={}, query={})).request
    return replace(request, prompt_cache=PromptCache(session=NAME))


def told(provider: Provider, model: str, request: ModelRequest) -> tuple[Any, str | None]:
    """What stands in the body and in the header of such a name."""
    dialect = provider.dialect_for(model, request.spoken)
    wire: WireRequest = dialect.encode(request, card=card(provider, model), key="a-key", stream=False)
    return json.loads(wire.body).get("prompt_cache_key"), wire.headers.get("x-grok-conv-id")


@pytest.mark.parametrize(
    ("provider", "model", "in_chat", "in_responses"),
    [
        (openai.PROVIDER, "gpt-4.1", (NAME, None), (NAME, None)),
        (xai.PROVIDER, "grok-4.3", (None, NAME), (NAME, None)),
        (moonshot.PROVIDER, "kimi-k2.6", (None, None), (None, None)),
    ],
)
def test_where_the_name_stands(
    provider: Provider, model: str, in_chat: tuple[Any, Any], in_responses: tuple[Any, Any]
) -> None:
    chat, responses = asked(ChatFront(), CHAT), asked(ResponsesFront(), RESPONSES)
    assert told(provider, model, chat) == in_chat
    assert told(provider, model, responses) == in_responses
    neutral = replace(chat, source=None, dialect=None)
    assert told(provider, model, neutral) == in_chat
    unnamed = replace(chat, prompt_cache=PromptCache())
    assert told(provider, model, unnamed) == (None, None)


@pytest.mark.parametrize(("front", "body"), [(ChatFront(), CHAT), (ResponsesFront(), RESPONSES)])
def test_a_name_of_the_callers_own_stays(front: Front, body: dict[str, Any]) -> None:
    assert told(openai.PROVIDER, "gpt-4.1", asked(front, {**body, "prompt_cache_key": "own"})) == ("own", None)


def test_who_is_told_anything() -> None:
    providers = [anthropic, google, groq, moonshot, openai, perplexity, xai]
    ways = {each.PROVIDER.name: each.PROVIDER.continuity for each in providers}
    assert {name: way for name, way in ways.items() if way is not Continuity.NONE} == {
        "anthropic": Continuity.MARKS,
        "openai": Continuity.SESSION,
        "xai": Continuity.SESSION,
    }
