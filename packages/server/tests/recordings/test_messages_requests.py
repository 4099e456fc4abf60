"""Every recorded Messages request, and what Claude Code, opencode, aider, llm and the SDK send, goes everywhere."""

import gzip
import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from monkey_coder_server.dialects.anthropic_messages.front import MessagesFront
from monkey_coder_server.domain.catalog import ModelCard
from monkey_coder_server.domain.conversation import ModelRequest, Text
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.prompt_tokens import prompt_size
from monkey_coder_server.features.inference.foreign_tools import without_foreign_tools
from monkey_coder_server.ports.front import Envelope, Inbound
from monkey_coder_server.ports.provider import Provider
from monkey_coder_server.providers import anthropic, google, openai

Record = dict[str, Any]

KEPT = Path(__file__).parent / "requests" / "anthropic.jsonl.gz"
NOT_BILLABLE = {"compact_20260112": 4, "advisor_20260301": 4}
"""Recorded requests that are refused, because what they cost stands outside the usage."""
CAN_DO = {"openai": 270, "google": 280}
"""How many of them other providers' formats can say at least; the rest hold files they do not take."""


@cache
def records() -> tuple[Record, ...]:
    with gzip.open(KEPT, "rt", encoding="utf-8") as lines:
        return tuple(map(json.loads, lines))


def read(record: Record) -> Inbound:
    body = json.dumps(record["body"], ensure_ascii=False).encode()
    front = MessagesFront(counts_only="count_tokens" in record["path"])
    return front.read(body, Envelope(headers=record["headers"], query={}))


def card_of(asked: Record) -> ModelCard:
    """The model that was asked, or one that takes the same kind of thinking and of turns."""
    named = {card.model: card for card in anthropic.PROVIDER.cards}
    like = "claude-haiku-4-5" if asked.get("thinking", {}).get("type") != "adaptive" else "claude-opus-4-6"
    like = "claude-opus-4-8" if any(turn["role"] == "system" for turn in asked["messages"]) else like
    return next((card for name, card in named.items() if asked["model"].startswith(name)), named[like])


ASKED = [record for record in records() if "count_tokens" not in record["path"]]
each = pytest.mark.parametrize("record", ASKED, ids=[record["id"] for record in ASKED])


@each
def test_it_is_passed_on_to_anthropic_unchanged_but_for_what_is_named(record: Record) -> None:
    given, asked = read(record), record["body"]
    card = card_of(asked)
    refused = [word for word in NOT_BILLABLE if f'"{word}"' in json.dumps(asked)]
    if refused:
        with pytest.raises(InvalidRequest, match="outside the usage"):
            anthropic.PROVIDER.dialect.encode(given.request, card=card, key="k", stream=given.stream)
        return
    wire = anthropic.PROVIDER.dialect.encode(given.request, card=card, key="k", stream=given.stream)
    sent = json.loads(wire.body)
    assert sent.pop("model") == card.model
    assert sent.pop("max_tokens") == min(asked["max_tokens"], card.max_output_tokens)
    named = {name.partition(".")[0] for name in wire.dropped}
    kept = {name: value for name, value in asked.items() if name not in {"model", "max_tokens", *named}}
    if not sent.get("stream"):
        kept.pop("stream", None)
        sent.pop("stream", None)
    assert {name: value for name, value in sent.items() if name not in named} == kept
    assert wire.headers.get("anthropic-beta") == record["headers"].get("anthropic-beta")


def test_only_a_few_of_them_had_to_be_adapted() -> None:
    dropped: Counter[str] = Counter()
    for record in ASKED:
        given = read(record)
        try:
            wire = anthropic.PROVIDER.dialect.encode(given.request, card=card_of(record["body"]), key="k", stream=True)
        except InvalidRequest:
            continue
        dropped.update(wire.dropped)
    assert dropped == {"output_config.effort": 1}, "one was recorded with the error its effort brought"


@pytest.mark.parametrize("provider", [openai.PROVIDER, google.PROVIDER], ids=lambda provider: provider.name)
def test_other_providers_are_told_all_that_was_said(provider: Provider) -> None:
    told = 0
    for record in ASKED:
        asked = read(record).request
        request, _ = without_foreign_tools(asked, provider.dialect.name)
        try:
            wire = provider.dialect.encode(request, card=provider.cards[0], key="k", stream=True)
        except InvalidRequest:
            continue
        written = _strings(json.loads(wire.body))
        assert all(text.strip() in written for text in _texts(asked)), record["id"]
        told += 1
    assert told >= CAN_DO[provider.name]


def _texts(request: ModelRequest) -> list[str]:
    return [part.text for message in request.messages for part in message.parts if isinstance(part, Text)]


def _strings(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(map(_strings, value.values()))
    if isinstance(value, list):
        return "\n".join(map(_strings, value))
    return value if isinstance(value, str) else ""


def test_every_prompt_is_counted_and_bounded() -> None:
    for record in records():
        size = prompt_size(read(record).request)
        assert 0 < size.expected_tokens <= size.most_tokens
        assert size.most_tokens >= len(json.dumps(record["body"]["messages"])) - size.encoded_bytes


def test_none_was_left_out() -> None:
    assert len(records()) == 290
    assert {record["id"].rpartition("-")[0] for record in records()} == {
        "aider-messages",
        "anthropic",
        "claude-apikey",
        "claude-bearer",
        "claude-count-tokens",
        "llm-messages",
        "opencode-messages",
        "sdks-python",
    }
