"""`monkey billing`: pages are opened or printed, and what is waited for is the credit, not the click."""

import json
import webbrowser
from collections.abc import Callable
from typing import Any

import pytest

from monkey_coder.cli import hosted_pages
from packages.client.tests.conftest import Ran
from packages.client.tests.fake_gateway import FakeGateway, reply

Monkey = Callable[..., Ran]
PAGE = {"checkout_url": "https://pay.example/1", "session_id": "chk_1", "expires_at": None}
PAID = {
    "payment_id": "pay_1",
    "at": "2026-11-30T10:00:00+00:00",
    "purpose": "credit",
    "state": "succeeded",
    "amount_usd": "25.00",
    "tax_usd": "0.00",
    "refunded_usd": "0.00",
    "refundable_usd": "25.00",
    "reference": "chk_1",
    "failure": "",
}
REFUND = {
    "refund_id": "rfd_1",
    "payment_id": "pay_1",
    "amount_usd": "10.00",
    "state": "pending",
    "reason": "",
    "ordered_at": "2026-11-30T11:00:00+00:00",
}
TOP_UP = {
    "threshold_usd": "5.00",
    "amount_usd": "25.00",
    "monthly_maximum_usd": "100.00",
    "state": "off",
    "charged_this_month_usd": "25.00",
    "failures_in_a_row": 3,
    "last_failure": "card_declined",
}


def listed(*payments: dict[str, Any]) -> dict[str, Any]:
    return {"payments": list(payments), "count": len(payments), "refundable_usd": "25.00"}


