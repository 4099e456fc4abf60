"""Asking the chat providers: what is written for a model of theirs, and what is passed on to it."""

import json
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from monkey_coder_server.dialects.openai_chat import ChatFront
from monkey_coder_server.domain.conversation import Message, ModelRequest, Role, Text, Tool
from monkey_coder_server.ports.front import Envelope, Inbound
from monkey_coder_server.ports.provider import WireRequest
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


FRONT = ChatFront()
NOBODY = Envelope(headers={}, query={})
SAID = [{"role": "user", "content": "hello"}]
FUNCTION = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
MODELS = (
    "gpt-4.1",
    "gpt-5",
    "llama-3.1-8b-instant",
    "openai/gpt-oss-120b",
    "grok-4.7",
    "sonar",
    "kimi-k3",
    "kimi-k2.6",
)


def relay(body: bytes, model: str) -> WireRequest:
    provider, card = CARDS[model]
    request = FRONT.read(body, NOBODY).request
    fitted: ModelRequest = replace(request, sampling=replace(request.sampling, max_tokens=99))
    stream = bool(json.loads(body).get("stream"))
    return provider.dialect.encode(fitted, card=card, key="k", stream=stream)


def passed(model: str = "gpt-4.1", **fields: Any) -> dict[str, Any]:
    sent: dict[str, Any] = json.loads(relay(json.dumps({"messages": SAID, **fields}).encode(), model).body)
    return sent


def dropped(model: str, **fields: Any) -> tuple[str, ...]:
    return relay(json.dumps({"messages": SAID, **fields}).encode(), model).dropped


def turns(*messages: dict[str, Any], model: str = "gpt-4.1") -> list[dict[str, Any]]:
    return list(passed(model, messages=messages)["messages"])


def read(**fields: Any) -> Inbound:
    return FRONT.read(json.dumps({"messages": SAID, **fields}).encode(), NOBODY)


def turn(**fields: Any) -> Message:
    (message,) = read(messages=[fields]).request.messages
    return message
