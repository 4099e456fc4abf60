"""Limits on tokens and models: what a caller left open is fitted to them, models without room are passed over."""

import pytest

from monkey_coder_server.domain.limits import Holder, HolderKind, Limit, Period, Standing, Unit
from packages.server.tests.features.inference.gateway import Gateway
from packages.server.tests.features.inference.test_money import BIG, SMALL, everything_answers

KEY = Holder(HolderKind.KEY, "key_1")


def tokens(allowed: int, model: str = "") -> Standing:
    return Standing(Limit(KEY, Period.DAY, Unit.TOKENS, allowed, model))


def money(allowed: int, model: str = "") -> Standing:
    return Standing(Limit(KEY, Period.DAY, Unit.MONEY, allowed, model))


def limited(*standings: Standing) -> Gateway:
    gateway = Gateway()
    everything_answers(gateway)
    gateway.books.limits += standings
    return gateway


async def test_a_hold_says_how_many_tokens_and_which_models_it_is_for() -> None:
    gateway = limited()
    await gateway.ask(model=BIG, context={"max_tokens": 1_000})
    (request,) = gateway.books.asked
    assert request.models == (BIG,)
    assert 1_000 < request.tokens < 4_000


async def test_a_limit_on_tokens_lowers_what_the_caller_left_open() -> None:
    gateway = limited(tokens(3_000))
    answer = await gateway.ask(model=BIG)
    assert answer.status == 200, answer.body
    assert 256 <= gateway.wire.sent[0][2]["max_tokens"] < 3_000
    assert gateway.books.asked[-1].tokens <= 3_000


@pytest.mark.parametrize("context", [{"max_tokens": 4096}, {}])
async def test_a_limit_on_tokens_that_leaves_too_few_refuses_in_tokens(context: dict[str, int]) -> None:
    gateway = limited(tokens(200))
    refused = await gateway.ask(model=BIG, context=context)
    assert refused.status == 402
    assert refused.json["error_code"] == "budget_exceeded"
    assert "200 tokens per day, has 200 tokens left" in refused.json["message"]
    limit = refused.json["limit"]
    assert (limit["scope"], limit["period"], limit["unit"]) == ("key", "day", "tokens")
    assert (limit["limit_tokens"], limit["spent_tokens"], limit["available_tokens"]) == ("200", "0", "200")
    assert limit["resets_at"] == "2026-11-24T00:00:00+00:00"
    assert not gateway.wire.sent


@pytest.mark.parametrize("short", [money(1_000, BIG), tokens(10, BIG)])
async def test_a_model_whose_own_limit_has_no_room_is_passed_over(short: Standing) -> None:
    gateway = limited(short)
    answer = await gateway.ask(model="auto:best", context={"max_tokens": 4096})
    assert answer.status == 200, answer.body
    assert BIG not in gateway.books.asked[-1].models


async def test_a_model_asked_for_by_name_is_fitted_to_its_own_limit() -> None:
    gateway = limited(money(50_000_000, BIG))
    answer = await gateway.ask(model=BIG)
    assert answer.status == 200, answer.body
    assert gateway.books.asked[-1].amount <= 50_000_000


async def test_a_model_asked_for_by_name_without_room_is_refused_with_its_limit_named() -> None:
    gateway = limited(money(1_000, SMALL))
    refused = await gateway.ask(model=SMALL)
    assert refused.status == 402
    assert refused.json["limit"]["limit"] == "model_day_cap"
    assert SMALL in refused.json["message"]
    assert refused.json["limit_usd"] == "0.000001"
