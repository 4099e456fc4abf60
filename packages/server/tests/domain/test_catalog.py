"""A model name means the same thing in every spelling clients use."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monkey_coder_server.domain.catalog import Capability, Catalog, Kind, Mode, ModelCard
from monkey_coder_server.domain.errors import InvalidRequest, ModelNotFound


def card(provider: str, model: str, *aliases: str, tier: int = 2, kind: Kind = Kind.CHAT) -> ModelCard:
    able = frozenset({Capability.TOOLS})
    return ModelCard(provider, model, model, 128_000, 16_000, able, tier, aliases, kind=kind, inputs=3)


GPT = card("openai", "gpt-5", "gpt-5-2025-08-07")
GPT41 = card("openai", "gpt-4.1")
OSS = card("groq", "openai/gpt-oss-120b")
COMPOUND = card("groq", "groq/compound")
KIMI_GROQ = card("groq", "moonshotai/kimi-k2")
KIMI = card("moonshot", "kimi-k2")
GROK = card("xai", "grok-4", "grok-4-latest", "grok-4-0709")
SONNET = card("anthropic", "claude-sonnet-4-5", "Claude-Sonnet-4.5")
CATALOG = Catalog([GPT, GPT41, OSS, COMPOUND, KIMI_GROQ, KIMI, GROK, SONNET])
VECTORS = card("openai", "text-embedding-3-small", kind=Kind.EMBEDDINGS)
JUDGE = card("openai", "omni-moderation-latest", kind=Kind.MODERATION)
MIXED = Catalog([GPT41, VECTORS, JUDGE])


@pytest.mark.parametrize(
    ("name", "cards"),
    [
        ("gpt-5", [GPT]),
        ("GPT-5", [GPT]),
        ("openai/gpt-5", [GPT]),
        ("openai/gpt-5-2025-08-07", [GPT]),
        ("xai/grok-4", [GROK]),
        ("grok/grok-4-latest", [GROK]),
        ("openai/gpt-oss-120b", [OSS]),
        ("groq/openai/gpt-oss-120b", [OSS]),
        ("groq/gpt-oss-120b", [OSS]),
        ("gpt-oss-120b", [OSS]),
        ("groq/compound", [COMPOUND]),
        ("groq/groq/compound", [COMPOUND]),
        ("kimi-k2", [KIMI, KIMI_GROQ]),
        ("moonshot/kimi-k2", [KIMI]),
        (" models/claude-sonnet-4.5 ", [SONNET]),
    ],
)
def test_a_named_model_resolves_to_its_cards(name: str, cards: list[ModelCard]) -> None:
    selection = CATALOG.resolve(name)
    assert list(selection.cards) == cards
    assert selection.mode is Mode.PINNED
    assert not selection.historic


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        (None, Mode.BALANCED),
        ("", Mode.BALANCED),
        ("auto", Mode.BALANCED),
        ("Auto:Cheap", Mode.CHEAP),
        ("auto:fast", Mode.FAST),
        ("auto:best", Mode.BEST),
    ],
)
def test_auto_offers_every_card_in_its_mode(name: str | None, mode: Mode) -> None:
    selection = CATALOG.resolve(name)
    assert (selection.mode, selection.cards) == (mode, CATALOG.cards)


@pytest.mark.parametrize(
    ("name", "cards"),
    [
        ("gpt-4o", [GPT41]),
        ("openai/gpt-4o-2024-11-20", [GPT41]),
        ("claude-3-7-sonnet-latest", [SONNET]),
        ("claude-sonnet-4-5-20250929", [SONNET]),
    ],
)
def test_a_historic_name_leads_to_its_replacement_and_says_so(name: str, cards: list[ModelCard]) -> None:
    selection = CATALOG.resolve(name)
    assert (list(selection.cards), selection.historic) == (cards, True)


def test_an_old_name_that_is_still_served_is_not_replaced() -> None:
    old = card("openai", "gpt-4o")
    assert Catalog([old, GPT41]).resolve("gpt-4o").cards == (old,)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("gpt5", "openai/gpt-5"),
        ("anthropic/claude-sonet-4-5", "anthropic/claude-sonnet-4-5"),
        ("grok-44", "xai/grok-4"),
    ],
)
def test_an_unknown_model_is_refused_with_near_names(name: str, near: str) -> None:
    with pytest.raises(ModelNotFound, match=near) as caught:
        CATALOG.resolve(name)
    assert caught.value.facts == {"model": name}


@pytest.mark.parametrize("name", ["auto:nonsense", "zzzzzz", "x" * 500, "gemini-1.5-pro", "openai/"])
def test_a_name_near_nothing_points_to_the_list(name: str) -> None:
    with pytest.raises(ModelNotFound, match="GET /v1/models lists all names") as caught:
        CATALOG.resolve(name)
    assert len(caught.value.message) < 160


@given(st.text(max_size=60))
@settings(max_examples=100)
def test_any_text_resolves_or_is_refused_as_unknown(name: str) -> None:
    with suppress(ModelNotFound):
        assert CATALOG.resolve(name).cards


def test_providers_and_cards_are_found_by_alias() -> None:
    assert CATALOG.provider(" Grok ") == "xai"
    assert CATALOG.provider("perplexity") is None
    assert CATALOG.card("grok", "GROK-4-0709") is GROK
    assert CATALOG.card("openai", "grok-4") is None
    assert CATALOG.providers == ("openai", "groq", "moonshot", "xai", "anthropic")
    assert GROK.name == "xai/grok-4"


def test_a_model_is_found_among_its_own_kind_alone() -> None:
    assert MIXED.resolve("auto").cards == (GPT41,)
    assert MIXED.resolve("openai/text-embedding-3-small", Kind.EMBEDDINGS).cards == (VECTORS,)
    assert MIXED.resolve("auto", Kind.MODERATION).cards == (JUDGE,)
    assert MIXED.resolve("text-embedding-3-small", None).cards == (VECTORS,)
    assert MIXED.resolve("gpt-4o", None).cards == (GPT41,)


@pytest.mark.parametrize(
    ("name", "kind", "sentence"),
    [
        ("text-embedding-3-small", Kind.CHAT, "openai/text-embedding-3-small is a model for embeddings, not for chat"),
        ("gpt-4.1", Kind.EMBEDDINGS, "openai/gpt-4.1 is a model for chat, not for embeddings"),
        ("omni-moderation-latest", Kind.EMBEDDINGS, "is a model for moderation, not for embeddings"),
    ],
)
def test_a_model_of_another_kind_is_refused_with_a_sentence(name: str, kind: Kind, sentence: str) -> None:
    with pytest.raises(InvalidRequest, match=sentence):
        MIXED.resolve(name, kind)


def test_an_old_chat_model_does_not_come_back_as_another_kind() -> None:
    with pytest.raises(ModelNotFound):
        MIXED.resolve("gpt-4o", Kind.EMBEDDINGS)


def test_a_request_may_be_as_long_as_all_its_inputs() -> None:
    assert VECTORS.most_input_tokens == 384_000
