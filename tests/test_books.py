"""Two thousand mixed requests against all seven simulators: our books and theirs agree to the nano-dollar."""

import json
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

import pytest

from monkey_coder_server.domain.money import parse_usd, usd
from tests.books_audit import billed, counted, owed, payable, undelivered, unmatched
from tests.books_client import COMPLETED, FAILED, LEFT, Told
from tests.books_house import CAP_USD, CREDIT, Evidence, played
from tests.books_traffic import PROVIDERS, TOTAL, traffic
from tests.conftest import SUMMARY

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("books"), pytest.mark.timeout(300)]

SEED = int(os.environ.get("BOOKS_SEED", "20261123"))


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evidence]:
    with played(tmp_path_factory.mktemp("books"), traffic(SEED)) as found:
        yield found


def test_everything_was_sent_and_answered(evidence: Evidence, record_property: Callable[[str, str], None]) -> None:
    record_property(SUMMARY, f"{_sent(evidence)}\n\n{_figures(evidence)}")
    assert len(evidence.told) == TOTAL
    assert not [told for told in evidence.told if told.outcome not in {COMPLETED, FAILED, LEFT}]
    assert not [told for told in evidence.told if told.status == 500 or told.error_code == "internal"]
    assert not [told for told in evidence.told if told.status == 429]


def test_entries_sum_to_zero_and_no_hold_is_open(evidence: Evidence) -> None:
    assert evidence.verdict["sound"], evidence.verdict["details"]
    assert not any(evidence.verdict["checks"].values())
    assert sum(parse_signed(amount) for amount in evidence.verdict["totals_usd"].values()) == 0
    assert evidence.books.number("SELECT SUM(amount) FROM entries") == 0
    assert evidence.books.number("SELECT COUNT(*) FROM holds WHERE state = 'open'") == 0
    assert evidence.books.number("SELECT SUM(held) FROM wallets") == 0


def parse_signed(text: str) -> int:
    """Nano-dollars of a USD decimal string that may be negative."""
    return -parse_usd(text[1:]) if text.startswith("-") else parse_usd(text)


def test_every_served_request_is_one_the_simulators_served(evidence: Evidence) -> None:
    lone, left = unmatched(evidence.rows, evidence.tally)
    assert not lone, f"in our books, with no answer of these figures at a simulator: {lone[:5]}"
    delivered = [entry for entry in left if not undelivered(entry)]
    assert len(billed(evidence.tally)) == len(left) + sum(1 for row in evidence.rows if row.status == "served")
    assert not delivered, f"served by a simulator, in no usage row of ours: {delivered[:5]}"


def test_no_usage_is_estimated(evidence: Evidence) -> None:
    assert not [row for row in evidence.rows if row.estimated]
    assert evidence.books.number("SELECT COUNT(*) FROM provider_costs WHERE estimated") == 0


def test_each_providers_bill_is_the_same_on_both_sides(evidence: Evidence) -> None:
    assert payable(evidence.books) == owed(evidence.tally)
    assert sum(row.provider_cost for row in evidence.rows) == sum(
        entry["cost_nanos"] for entry in billed(evidence.tally)
    )


def test_nobody_pays_for_a_failed_request(evidence: Evidence) -> None:
    assert not [row for row in evidence.rows if row.status != "served" and (row.price or row.charged)]
    rows = {row.request_id: row for row in evidence.rows}
    for told in evidence.told:
        if told.outcome == FAILED and told.request_id in rows:
            assert rows[told.request_id].status == "failed", told
    paid = """
        SELECT COUNT(*) FROM transactions t JOIN usage u USING (request_id)
        WHERE t.kind = 'settle' AND u.status <> 'served'
    """
    assert evidence.books.number(paid) == 0


def test_a_served_request_is_told_the_price_it_paid(evidence: Evidence) -> None:
    rows = {row.request_id: row for row in evidence.rows}
    completed = [told for told in evidence.told if told.outcome == COMPLETED]
    for told in completed:
        row = rows[told.metadata["request_id"]]
        assert (row.status, usd(row.price)) == ("served", told.metadata["cost_usd"])
        assert (0 if told.ask.kind == "moderation" else 1) <= row.price <= row.hold
    assert all(row.loss == 0 and row.price == row.charged for row in evidence.rows)


def test_balances_are_what_was_granted_less_what_was_charged(evidence: Evidence) -> None:
    charged: Counter[str] = Counter()
    for row in evidence.rows:
        charged[row.account_id] += row.charged
    expected = {account: parse_usd(CREDIT[name]) - charged[account] for name, account in evidence.accounts.items()}
    assert evidence.balances == expected
    assert evidence.balances[evidence.accounts["poor"]] >= 0
    capped = """
        SELECT settled FROM caps JOIN api_keys USING (key_id) WHERE period = 'total' AND cap_total IS NOT NULL
    """
    assert 0 < evidence.books.number(capped) <= parse_usd(CAP_USD)


def test_receipts_are_as_many_as_charges(evidence: Evidence) -> None:
    served = sum(1 for row in evidence.rows if row.status == "served")
    assert evidence.books.number("SELECT COUNT(*) FROM receipts") == served
    attempts = "SELECT COUNT(*) FROM receipts, json_each(body, '$.attempts') a WHERE a.value ->> 'outcome' = 'served'"
    assert evidence.books.number(attempts) == served
    assert evidence.verdict["checks"]["receipts_with_bad_signature"] == 0
    assert evidence.verdict["checks"]["broken_receipt_chains"] == 0


