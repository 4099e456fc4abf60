"""Every recorded Responses request, and what Codex, opencode, llm and the SDK send, is read and goes everywhere."""

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from monkey_coder_server.domain.conversation import Text, ToolCall
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.features.inference.foreign_tools import without_foreign_tools
from monkey_coder_server.ports.front import Envelope, Inbound
from monkey_coder_server.ports.provider import Provider
from monkey_coder_server.providers import anthropic, google, groq, moonshot, openai
from packages.server.tests.dialects.openai_responses.answers import FRONT
from packages.server.tests.recordings import replay

KEPT = Path(__file__).parent / "requests" / "responses.jsonl.gz"
OTHERS: tuple[Provider, ...] = (openai.PROVIDER, anthropic.PROVIDER, google.PROVIDER, groq.PROVIDER, moonshot.PROVIDER)
LIMITS = ("document", "image", "JSON", "schema", "text", "forced", "no message", "audio", "another provider")
"""Words of the sentences with which a model is refused what it cannot do."""


@cache
def requests() -> tuple[tuple[str, dict[str, Any], Inbound], ...]:
    """Name, body and what was read of each request, but for the one that lies at the provider."""
    recordings = [(each["id"], each["request"]["body"], {}) for each in replay.records(("openai-responses",))]
    with gzip.open(KEPT, "rt", encoding="utf-8") as lines:
        recordings += [(each["id"], each["body"], each["headers"]) for each in map(json.loads, lines)]
    return tuple(
        (name, body, FRONT.read(json.dumps(body).encode(), Envelope(headers=headers, query={})))
        for name, body, headers in recordings
        if body is not None and body.get("conversation") is None
    )


def test_there_are_requests() -> None:
    names = {name.rpartition("-")[0] for name, _, _ in requests()}
    assert names >= {"codex-unknown-model", "codex-gpt-5.5-patch", "codex-gpt-6.1-lite", "llm-responses", "openai"}
    assert len(requests()) > 300


def test_what_was_said_and_called_is_read() -> None:
    for name, body, inbound in requests():
        parts = [part for message in inbound.request.messages for part in message.parts]
        items = [] if isinstance(body["input"], str) else body["input"]
        calls = [item["call_id"] for item in items if item.get("type") in {"function_call", "custom_tool_call"}]
        assert [part.id for part in parts if isinstance(part, ToolCall)] == calls, name
        texts = [item["content"] for item in items if isinstance(item.get("content"), str)]
        inner = [part for item in items for part in item.get("content") or () if isinstance(part, dict)]
        texts += [part["text"] for part in inner if "text" in part]
        assert set(texts) <= {part.text for part in parts if isinstance(part, Text)}, name


def test_a_provider_of_the_dialect_is_told_the_same_words() -> None:
    for name, body, inbound in requests():
        source = inbound.request.source
        assert source is not None
        assert json.loads(source.body) == _without_previous(body), name


def _without_previous(body: dict[str, Any]) -> dict[str, Any]:
    gone = {"previous_response_id"} if body.get("previous_response_id") else set()
    return {field: value for field, value in body.items() if field not in gone}


def test_openai_is_sent_what_the_caller_wrote_but_for_stated_fields() -> None:
    """Any model that takes every tool of theirs; what is ours to say, and what costs what nobody knows, is named."""
    ours = {"model", "store", "include", "stream", "stream_options", "max_output_tokens", "previous_response_id"}
    named = {"service_tier", "tools", "tool_choice", "reasoning", "text", "temperature", "top_p", "input"}
    provider = openai.PROVIDER
    card = next(card for card in provider.cards if card.model == "gpt-6-sol")
    dialect = provider.dialect_for(card.model, "openai-responses")
    for name, body, inbound in requests():
        if body.get("tool_choice") == "required" and "code_interpreter" in str(body["tools"]):
            continue  # refused: what its containers cost is not in the price list
        wire = dialect.encode(inbound.request, card=card, key="k", stream=True)
        sent = json.loads(wire.body)
        for field, value in body.items():
            if field in ours or (field in named and sent.get(field) != value and wire.dropped):
                continue
            assert sent.get(field) == value or field == "input", (name, field)
        assert not wire.anew, name


@pytest.mark.parametrize("provider", OTHERS, ids=lambda provider: provider.name)
def test_every_other_dialect_can_say_it_or_says_why_not(provider: Provider) -> None:
    whole = [(name, inbound.request) for name, body, inbound in requests() if not body.get("previous_response_id")]
    dialect, encoded = provider.dialect, 0
    for name, request in whole:
        refusal, written = "", ""
        try:
            asked, _ = without_foreign_tools(request, dialect.name)
            written = dialect.encode(asked, card=provider.cards[0], key="k", stream=True).body.decode()
        except InvalidRequest as refused:
            refusal = refused.message
        if refusal:
            assert any(word in refusal for word in LIMITS), (name, refusal)
            continue
        encoded += 1
        calls = [part for message in request.messages for part in message.parts if isinstance(part, ToolCall)]
        assert all(call.name in written for call in calls), name
    assert encoded > len(whole) // 2


def test_codex_is_served_in_each_of_its_three_tool_protocols() -> None:
    tools = {name: {tool.name for tool in inbound.request.tools} for name, _, inbound in requests()}
    assert {"exec_command", "multi_agent_v1__spawn_agent", "web_search"} <= tools["codex-unknown-model-0"]
    assert {"exec_command", "apply_patch", "tool_search"} <= tools["codex-gpt-5.5-patch-0"]
    assert {"exec", "wait", "collaboration__spawn_agent", "clock__sleep"} <= tools["codex-gpt-6.1-lite-0"]
    lite = next(inbound for name, _, inbound in requests() if name == "codex-gpt-6.1-lite-0")
    assert lite.request.source is not None
    assert lite.request.source.headers == {"x-openai-internal-codex-responses-lite": "true"}
    assert lite.form.names.spoken("exec").custom
