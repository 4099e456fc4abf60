"""The mixed requests through two gateways on one PostgreSQL database: one set of books, equal to the simulators'.

A slice of them in the suite; `BOOKS_EVERY=1` sends all.
"""

import os
from collections import Counter
from collections.abc import Iterator

import pytest

from monkey_coder_server.domain.money import parse_usd, usd
from packages.server.tests.databases import new_database
from tests.books_audit import billed, owed, payable, undelivered, unmatched
from tests.books_client import COMPLETED, FAILED, LEFT
from tests.books_house import CAP_USD, CREDIT, Evidence, played
from tests.books_traffic import traffic
from tools.postgresql import Cluster

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("books of two"), pytest.mark.timeout(300)]

SEED = int(os.environ.get("BOOKS_SEED", "20261123"))
EVERY = int(os.environ.get("BOOKS_EVERY", "20"))


@pytest.fixture(scope="module")
def evidence(postgresql_server: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evidence]:
    data, asks = tmp_path_factory.mktemp("books"), traffic(SEED)[::EVERY]
    with new_database(postgresql_server) as url, played(data, asks, gateways=2, database=url) as found:
        yield found


def test_everything_was_answered_by_both(evidence: Evidence) -> None:
    assert not [told for told in evidence.told if told.outcome not in {COMPLETED, FAILED, LEFT}]
    assert not [told for told in evidence.told if told.status == 500 or told.error_code == "internal"]
    assert sum(told.outcome == COMPLETED for told in evidence.told) > len(evidence.told) // 2


def test_the_books_are_sound_and_hold_nothing(evidence: Evidence) -> None:
    assert evidence.verdict["sound"], evidence.verdict["details"]
    assert evidence.books.number("SELECT SUM(amount) FROM entries") == 0
    assert evidence.books.number("SELECT COUNT(*) FROM holds WHERE state = 'open'") == 0
    assert evidence.books.number("SELECT SUM(held) FROM wallets") == 0


def test_both_sides_have_the_same_answers_at_the_same_cost(evidence: Evidence) -> None:
    lone, left = unmatched(evidence.rows, evidence.tally)
    assert not lone
    assert not [entry for entry in left if not undelivered(entry)]
    assert payable(evidence.books) == owed(evidence.tally)
    assert sum(row.provider_cost for row in evidence.rows) == sum(
        entry["cost_nanos"] for entry in billed(evidence.tally)
    )


def test_what_was_told_was_charged_and_nobody_spent_more_than_they_had(evidence: Evidence) -> None:
    rows = {row.request_id: row for row in evidence.rows}
    for told in evidence.told:
        if told.outcome == COMPLETED:
            row = rows[told.metadata["request_id"]]
            assert (row.status, usd(row.price)) == ("served", told.metadata["cost_usd"])
    charged: Counter[str] = Counter()
    for row in evidence.rows:
        charged[row.account_id] += row.charged
    expected = {account: parse_usd(CREDIT[name]) - charged[account] for name, account in evidence.accounts.items()}
    assert evidence.balances == expected
    assert min(evidence.balances.values()) >= 0
    capped = (
        "SELECT SUM(settled) FROM caps JOIN api_keys USING (key_id) WHERE period = 'total' AND cap_total IS NOT NULL"
    )
    assert evidence.books.number(capped) <= parse_usd(CAP_USD)
