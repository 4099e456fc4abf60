"""Asking the chat providers: what is written for a model of theirs."""

import json
from types import MappingProxyType
from typing import Any

from monkey_coder_server.domain.conversation import Message, ModelRequest, Role, Text, Tool
from monkey_coder_server.providers.groq import PROVIDER as GROQ
from monkey_coder_server.providers.moonshot import PROVIDER as MOONSHOT
from monkey_coder_server.providers.openai import PROVIDER as OPENAI
from monkey_coder_server.providers.perplexity import PROVIDER as PERPLEXITY
from monkey_coder_server.providers.xai import PROVIDER as XAI

CARDS = {
    card.model: (provider, card) for provider in (OPENAI, GROQ, XAI, PERPLEXITY, MOONSHOT) for card in provider.cards
}
HELLO = ModelRequest(messages=(Message(Role.USER, (Text("hello"),)),))
CLOSED = MappingProxyType({"type": "object", "properties": {}, "required": [], "additionalProperties": False})
WEATHER = Tool("weather", "Tells it", CLOSED, strict=True)


def user(*parts: Any) -> Message:
    return Message(Role.USER, parts)


def written(request: ModelRequest, model: str = "gpt-4.1", *, stream: bool = False) -> dict[str, Any]:
    provider, card = CARDS[model]
    body: dict[str, Any] = json.loads(provider.dialect.encode(request, card=card, key="k", stream=stream).body)
    return body


def messages(*turns: Message, model: str = "gpt-4.1") -> list[dict[str, Any]]:
    return list(written(ModelRequest(messages=turns), model)["messages"])
