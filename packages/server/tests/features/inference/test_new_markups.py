"""Markups hang on the plan; when one changes the next request pays it, and what was planned or quoted keeps its own."""

import asyncio

import pytest

from monkey_coder_server.domain.markup import MarkupRule, MarkupTable
from monkey_coder_server.domain.money import parse_usd
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import MARKUP, Gateway

MODEL = "openai/gpt-big"
COST = 100 * 10_000 + 20 * 30_000
PRO = 2_000
BY_PLAN = MarkupTable(MARKUP, (MarkupRule(basis_points=PRO, plan="pro"),))


def marked_up(basis_points: int) -> int:
    return COST * (10_000 + basis_points) // 10_000


def billed(gateway: Gateway) -> list[tuple[int, int]]:
    """What was charged, and by which markup, one after another."""
    return [(charge.charged, settlement.markup_basis_points) for settlement, charge in gateway.books.settled.values()]


async def test_each_plan_pays_its_own_markup_though_they_ask_the_same_at_once() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.openai())
    gateway.markups = BY_PLAN
    for plan in ("", "pro", "hobby", "pro"):
        gateway.plan = plan
        assert (await gateway.ask(model=MODEL)).status == 200
    usual, dear = (marked_up(MARKUP), MARKUP), (marked_up(PRO), PRO)
    assert billed(gateway) == [usual, dear, usual, dear]


async def test_the_very_next_request_pays_a_new_markup() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.openai())
    await gateway.ask(model=MODEL)
    gateway.markups = MarkupTable(0)
    await gateway.ask(model=MODEL)
    assert billed(gateway) == [(marked_up(MARKUP), MARKUP), (marked_up(0), 0)]


@pytest.mark.parametrize("path", ["/v1/execute", "/v1/execute/stream"])
async def test_a_request_in_flight_is_held_and_settled_at_the_markup_it_was_planned_with(path: str) -> None:
    gateway = Gateway()
    script = wires.openai_stream() if path.endswith("stream") else wires.openai()
    script.delay = 0.05
    gateway.wire.play("openai", script)
    asking = asyncio.create_task(gateway.ask(path, model=MODEL))
    await asyncio.sleep(0.02)
    gateway.markups = MarkupTable(1_000_000)
    assert (await asking).status == 200
    await gateway.settle_down()
    assert billed(gateway) == [(marked_up(MARKUP), MARKUP)]


async def test_a_quote_keeps_its_markup_over_the_change_and_over_another_plan() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.openai())
    quote = (await gateway.ask("/v1/quote", model=MODEL)).json
    gateway.markups, gateway.plan = MarkupTable(0, BY_PLAN.rules), "pro"
    assert (await gateway.ask(model=MODEL, quote_id=quote["quote_id"])).status == 200
    assert billed(gateway) == [(marked_up(MARKUP), MARKUP)]


async def test_a_quote_is_of_the_plans_prices() -> None:
    gateway = Gateway()
    gateway.markups = MarkupTable(0, (MarkupRule(basis_points=10_000, plan="pro"),))
    [usual] = (await gateway.ask("/v1/quote", model=MODEL)).json["routes"]
    gateway.plan = "pro"
    [dear] = (await gateway.ask("/v1/quote", model=MODEL)).json["routes"]
    assert parse_usd(dear["maximum_usd"]) == 2 * parse_usd(usual["maximum_usd"])
