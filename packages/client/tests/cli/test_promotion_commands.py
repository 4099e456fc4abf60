"""`monkey billing redeem` and `promotions`, and `client.payments` under them."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from packages.client.tests.conftest import Ran
from packages.client.tests.fake_gateway import FakeGateway, reply

Monkey = Callable[..., Ran]
PATH = "/v1/billing/promotions"
REDEEMED = {
    "promotion_id": "promo_1",
    "campaign": "Spring",
    "amount_usd": "5.00",
    "left_usd": "4.25",
    "redeemed_at": "2026-11-30T10:00:00+00:00",
    "expires_at": "2026-12-30T10:00:00+00:00",
}
GIVEN = {**REDEEMED, "left_usd": "5.00", "balance_usd": "7.50"}


def test_a_code_is_redeemed_and_the_balance_told(monkey: Monkey, gateway: FakeGateway) -> None:
    gateway.on(PATH, reply(GIVEN), reply(GIVEN))
    assert monkey("billing", "redeem", "SPRING-2026").out == (
        "Spring: $5.00 until 2026-12-30; your balance is $7.50.\n"
    )
    assert (gateway.seen[0].method, gateway.seen[0].body) == ("POST", {"code": "SPRING-2026"})
    assert gateway.seen[0].headers["idempotency-key"]
    assert json.loads(monkey("billing", "redeem", "SPRING-2026", "--json").out) == GIVEN


def test_a_code_that_is_refused_is_told_in_the_gateways_words(monkey: Monkey, gateway: FakeGateway) -> None:
    sentence = "This promotion is over."
    refusal = {"detail": sentence, "message": sentence, "error_code": "conflict", "status_code": 409}
    gateway.on(PATH, reply(refusal, status=409))
    ran = monkey("billing", "redeem", "SPRING-2026")
    assert ran.code != 0
    assert sentence in ran.err


def test_what_was_redeemed_is_listed_with_what_is_left(monkey: Monkey, gateway: FakeGateway) -> None:
    gateway.on(PATH, reply({"promotions": [REDEEMED], "count": 1}), reply({"promotions": [], "count": 0}))
    shown = monkey("billing", "promotions").out
    assert [word in shown for word in ("Spring", "$5.00", "$4.25", "2026-11-30", "2026-12-30")] == [True] * 5
    assert "Nothing was redeemed yet" in monkey("billing", "promotions").out


@pytest.mark.parametrize(
    ("call", "method", "answer"),
    [
        (lambda payments: payments.redeem("SPRING-2026"), "POST", GIVEN),
        (lambda payments: payments.promotions(), "GET", {"promotions": [REDEEMED], "count": 1}),
    ],
)
def test_each_call_is_one_request(
    connect: Callable[..., Any], gateway: FakeGateway, call: Callable[[Any], Any], method: str, answer: Any
) -> None:
    gateway.on(PATH, reply(answer))
    told = call(connect().payments)
    assert [(seen.method, seen.path) for seen in gateway.seen] == [(method, PATH)]
    assert msgspec.to_builtins(told) == answer
