"""`client.plans`: each call is one request, on the sync and on the async client."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from packages.client.tests.cli.test_invoice_commands import HEAD, LINE
from packages.client.tests.fake_gateway import FakeGateway, reply

PLAN = {
    "plan": "pro",
    "name": "Pro",
    "kind": "subscription",
    "monthly_fee_usd": "20.00",
    "included_credit_usd": "15.00",
    "credit_line_usd": "0.00",
    "offered_from": None,
    "offered_until": None,
}
MINE = {"plan": PLAN, "since": None, "until": None, "subscription": None, "credit_line": None}
CALLS: list[tuple[Callable[[Any], Any], str, Any]] = [
    (lambda plans: plans.list(), "/v1/billing/plans", {"plans": [PLAN], "count": 1}),
    (lambda plans: plans.current(), "/v1/billing/plan", MINE),
    (lambda plans: plans.invoices(), "/v1/billing/invoices", {"invoices": [HEAD], "count": 1}),
    (lambda plans: plans.invoice("inv_1"), "/v1/billing/invoices/inv_1", {**HEAD, "lines": [LINE]}),
]


@pytest.mark.parametrize(("call", "path", "answer"), CALLS)
def test_each_call_is_one_request(
    connect: Callable[..., Any], gateway: FakeGateway, call: Callable[[Any], Any], path: str, answer: Any
) -> None:
    gateway.on(path, reply(answer))
    told = call(connect().plans)
    assert [(seen.method, seen.path) for seen in gateway.seen] == [("GET", path)]
    assert msgspec.to_builtins(told) == answer


def test_a_month_is_asked_for_by_its_name(connect: Callable[..., Any], gateway: FakeGateway) -> None:
    gateway.on("/v1/billing/invoices", reply({"invoices": [], "count": 0}))
    assert connect().plans.invoices("2026-11").count == 0
    assert gateway.seen[0].query == {"month": "2026-11"}