def test_a_repeated_id_is_answered_again_and_charged_once(evidence: Evidence) -> None:
    """The second sending gets the first one's answer; only after a failure, which served nothing, is it a first one."""
    sendings: dict[int, list[Told]] = defaultdict(list)
    for told in evidence.told:
        if told.ask.repeats:
            sendings[told.ask.number].append(told)
    assert len(sendings) >= 30
    served = [pair for pair in sendings.values() if pair[0].outcome == COMPLETED]
    assert len(served) >= 30
    for first, second in served:
        assert (first.replayed, second.outcome, second.replayed) == (False, COMPLETED, True), (first, second)
        assert first.body["execution_id"] == second.body["execution_id"]
    executions = Counter(
        told.body["execution_id"] for told in evidence.told if told.ask.repeats and told.outcome == COMPLETED
    )
    rows = Counter(row.request_id for row in evidence.rows if row.status == "served")
    assert all(rows[execution] == 1 for execution in executions)


def test_offered_tools_are_called_and_told(evidence: Evidence) -> None:
    asked = [told for told in evidence.told if told.ask.kind.startswith("tools") and told.outcome == COMPLETED]
    called = [told for told in asked if "tool_calls" in told.metadata]
    assert len(called) >= len(asked) // 2
    assert {told.ask.stream for told in called} == {False, True}
    for told in called:
        assert told.ask.body.get("tool_choice") != "none"
        for call in told.metadata["tool_calls"]:
            assert call["id"]
            assert call["name"] in {"write_file", "run_tests"}
            assert isinstance(json.loads(call["arguments"]), dict)


def test_the_traffic_reached_what_it_was_made_for(evidence: Evidence) -> None:
    """Hang-ups were hang-ups, faults led to failures and to other models, credit and caps ran out, caches were used."""
    outcomes = Counter((told.ask.kind.partition(",")[0], told.outcome) for told in evidence.told)
    assert outcomes["hang-up", LEFT] >= 100
    assert outcomes["no credit", FAILED] == 8
    assert {code for told in evidence.told if (code := told.error_code)} >= {
        "insufficient_credit",
        "budget_exceeded",
        "provider_error",
    }
    for kind in ("little credit", "capped key"):
        assert outcomes[kind, COMPLETED]
        assert outcomes[kind, FAILED]
    failed_over = [told for told in evidence.told if told.ask.kind.endswith("failover") and told.outcome == COMPLETED]
    assert len([told for told in failed_over if len(told.metadata["attempts"]) > 1]) >= 50
    assert outcomes["embeddings", COMPLETED] >= 40
    assert outcomes["embeddings", FAILED] >= 12
    assert outcomes["moderation", COMPLETED] == 10
    assert outcomes["responses", COMPLETED] >= 140
    assert outcomes["responses", FAILED] >= 30
    assert outcomes["responses", LEFT] >= 6
    asked = [str(entry["answer_id"]) for entry in billed(evidence.tally)]
    assert sum(answer.startswith("resp_") for answer in asked) >= 100
    used = evidence.tally["overall"]["tokens"]
    assert all(used[bucket] for bucket in ("cache_read", "cache_write_5m", "reasoning", "citation", "searches"))
    assert {entry["provider"] for entry in billed(evidence.tally)} == set(PROVIDERS)
    assert max(counted(entry).prompt for entry in billed(evidence.tally)) > 272_000


def _sent(evidence: Evidence) -> str:
    """What was sent, by provider and kind: completed / failed / left."""
    cells: Counter[tuple[str, str, str]] = Counter()
    for told in evidence.told:
        cells[told.ask.kind, told.ask.provider, told.outcome] += 1
    columns = [*PROVIDERS, "any"]
    kinds = sorted({kind for kind, _, _ in cells})
    head = f"{'completed/failed/left':24}" + "".join(f"{name:>12}" for name in columns)
    lines = [
        f"{kind:24}"
        + "".join(
            f"{'/'.join(str(cells[kind, name, outcome]) for outcome in (COMPLETED, FAILED, LEFT)):>12}"
            for name in columns
        )
        for kind in kinds
    ]
    return "\n".join([head, *lines])


def _figures(evidence: Evidence) -> str:
    """Both sides' figures, by provider."""
    ours, theirs = payable(evidence.books), owed(evidence.tally)
    answers = Counter(entry["provider"] for entry in billed(evidence.tally))
    lines = [f"{'provider':12}{'answers':>9}{'our books, nano-USD':>24}{'their tally':>20}{'difference':>12}"]
    for name in PROVIDERS:
        mine, told = ours.get(name, 0), theirs.get(name, 0)
        lines.append(f"{name:12}{answers[name]:>9}{mine:>24,}{told:>20,}{mine - told:>12,}")
    overall = evidence.tally["overall"]
    upstream = ", ".join(f"{overall[outcome]} {outcome}" for outcome in ("served", "error", "faulted", "abandoned"))
    rows = Counter(row.status for row in evidence.rows)
    in_all = evidence.books.number("SELECT SUM(amount) FROM entries")
    still_open = evidence.books.number("SELECT COUNT(*) FROM holds WHERE state = 'open'")
    return "\n".join(
        [
            *lines,
            f"usage rows: {rows['served']} served, {rows['failed']} failed; simulators: {upstream}",
            f"answers billed to us that nobody got: {len(unmatched(evidence.rows, evidence.tally)[1])}",
            f"all entries together: {in_all}; open holds: {still_open}",
        ]
    )
