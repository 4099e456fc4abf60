"""`monkey invoices`: months in a list, one with its lines, and what is due."""

import json
from collections.abc import Callable

import pytest

from packages.client.tests.conftest import Ran
from packages.client.tests.fake_gateway import FakeGateway, reply

Monkey = Callable[..., Ran]
HEAD = {
    "invoice_id": "inv_2026-11_acc_1",
    "month": "2026-11",
    "state": "open",
    "charged_usd": "12.345678901",
    "total_usd": "12.34",
    "currency": "USD",
    "made_at": "2026-12-01T06:00:00+00:00",
    "due_at": "2026-12-31T06:00:00+00:00",
    "paid_at": None,
    "hosted_url": "https://pay.example/in_1",
}
LINE = {
    "description": "openai/gpt-5, project web",
    "project_id": "web",
    "model": "openai/gpt-5",
    "exact_usd": "12.345678901",
    "total_usd": "12.34",
}


def test_months_are_listed_newest_first(monkey: Monkey, gateway: FakeGateway) -> None:
    gateway.on("/v1/billing/invoices", reply({"invoices": [HEAD], "count": 1}), reply({"invoices": [], "count": 0}))
    shown = monkey("invoices", "--month", "2026-11").out
    assert [word in shown for word in ("2026-11", "open", "12.345678901", "12.34", "inv_2026-11_acc_1")] == [True] * 5
    assert gateway.seen[-1].query == {"month": "2026-11"}
    assert "no invoices yet" in monkey("invoices").out


def test_one_is_shown_with_its_lines_and_where_it_is_paid(monkey: Monkey, gateway: FakeGateway) -> None:
    whole = {**HEAD, "lines": [LINE]}
    gateway.on("/v1/billing/invoices/inv_1", reply(whole), reply({**HEAD, "due_at": None, "lines": []}), reply(whole))
    shown = monkey("invoices", "show", "inv_1").out
    assert "2026-12-31" in shown
    assert "https://pay.example/in_1" in shown
    assert "openai/gpt-5, project web" in shown
    assert "due" not in monkey("invoices", "show", "inv_1").out
    assert json.loads(monkey("invoices", "show", "inv_1", "--json").out) == whole


@pytest.mark.parametrize("words", [("show",), ("inv_1",), ("list", "inv_1"), ("show", "inv_1", "--month", "2026-11")])
def test_other_words_are_usage_errors(monkey: Monkey, words: tuple[str, ...]) -> None:
    ran = monkey("invoices", *words)
    assert (ran.code, "show ID" in ran.err) == (2, True)
