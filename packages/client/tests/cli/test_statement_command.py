"""`monkey statement`: the month's balance from beginning to end, and what moved it."""

import json
from collections.abc import Callable

from packages.client.tests.conftest import Ran
from packages.client.tests.fake_gateway import FakeGateway, reply

Monkey = Callable[..., Ran]
NANO = {
    "opening": 4_000_000_000,
    "granted": 1_000_000_000,
    "refunded": 1_230_000,
    "taken_back": 0,
    "expired": 500_000_000,
    "charged": 2_460_000,
    "closing": 4_498_770_000,
}
PAID = ("purchased", "included", "renewed", "restored", "paid_back", "disputed", "debt_paid")
USD = {
    "opening": "4",
    "granted": "1",
    "refunded": "0.00123",
    "taken_back": "0",
    "expired": "0.5",
    "charged": "0.00246",
    "closing": "4.49877",
}
MOVED = [
    ("2026-11-02T10:00:00+00:00", "grant", "1", 1_000_000_000, None),
    ("2026-11-03T10:00:00+00:00", "refund", "0.00123", 1_230_000, "req_1"),
    ("2026-11-04T00:00:00.123456+00:00", "expired", "-0.5", -500_000_000, None),
]
LINE = {
    "key_id": "key_1",
    "provider": "openai",
    "model": "gpt-5-mini",
    "requests": 2,
    "input_tokens": 2000,
    "output_tokens": 460,
    "charged_usd": "0.00246",
    "charged_nano": 2_460_000,
}


def statement(*, truncated: bool = False, empty: bool = False, paid: int = 0) -> dict[str, object]:
    """`paid` is what each of the figures of payments is, in dollars."""
    names = ("at", "kind", "amount_usd", "amount_nano", "request_id")
    return {
        "account_id": "acc_1",
        "month": "2026-11",
        "start": "2026-11-01T00:00:00+00:00",
        "end": "2026-12-01T00:00:00+00:00",
        "receipts": 2,
        "total_usd": "0.00246",
        "total_nano": 2_460_000,
        "lines": [] if empty else [LINE],
        "credit": {
            **{f"{name}_nano": amount for name, amount in NANO.items()},
            **{f"{name}_usd": amount for name, amount in USD.items()},
            **{f"{name}_nano": paid * 1_000_000_000 for name in PAID},
            **{f"{name}_usd": f"{paid}.00" for name in PAID},
            "movements": [] if empty else [dict(zip(names, moved, strict=True)) for moved in MOVED],
            "truncated": truncated,
        },
    }


SUMS = """\
month            2026-11
opening balance  $4.00
granted          $1.00
refunded         $0.00123
taken back       $0.00
expired          -$0.50
charged          -$0.00246
closing balance  $4.49877
"""
LISTS = """
when                 what        amount  request
2026-11-02 10:00:00  granted      $1.00  -
2026-11-03 10:00:00  refunded  $0.00123  req_1
2026-11-04 00:00:00  expired     -$0.50  -
{}
key    model              requests   charged
key_1  openai/gpt-5-mini         2  $0.00246
"""


def test_a_statement_shows_the_balance_from_beginning_to_end(monkey: Monkey, gateway: FakeGateway) -> None:
    gateway.on("/v1/billing/statement", reply(statement()), reply(statement()))
    assert monkey("statement", "--month", "2026-11").out == SUMS + LISTS.format("")
    assert gateway.seen[0].query == {"month": "2026-11"}
    assert json.loads(monkey("statement", "--json").out) == statement()
    assert gateway.seen[1].query == {}


def test_a_month_in_which_nothing_moved_is_its_sums(monkey: Monkey, gateway: FakeGateway) -> None:
    gateway.on("/v1/billing/statement", reply(statement(empty=True)))
    assert monkey("statement").out == SUMS


def test_it_is_told_when_not_every_movement_is_listed(monkey: Monkey, gateway: FakeGateway) -> None:
    gateway.on("/v1/billing/statement", reply(statement(truncated=True)))
    note = "\nOnly the first 3 movements are shown; the sums are of all.\n"
    assert monkey("statement").out == SUMS + LISTS.format(note)


def test_what_payments_moved_is_shown_where_they_moved_anything(monkey: Monkey, gateway: FakeGateway) -> None:
    gateway.on("/v1/billing/statement", reply(statement(empty=True, paid=2)))
    assert (
        monkey("statement").out
        == """\
month                   2026-11
opening balance         $4.00
granted                 $1.00
purchased               $2.00
included in plans       $2.00
free again of the line  $2.00
refunded                $0.00123
restored                $2.00
taken back              $0.00
paid back               -$2.00
disputed                -$2.00
debt paid               -$2.00
expired                 -$0.50
charged                 -$0.00246
closing balance         $4.49877
"""
    )