@pytest.fixture(autouse=True)
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The pages that were opened in a browser that is at hand."""
    pages: list[str] = []

    def show(url: str) -> bool:
        pages.append(url)
        return True

    monkeypatch.setattr(webbrowser, "open", show)
    monkeypatch.setattr(hosted_pages, "browser_at_hand", lambda _: True)
    monkeypatch.setattr(hosted_pages, "LOOK_SECONDS", 0.01)
    return pages


def test_credit_is_bought_on_a_page_that_opens(monkey: Monkey, gateway: FakeGateway, opened: list[str]) -> None:
    gateway.on("/v1/billing/checkout", reply(PAGE), reply(PAGE), reply(PAGE))
    assert monkey("billing", "credits", "25").out == "https://pay.example/1\n"
    assert opened == ["https://pay.example/1"]
    body = {"amount_usd": "25", "plan": None, "success_url": None, "cancel_url": None, "save_card": False}
    assert gateway.seen[0].body == body
    assert gateway.seen[0].headers["idempotency-key"]
    monkey("billing", "checkout", "--amount", "25", "--save-card", "--no-browser")
    assert gateway.seen[1].body == {**body, "save_card": True}
    assert json.loads(monkey("billing", "credits", "25", "--json").out) == PAGE
    assert opened == ["https://pay.example/1"]


def test_a_plan_is_bought_by_name(monkey: Monkey, gateway: FakeGateway) -> None:
    gateway.on("/v1/billing/checkout", reply(PAGE))
    assert monkey("billing", "checkout", "--plan", "pro").code == 0
    assert gateway.seen[0].body["plan"] == "pro"


@pytest.mark.parametrize(
    "words",
    [
        ("checkout",),
        ("checkout", "--amount", "5", "--plan", "pro"),
        ("checkout", "--plan", "pro", "--wait"),
        ("credits",),
        ("credits", "free"),
        ("refund",),
        ("refund", "everything"),
        ("top-up", "--below", "5"),
        ("top-up", "--off", "--amount", "5"),
    ],
)
def test_what_is_not_whole_is_a_mistake_of_usage(monkey: Monkey, gateway: FakeGateway, words: tuple[str, ...]) -> None:
    assert monkey("billing", *words).code == 2
    assert not gateway.seen


def test_waiting_ends_when_the_credit_is_there(monkey: Monkey, gateway: FakeGateway) -> None:
    gateway.on("/v1/billing/checkout", reply(PAGE), reply(PAGE))
    other, pending = {**PAID, "reference": "chk_0"}, {**PAID, "state": "pending"}
    gateway.on("/v1/billing/payments", *[reply(listed(*each)) for each in ((), (other,), (pending,), (PAID, other))])
    ran = monkey("billing", "credits", "25", "--wait")
    assert (ran.code, ran.out) == (0, "Paid $25.00; your balance is $4.99877.\n")
    assert "https://pay.example/1" in ran.err
    gateway.on("/v1/billing/payments", reply(listed(PAID)))
    document = json.loads(monkey("billing", "credits", "25", "--wait", "--json").out)
    assert (document["payment"], document["balance_usd"]) == (PAID, "4.99877")


def test_a_payment_that_fails_or_never_comes_is_exit_4(
    monkey: Monkey, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.on("/v1/billing/checkout", reply(PAGE), reply(PAGE))
    gateway.on("/v1/billing/payments", reply(listed({**PAID, "state": "failed", "failure": "card_declined"})))
    failed = monkey("billing", "credits", "25", "--wait")
    assert (failed.code, "card_declined" in failed.err) == (4, True)
    monkeypatch.setattr(hosted_pages, "PAYING_SECONDS", 0.0)
    gateway.on("/v1/billing/payments", reply(listed()))
    late = monkey("billing", "credits", "25", "--wait", "--json")
    assert (late.code, json.loads(late.out)["error"]["code"]) == (4, "not_paid")


def test_payments_and_refunds_are_tables(monkey: Monkey, gateway: FakeGateway) -> None:
    gateway.on("/v1/billing/payments", reply(listed({**PAID, "state": "failed", "failure": "card_declined"})))
    assert monkey("billing", "payments").out == (
        "when              for     state                     paid  given back  can be given back\n"
        "2026-11-30 10:00  credit  failed (card_declined)  $25.00       $0.00             $25.00\n"
    )
    gateway.on("/v1/billing/payments", reply(listed()))
    assert monkey("billing", "payments").out.startswith("Nothing was paid yet.")
    gateway.on("/v1/billing/refunds", *[reply({"refunds": [REFUND], "count": 1})] * 3)
    table = "when              refund  state    amount  reason\n2026-11-30 11:00  rfd_1   pending  $10.00       -\n"
    assert monkey("billing", "refund", "10", "--reason", "too much").out == table
    assert gateway.seen[-1].body == {"amount_usd": "10", "reason": "too much"}
    assert monkey("billing", "refund", "all").out == table
    assert gateway.seen[-1].body == {"amount_usd": "all", "reason": ""}
    assert monkey("billing", "refunds").out == table
    gateway.on("/v1/billing/refunds", reply({"refunds": [], "count": 0}))
    assert monkey("billing", "refunds").out == "Nothing was given back.\n"


def test_payments_and_refunds_are_read_page_by_page(monkey: Monkey, gateway: FakeGateway) -> None:
    gateway.on("/v1/billing/payments", reply({**listed(PAID), "next": "p2"}), reply(listed(PAID, PAID)))
    found = json.loads(monkey("billing", "payments", "--json").out)
    assert (found["count"], len(found["payments"]), found["next"]) == (3, 3, None)
    assert [each.query for each in gateway.seen[-2:]] == [{}, {"after": "p2"}]
    more = {"refunds": [REFUND], "count": 1, "next": "r2"}
    gateway.on("/v1/billing/refunds", reply(more), reply({"refunds": [REFUND], "count": 1}))
    assert monkey("billing", "refunds").out.count("rfd_1") == 2
    assert gateway.seen[-1].query == {"after": "r2"}


def test_the_card_and_the_portal(monkey: Monkey, gateway: FakeGateway, opened: list[str]) -> None:
    gateway.on(
        "/v1/billing/card",
        reply({"brand": "visa", "last_four": "4242", "expires": "2030-04"}),
        reply({"message": "The card is forgotten."}),
    )
    assert monkey("billing", "card").out == (
        "brand             visa\nlast four digits  4242\nexpires           2030-04\n"
    )
    assert monkey("billing", "card", "--remove").out == "The card is forgotten.\n"
    assert [seen.method for seen in gateway.seen] == ["GET", "DELETE"]
    page = {"session_url": "https://p", "portal_url": "https://p", "customer_id": "acc_1"}
    gateway.on("/v1/billing/portal", reply({**page, "expires_at": None, "created_at": "2026-11-30T10:00:00+00:00"}))
    assert monkey("billing", "portal").out == "https://p\n"
    assert opened == ["https://p"]


def test_automatic_top_up_is_set_shown_and_ended(monkey: Monkey, gateway: FakeGateway) -> None:
    gateway.on("/v1/billing/top-up", reply(TOP_UP), reply(TOP_UP), reply({"message": "Ended."}))
    ran = monkey("billing", "top-up", "--below", "5", "--amount", "25", "--monthly-maximum", "100")
    assert gateway.seen[0].method == "PUT"
    assert gateway.seen[0].body == {"threshold_usd": "5", "amount_usd": "25", "monthly_maximum_usd": "100"}
    assert (
        ran.out
        == monkey("billing", "top-up").out
        == (
            "automatic top-up    off\nbelow               $5.00\nbuys                $25.00\n"
            "at most a month     $100.00\ncharged this month  $25.00\nfailed in a row     3\n"
            "last failure        card_declined\n"
        )
    )
    assert monkey("billing", "top-up", "--off").out == "Ended.\n"
    assert gateway.seen[2].method == "DELETE"


def test_no_browser_at_hand_is_no_failure(
    monkey: Monkey, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(_url: str) -> bool:
        raise webbrowser.Error

    monkeypatch.setattr(webbrowser, "open", none)
    gateway.on("/v1/billing/checkout", reply(PAGE))
    ran = monkey("billing", "credits", "25")
    assert (ran.code, ran.out) == (0, "https://pay.example/1\n")
