"""Every recorded Gemini request, and what Gemini CLI, opencode, aider and the SDK send, is read and goes everywhere."""

import gzip
import json
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from monkey_coder_server.dialects.gemini.front import GeminiFront
from monkey_coder_server.domain.catalog import ModelCard
from monkey_coder_server.domain.conversation import Text
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.features.inference.foreign_tools import without_foreign_tools
from monkey_coder_server.ports.front import Envelope, Inbound
from monkey_coder_server.providers import anthropic, google, openai

Record = dict[str, Any]

FRONT = GeminiFront()
KEPT = Path(__file__).parent / "requests" / "gemini.jsonl.gz"
REFUSED = "cachedContent"
CAN_DO = {"openai": 273, "anthropic": 266}
"""How many of them other providers' formats can say at least; the rest hold videos, or files in tool results."""


@cache
def records() -> tuple[Record, ...]:
    with gzip.open(KEPT, "rt", encoding="utf-8") as lines:
        return tuple(map(json.loads, lines))


def read(record: Record) -> Inbound:
    model = record["path"].rpartition("models/")[2].partition(":")[0]
    envelope = Envelope(headers={}, query={"alt": "sse"}, path_model=model, stream="stream" in record["path"])
    return FRONT.read(json.dumps(record["body"], ensure_ascii=False).encode(), envelope)


READABLE = [record for record in records() if REFUSED not in record["body"]]
each = pytest.mark.parametrize("record", READABLE, ids=[record["id"] for record in READABLE])


def card_of(model: str | None) -> ModelCard:
    return next((card for card in google.PROVIDER.cards if card.model == model), google.PROVIDER.cards[5])


@each
def test_it_is_passed_on_to_google_unchanged_but_for_what_is_named(record: Record) -> None:
    given = read(record)
    card = card_of(given.model)
    wire = google.PROVIDER.dialect.encode(given.request, card=card, key="k", stream=given.stream)
    sent, asked = json.loads(wire.body), json.loads(json.dumps(record["body"]))
    config, wanted = sent.pop("generationConfig"), asked.pop("generationConfig", {})
    limit = config.pop("maxOutputTokens")
    assert limit == min(wanted.pop("maxOutputTokens", card.max_output_tokens), card.max_output_tokens)
    dropped = {name.removeprefix("generationConfig.") for name in wire.dropped}
    assert {name: value for name, value in config.items() if name not in dropped} == {
        name: value for name, value in wanted.items() if name not in dropped
    }
    assert [_unsigned(content) for content in sent.pop("contents")] == [
        _unsigned(content) for content in asked.pop("contents")
    ]
    assert sent == asked


def _unsigned(content: Any) -> Any:
    """The turn without the word that stands for a missing proof."""
    word = "skip_thought_signature_validator"
    parts = [
        {name: value for name, value in part.items() if (name, value) != ("thoughtSignature", word)}
        for part in content["parts"]
    ]
    return {**content, "parts": parts}


@pytest.mark.parametrize("provider", [openai.PROVIDER, anthropic.PROVIDER], ids=lambda provider: provider.name)
def test_other_providers_are_told_all_that_was_said(provider: Any) -> None:
    told: Counter[str] = Counter()
    for record in READABLE:
        request, _ = without_foreign_tools(read(record).request, provider.dialect.name)
        request = replace(request, source=None)
        try:
            wire = provider.dialect.encode(request, card=provider.cards[1], key="k", stream=True)
        except InvalidRequest as refused:
            told[refused.message] += 1
            continue
        said = wire.body.decode()
        for message in request.messages:
            for part in message.parts:
                if isinstance(part, Text) and part.text.strip():
                    assert json.dumps(part.text, ensure_ascii=False)[1:-1] in said, record["id"]
        told["told"] += 1
    assert all(sentence.endswith(".") for sentence in told if sentence != "told")
    assert told["told"] >= CAN_DO[provider.name], told


def test_a_cache_of_another_account_is_refused() -> None:
    refused = [record for record in records() if REFUSED in record["body"]]
    assert len(refused) == 3
    for record in refused:
        with pytest.raises(InvalidRequest, match=REFUSED):
            read(record)


def test_no_request_was_left_out() -> None:
    agents = Counter(record["id"].rpartition("-")[0] for record in records())
    assert agents == {
        "google": 270,
        "gemini": 2,
        "gemini-auto-router": 3,
        "opencode-gemini": 3,
        "aider-gemini": 2,
        "sdks-python": 3,
    }
