"""Models under the names that agents take for a plain model, or for Claude."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.catalog import Capability, Catalog, Mode, ModelCard
from monkey_coder_server.domain.errors import ModelNotFound
from monkey_coder_server.domain.house_names import name_for_claude_code, plain_name

NAMES = ["openai/gpt-5", "anthropic/claude-sonnet-4-5", "groq/openai/gpt-oss-120b", "auto", "auto:cheap", "auto:best"]
CATALOG = Catalog(
    ModelCard(*name.split("/", 1), name, 1_000, 100, frozenset({Capability.TOOLS}), 1) for name in NAMES[:3]
)


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("mk-auto", "auto"),
        ("claude-mk-auto", "auto"),
        ("anthropic-mk-auto", "auto"),
        ("mk-auto-cheap", "auto:cheap"),
        ("claude-mk-auto:fast", "auto:fast"),
        ("mk-openai/gpt-5", "openai/gpt-5"),
        ("claude-opus-4-5", "claude-opus-4-5"),
        ("mkv", "mkv"),
    ],
)
def test_our_prefix_is_no_part_of_a_name(name: str, plain: str) -> None:
    assert plain_name(name) == plain


@pytest.mark.parametrize("name", NAMES)
def test_a_name_made_for_claude_code_is_one_it_lists_and_means_the_same_model(name: str) -> None:
    made = name_for_claude_code(name)
    assert re.match("^(claude|anthropic)", made)
    assert ":" not in made
    meant, plain = CATALOG.resolve(made), CATALOG.resolve(name)
    assert (meant.mode, meant.cards) == (plain.mode, plain.cards)
    assert meant.asked == made


def test_a_mode_of_auto_under_our_prefix() -> None:
    assert CATALOG.resolve("models/MK-Auto-Best").mode is Mode.BEST


def meaning(name: str) -> object:
    try:
        return CATALOG.resolve(name).cards
    except ModelNotFound:
        return None


@given(name=st.text("abgpt-5/:", min_size=1, max_size=8) | st.sampled_from(NAMES))
def test_a_prefix_neither_makes_a_model_nor_hides_one(name: str) -> None:
    assert meaning(f"mk-{name}") == meaning(plain_name(f"mk-{name}"))
