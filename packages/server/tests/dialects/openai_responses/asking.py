"""Asking OpenAI and xAI in Responses: what is written for a model of theirs."""

import json
from typing import Any

from monkey_coder_server.dialects.openai_responses import DIALECT, OpenAIResponses
from monkey_coder_server.domain.conversation import Message, ModelRequest, Role, Sampling, Source, Text
from monkey_coder_server.ports.provider import Provider, WireRequest
from monkey_coder_server.providers.openai import PROVIDER as OPENAI
from monkey_coder_server.providers.xai import PROVIDER as XAI

CARDS = {card.model: (provider, card) for provider in (OPENAI, XAI) for card in provider.cards}
THINKER, PLAIN, GROK = "gpt-5.2", "gpt-4.1", "grok-4.7"
HELLO = ModelRequest((Message(Role.USER, (Text("hello"),)),))


def dialect(provider: Provider) -> OpenAIResponses:
    return next(each for each in provider.further_dialects if isinstance(each, OpenAIResponses))


def wire(request: ModelRequest, model: str = THINKER, *, stream: bool = False) -> WireRequest:
    provider, card = CARDS[model]
    return dialect(provider).encode(request, card=card, key="sk-1", stream=stream)


def written(request: ModelRequest, model: str = THINKER, *, stream: bool = False) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(wire(request, model, stream=stream).body)
    return body


def items(*turns: Message, model: str = THINKER) -> list[dict[str, Any]]:
    return list(written(ModelRequest(turns), model)["input"])


def own(body: dict[str, Any] | bytes, *, said: ModelRequest = HELLO, limit: int | None = None) -> ModelRequest:
    """A request as a caller of this dialect wrote it; `said` is what was read of it."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return ModelRequest(
        said.messages,
        tools=said.tools,
        tool_choice=said.tool_choice,
        sampling=Sampling(limit),
        dialect=DIALECT,
        source=Source(DIALECT, text, {"openai-beta": "x"}),
    )


def passed(body: dict[str, Any] | bytes, model: str = THINKER, *, stream: bool = False) -> dict[str, Any]:
    sent: dict[str, Any] = json.loads(wire(own(body), model, stream=stream).body)
    return sent
