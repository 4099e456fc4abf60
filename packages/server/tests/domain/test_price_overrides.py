"""An operator's prices replace the source's openly, or are refused with a sentence."""

from typing import Any

import pytest

from monkey_coder_server.domain.errors import PriceUnknown
from monkey_coder_server.domain.price_overrides import merge, override_row
from monkey_coder_server.domain.pricing import PriceRow, Rates, Tier

BASE = PriceRow(
    provider="perplexity", model="sonar", rates=Rates.of(input=1, output=1), source="genai-prices", own_cost_wins=True
)


def test_an_override_replaces_the_whole_row_and_names_what_it_replaced() -> None:
    row = override_row(
        "perplexity/sonar",
        {
            "input": "1.25",
            "output": 10,
            "cache_read": "0.125",
            "tiers": [{"above": 200_000, "input": "2.5", "output": "15"}],
            "fees": {"requests": "0.005"},
            "allowance": "0.1",
        },
        BASE,
    )
    assert row.rates == Rates.of(input=1_250_000_000, output=10_000_000_000, cache_read=125_000_000)
    assert row.tiers == (Tier(200_000, Rates.of(input=2_500_000_000, output=15_000_000_000)),)
    assert row.fees == {"requests": 5_000_000}
    assert row.allowance == 100_000_000
    assert row.source == "operator override of genai-prices"
    assert row.own_cost_wins


def test_rows_are_merged_and_new_ones_added() -> None:
    other = PriceRow(provider="openai", model="gpt-5", rates=Rates.of(input=2, output=2), source="genai-prices")
    rows = {("perplexity", "sonar"): BASE, ("openai", "gpt-5"): other}
    merged = {row.name: row for row in merge(rows, {"openai/new": {"free": True}, "perplexity/sonar": {"free": True}})}
    assert merged["openai/gpt-5"] is other
    assert merged["openai/new"].source == "operator"
    assert merged["openai/new"].free
    assert merged["perplexity/sonar"].source == "operator override of genai-prices"


def test_a_model_the_source_does_not_know_is_billed_by_the_operators_prices_alone() -> None:
    assert not override_row("perplexity/new", {"input": "1", "output": "1"}, None).own_cost_wins


def test_a_model_that_writes_nothing_is_overridden_without_an_output_price() -> None:
    replaced = PriceRow(provider="p", model="m", rates=Rates.of(input=1, output=0), input_only=True)
    row = override_row("p/m", {"input": "0.02", "tiers": [{"above": 9, "input": "0.03"}]}, replaced)
    assert row.input_only
    assert (row.rates, row.tiers[0].rates) == (
        Rates.of(input=20_000_000, output=0),
        Rates.of(input=30_000_000, output=0),
    )


@pytest.mark.parametrize(
    ("name", "stated", "why"),
    [
        ("sonar", {"free": True}, "must be named provider/model"),
        ("p/m", {"inptu": "1"}, "unknown field inptu"),
        ("p/m", {"free": "yes"}, "free = true or nothing"),
        ("p/m", {"input": "1"}, "needs both input and output"),
        ("p/m", {"input": 1.5, "output": "1"}, "as a decimal string"),
        ("p/m", {"input": True, "output": "1"}, "as a decimal string"),
        ("p/m", {"input": "nan", "output": "1"}, "wrong input"),
        ("p/m", {"input": "-1", "output": "1"}, "is negative"),
        ("p/m", {"input": "1", "output": "1", "fees": ["x"]}, "fees as a table"),
        ("p/m", {"input": "1", "output": "1", "tiers": {}}, "tiers as a list"),
        ("p/m", {"input": "1", "output": "1", "tiers": ["x"]}, "tiers as a table"),
        ("p/m", {"input": "1", "output": "1", "tiers": [{"input": "1", "output": "2"}]}, "whole number of tokens"),
        ("p/m", {"input": "1", "output": "1", "tiers": [{"above": True, "input": "1"}]}, "whole number of tokens"),
        ("p/m", {"input": "1", "output": "1", "tiers": [{"above": 9, "in": "1"}]}, "unknown field in in a tier"),
    ],
)
def test_a_wrong_override_is_refused_with_a_sentence(name: str, stated: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        override_row(name, stated, None)


def test_zero_is_not_a_price_unless_called_free() -> None:
    with pytest.raises(PriceUnknown, match="not called free"):
        override_row("p/m", {"input": "0", "output": "0"}, None)
