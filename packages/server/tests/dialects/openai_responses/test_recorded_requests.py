"""Every request that was recorded is read, and can be put to models of other dialects that can do what it asks."""

import gzip
import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from monkey_coder_server.domain.conversation import ModelRequest, Text, ToolCall
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.features.inference.foreign_tools import without_foreign_tools
from monkey_coder_server.ports.front import Envelope
from monkey_coder_server.ports.provider import Provider
from monkey_coder_server.providers import anthropic, google, groq, moonshot, openai
from packages.server.tests.dialects.openai_responses.answers import FRONT
from packages.server.tests.recordings.replay import DATA_VARIABLE, folder

NOWHERE = Envelope(headers={}, query={})
CLIENTS = ("codex-", "opencode-responses", "llm-responses")
OTHERS: tuple[Provider, ...] = (openai.PROVIDER, anthropic.PROVIDER, google.PROVIDER, groq.PROVIDER, moonshot.PROVIDER)
LIMITS = ("document", "image", "JSON", "schema", "text", "forced", "no message", "audio", "another provider")
"""Words of the sentences with which a model is refused what it cannot do."""


def requests() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(folder().glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for record in map(json.loads, lines):
                if record["api"] == "openai-responses" and record["request"]["body"]:
                    yield record["id"], record["request"]["body"]
    clients = Path(os.environ.get(DATA_VARIABLE, "nowhere")) / "client-requests"
    for path in sorted(clients.glob("*.jsonl")):
        if path.name.startswith(CLIENTS):
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
                body = json.loads(line).get("body")
                if body:
                    yield f"{path.stem}-{number}", _untrimmed(body)


def _untrimmed(body: dict[str, Any]) -> dict[str, Any]:
    """The recording names left-out items by a string."""
    body["input"] = [item for item in body["input"] if isinstance(item, dict)]
    return body


@cache
def read_requests() -> list[tuple[str, dict[str, Any], ModelRequest]]:
    found = []
    for name, body in requests():
        if body.get("conversation") is None:
            request = FRONT.read(json.dumps(body).encode(), NOWHERE).request
            found.append((name, body, request))
    return found


def test_there_are_requests() -> None:
    assert len(read_requests()) > 100


def test_what_was_said_and_called_is_read() -> None:
    for name, body, request in read_requests():
        parts = [part for message in request.messages for part in message.parts]
        items = [] if isinstance(body["input"], str) else body["input"]
        calls = [item["call_id"] for item in items if item.get("type") in {"function_call", "custom_tool_call"}]
        assert [part.id for part in parts if isinstance(part, ToolCall)] == calls, name
        texts = [item["content"] for item in items if isinstance(item.get("content"), str)]
        texts += [
            part["text"]
            for item in items
            for part in item.get("content") or ()
            if isinstance(part, dict) and "text" in part
        ]
        assert set(texts) <= {part.text for part in parts if isinstance(part, Text)}, name


def test_a_provider_of_the_dialect_gets_the_same_words() -> None:
    for name, body, request in read_requests():
        assert request.source is not None
        told = json.loads(request.source.body)
        assert told == {
            field: value for field, value in body.items() if field != "previous_response_id" or value is None
        }, name


@pytest.mark.parametrize("provider", OTHERS, ids=lambda provider: provider.name)
def test_every_other_dialect_can_say_it_or_says_why_not(provider: Provider) -> None:
    encoded = 0
    whole = [(name, request) for name, body, request in read_requests() if not body.get("previous_response_id")]
    dialect = provider.dialect
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
        for message in request.messages:
            for part in message.parts:
                if isinstance(part, ToolCall):
                    assert part.name in written, name
    assert encoded > len(whole) // 2
