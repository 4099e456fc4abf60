"""Every chat request that was recorded is read, passed on as it was, and can be put to models of other dialects."""

import gzip
import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from monkey_coder_server.dialects.openai_chat import OpenAIChat
from monkey_coder_server.domain.catalog import Capability, ModelCard
from monkey_coder_server.domain.conversation import ModelRequest
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.ports.provider import Provider
from monkey_coder_server.providers import anthropic, google, groq, moonshot, openai, xai
from packages.server.tests.dialects.openai_chat.asking import FRONT, NOBODY
from packages.server.tests.recordings import replay

KEPT = Path(__file__).parent / "requests" / "chat.jsonl.gz"
OTHERS: tuple[Provider, ...] = (anthropic.PROVIDER, google.PROVIDER, groq.PROVIDER, moonshot.PROVIDER, xai.PROVIDER)
LIMITS = ("document", "image", "JSON", "schema", "text", "forced", "no message", "audio")
"""Words of the sentences with which a model is refused what it cannot do."""
CARD = ModelCard("p", "the-model", "M", 200_000, 9_000, frozenset(Capability) - {Capability.REASONING}, 1)
LIMIT = 77
OURS = {"model", "max_tokens", "max_completion_tokens", "stream_options", "messages", "tools"}


@cache
def requests() -> list[tuple[str, str, dict[str, Any], ModelRequest]]:
    """Name, provider, body and reading of each request; what agents and SDKs send goes to OpenAI."""
    found = []
    with gzip.open(KEPT, "rt", encoding="utf-8") as lines:
        for record in map(json.loads, lines):
            provider, body = record["provider"].replace("client", "openai"), record["body"]
            request = FRONT.read(json.dumps(body).encode(), NOBODY).request
            found.append((record["id"], provider, body, request))
    return found


def dialect_of(provider: str) -> OpenAIChat:
    dialect = replay.dialect_of(provider, "openai-chat")
    assert isinstance(dialect, OpenAIChat)
    return dialect


def test_there_are_requests() -> None:
    assert len(requests()) == 565


@pytest.mark.parametrize("stream", [False, True])
def test_every_request_goes_on_as_it_came_but_for_what_is_stated(stream: bool) -> None:
    for name, provider, body, request in requests():
        if bool(body.get("stream")) is not stream:
            continue
        dialect = dialect_of(provider)
        fitted = replace(request, sampling=replace(request.sampling, max_tokens=LIMIT))
        wire = dialect.encode(fitted, card=CARD, key="k", stream=stream)
        sent = json.loads(wire.body)
        assert (sent["model"], sent[dialect.quirks.max_tokens_field]) == ("the-model", LIMIT), name
        assert sent.get("stream_options") == (
            {**(body.get("stream_options") or {}), "include_usage": True} if stream else None
        )
        left_out = {*wire.dropped, *OURS, "tool_choice", "reasoning_effort", "parallel_tool_calls"}
        kept = {
            field: value
            for field, value in body.items()
            if field not in left_out and field not in dialect.quirks.refused
        }
        assert {field: sent.get(field) for field in kept} == kept, name
        assert sent.keys() <= {*body, dialect.quirks.max_tokens_field, "stream_options"}, name
        assert sent.get("tools", []) == [_shaped(tool) for tool in body.get("tools") or []], name
        if not dialect.quirks.alternates and "json_schema" not in str(body.get("response_format")):
            assert sent["messages"] == [_taken(each, dialect) for each in body["messages"]], name


def _shaped(tool: dict[str, Any]) -> dict[str, Any]:
    return tool if "function" in tool else {"type": "function", "function": tool}


def _taken(message: dict[str, Any], dialect: OpenAIChat) -> dict[str, Any]:
    """What the provider takes of a message."""
    quirks = dialect.quirks
    taken = {name: value for name, value in message.items() if name not in quirks.refused_in_messages}
    if taken["role"] == "developer" and not quirks.developer_role:
        taken["role"] = "system"
    return taken


def test_openai_is_told_the_same_when_a_request_is_written_anew() -> None:
    for name, provider, body, request in requests():
        if provider != "openai":
            continue
        anew = replace(request, source=None)
        sent = json.loads(openai.PROVIDER.dialect.encode(anew, card=CARD, key="k", stream=False).body)
        assert sent["messages"] == [_canonical(each) for each in body["messages"]], name
        if body.get("tools") and "schema_in" not in str(body["tools"]):
            assert [_loosely(tool) for tool in sent["tools"]] == [_loosely(tool) for tool in body["tools"]], name


def _canonical(message: dict[str, Any]) -> dict[str, Any]:
    """A message in the one form each thing is written in; the breakpoint is an option of OpenAI's own cache."""
    content = message.get("content")
    if isinstance(content, list):
        parts = [{k: v for k, v in part.items() if k != "prompt_cache_breakpoint"} for part in content]
        texts = [part["text"] for part in parts if part["type"] == "text"]
        only_text = len(texts) == len(parts)
        if only_text and (len(parts) == 1 or message["role"] != "user"):
            parts = ("\n\n" if message["role"] == "system" else "").join(texts)
        content = parts
    if message["role"] == "assistant" and message.get("tool_calls") and not content:
        content = None
    written = {**message, "content": content}
    return {k: v for k, v in written.items() if k != "tool_calls" or v}


def _loosely(tool: dict[str, Any]) -> Any:
    """A tool but for whether the model is held to its schema."""
    function = dict(tool.get("function", tool))
    function.pop("strict", None)
    function["parameters"] = {
        k: v for k, v in function["parameters"].items() if k not in {"additionalProperties", "required"}
    }
    return function


@pytest.mark.parametrize("provider", OTHERS, ids=lambda provider: provider.name)
def test_every_request_can_be_put_to_other_providers(provider: Provider) -> None:
    written, refusals = 0, set()
    for _, _, _, request in requests():
        anew = replace(request, source=None)
        try:
            wire = provider.dialect.encode(anew, card=provider.cards[0], key="k", stream=True)
        except InvalidRequest as refused:
            refusals.add(refused.message)
            continue
        assert json.loads(wire.body)
        written += 1
    assert written > 400
    assert [message for message in refusals if not any(word in message for word in LIMITS)] == []
