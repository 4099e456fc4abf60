"""Each wire format as a model speaks it that can do everything the format can say."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from monkey_coder_server.dialects import openai_responses
from monkey_coder_server.dialects.anthropic_messages import AnthropicMessages
from monkey_coder_server.dialects.anthropic_messages import ModelTraits as ClaudeTraits
from monkey_coder_server.dialects.anthropic_messages.front import MessagesFront
from monkey_coder_server.dialects.gemini import Gemini
from monkey_coder_server.dialects.gemini import ModelTraits as GeminiTraits
from monkey_coder_server.dialects.gemini.front import GeminiFront
from monkey_coder_server.dialects.openai_chat import OpenAIChat, Quirks
from monkey_coder_server.dialects.openai_chat.front import ChatFront
from monkey_coder_server.dialects.openai_responses.front import ResponsesFront
from monkey_coder_server.domain.catalog import Capability, ModelCard
from monkey_coder_server.ports.front import Envelope, Front
from monkey_coder_server.ports.provider import Dialect

MODEL = "a-model"
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_TOOLS = ("custom", "mcp", "web_search", "namespace", "tool_search", "additional_tools", "shell", "apply_patch")


@dataclass(frozen=True, slots=True)
class Spoken:
    """A format both ways: how a model is asked in it, how a caller's request is read, how answers go back.

    `body` is a request of a caller who wants to see everything.
    """

    title: str
    home: str
    codec: Dialect
    front: Front
    body: bytes

    @property
    def card(self) -> ModelCard:
        """A model without limits."""
        return ModelCard(self.home, MODEL, MODEL, 1_000_000, 100_000, frozenset(Capability), 1)

    @property
    def envelope(self) -> Envelope:
        """What stands around a request; only Gemini says model and streaming there."""
        return Envelope(headers={}, query={}, path_model=MODEL, stream=False)


_CHAT = Quirks(
    provider="openai",
    developer_role=True,
    custom_tools=True,
    refusals=True,
    documents="file",
    tool_images=True,
    refused=frozenset({"top_k"}),
    efforts=MappingProxyType({"": _EFFORTS}),
)
_RESPONSES = openai_responses.Quirks(
    provider="openai",
    efforts=MappingProxyType({"": _EFFORTS}),
    tools=MappingProxyType({"": _TOOLS}),
    summaries=True,
    developer_role=True,
    documents=True,
    result_images=True,
    refusals=True,
)
_CLAUDE = MappingProxyType({MODEL: ClaudeTraits(budgets=True, efforts=_EFFORTS[2:], system_turns=True)})
_GEMINI = MappingProxyType(
    {MODEL: GeminiTraits(budget=(1, 32_768), can_rest=True, media_results=True, calls_with_schema=True)}
)
_SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
_BODIES: Mapping[str, dict[str, Any]] = {
    "chat": {
        "messages": [{"role": "user", "content": "Hi"}],
        "reasoning_effort": "high",
        "tools": [
            {"type": "function", "function": {"name": "get_weather", "parameters": _SCHEMA}},
            {"type": "custom", "custom": {"name": "apply_patch"}},
        ],
    },
    "responses": {
        "input": "Hi",
        "reasoning": {"effort": "high", "summary": "auto"},
        "include": ["reasoning.encrypted_content"],
        "store": False,
        "tools": [
            {"type": "function", "name": "get_weather", "parameters": _SCHEMA},
            {"type": "custom", "name": "apply_patch"},
        ],
    },
    "messages": {
        "max_tokens": 9_000,
        "messages": [{"role": "user", "content": "Hi"}],
        "thinking": {"type": "enabled", "budget_tokens": 2_000},
        "tools": [{"name": name, "input_schema": _SCHEMA} for name in ("get_weather", "apply_patch")],
    },
    "gemini": {
        "contents": [{"role": "user", "parts": [{"text": "Hi"}]}],
        "generationConfig": {"thinkingConfig": {"includeThoughts": True}},
        "tools": [{"functionDeclarations": [{"name": name} for name in ("get_weather", "apply_patch")]}],
    },
}


def _spoken(name: str, title: str, codec: Dialect, front: Front, *, home: str) -> Spoken:
    body = json.dumps({"model": MODEL, **_BODIES[name]}).encode()
    return Spoken(title, home, codec, front, body)


SPOKEN: Mapping[str, Spoken] = {
    "chat": _spoken("chat", "OpenAI chat", OpenAIChat(_CHAT), ChatFront(), home="openai"),
    "responses": _spoken(
        "responses",
        "OpenAI responses",
        openai_responses.OpenAIResponses(_RESPONSES),
        ResponsesFront(),
        home="openai",
    ),
    "messages": _spoken(
        "messages",
        "Anthropic messages",
        AnthropicMessages("anthropic", traits=_CLAUDE),
        MessagesFront(),
        home="anthropic",
    ),
    "gemini": _spoken("gemini", "Gemini", Gemini("google", traits=_GEMINI), GeminiFront(), home="google"),
}
