"""A vote over the simulators: two models outvote the third; all three are on the receipt and in both books."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from monkey_coder_server.domain.money import parse_usd
from tests.books_audit import billed, owed, payable
from tests.books_client import COMPLETED
from tests.books_house import Evidence, played
from tests.books_traffic import Ask

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("books"), pytest.mark.timeout(300)]
VOTERS = {"openai": "It is 41.", "anthropic": "**42**", "google": "So the answer is 42."}
SLOW = 300
"""Milliseconds until those speak that agree, so that nobody is stopped while it answers."""
EARLY = "openai"


def _ask(number: int, *, stream: bool) -> Ask:
    said = [
        f"[[sandbox provider={name} text='{text}' first_token_ms={0 if name == EARLY else SLOW}]]"
        for name, text in VOTERS.items()
    ]
    body: dict[str, Any] = {
        "task_type": "chat",
        "prompt": f"What is 40 and 2, variant {number}? {' '.join(said)}",
        "model": "auto",
        "preferred_providers": list(VOTERS),
        "model_preferences": {"openai": "gpt-4.1-mini", "anthropic": "claude-haiku-4-5", "google": "gemini-2.5-flash"},
        "orchestration_config": {"collapse_strategy": "vote", "execution_branches": 3},
    }
    return Ask(number, "vote", "any", "first", stream, body)


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evidence]:
    with played(tmp_path_factory.mktemp("vote"), [_ask(0, stream=False), _ask(1, stream=True)]) as found:
        yield found


def test_most_votes_are_kept_and_every_voter_is_told_and_charged(evidence: Evidence) -> None:
    for told in evidence.told:
        assert told.outcome == COMPLETED, told
        ran = told.body["orchestration_execution"]
        assert (ran["rule"], ran["branches_run"], ran["rule_met"]) == ("vote", 3, True)
        assert float(ran["agreement"]) == pytest.approx(2 / 3, abs=1e-4)
        assert ran["branches"][0]["provider"] != EARLY
        assert "42" in told.body["result"]["result"]
        assert sum(parse_usd(each["cost_usd"]) for each in ran["branches"]) == parse_usd(told.metadata["cost_usd"])
        assert parse_usd(told.metadata["cost_usd"]) <= parse_usd(told.metadata["held_usd"])


def test_the_books_are_those_of_the_simulators_and_receipts_list_the_branches(evidence: Evidence) -> None:
    assert evidence.verdict["sound"], evidence.verdict["details"]
    assert payable(evidence.books) == owed(evidence.tally)
    assert len(billed(evidence.tally)) == 2 * len(VOTERS)
    assert evidence.books.number("SELECT COUNT(*) FROM holds WHERE state = 'open'") == 0
    assert evidence.books.number("SELECT COUNT(*) FROM receipts") == 2
    branches = "SELECT COUNT(*) FROM receipts, json_each(body, '$.branches')"
    assert evidence.books.number(branches) == 2 * len(VOTERS), json.dumps(evidence.tally)[:2_000]
