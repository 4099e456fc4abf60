"""When prices change, the next request is billed by the new ones; what was planned or quoted keeps its own."""

import asyncio
from dataclasses import replace

from monkey_coder_server.domain.pricing import PriceBook, Rates
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import PRICES, Gateway, rows

MODEL = "openai/gpt-big"
OLD_COST = 100 * 10_000 + 20 * 30_000


def dearer(*, without: str = "") -> PriceBook:
    """Every price doubled; one model without any."""
    return PriceBook.of(
        replace(row, rates=Rates.of(input=2 * row.rates.input, output=2 * row.rates.output))
        for row in rows()
        if row.name != without
    )


async def test_the_very_next_request_is_billed_by_the_new_book() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.openai())
    await gateway.ask(model=MODEL)
    gateway.prices = dearer()
    await gateway.ask(model=MODEL)
    first, second = [settlement for settlement, _ in gateway.books.settled.values()]
    assert (first.provider_cost, second.provider_cost) == (OLD_COST, 2 * OLD_COST)
    assert second.price_book == gateway.prices.id != first.price_book


async def test_a_request_in_flight_is_billed_as_it_was_planned() -> None:
    gateway = Gateway()
    script = wires.openai()
    script.delay = 0.05
    gateway.wire.play("openai", script)
    asking = asyncio.create_task(gateway.ask(model=MODEL))
    await asyncio.sleep(0.02)
    gateway.prices = dearer()
    await asking
    ((settlement, _),) = gateway.books.settled.values()
    assert settlement.provider_cost == OLD_COST


async def test_a_quote_keeps_its_prices_over_the_change() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.openai())
    before = gateway.prices.id
    quote = (await gateway.ask("/v1/quote", model=MODEL)).json
    gateway.prices = dearer()
    answer = await gateway.ask(model=MODEL, quote_id=quote["quote_id"])
    assert answer.status == 200, answer.body
    ((settlement, _),) = gateway.books.settled.values()
    assert (settlement.provider_cost, settlement.price_book) == (OLD_COST, before)


async def test_a_model_that_lost_its_price_is_no_longer_served_and_comes_back_with_one() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.openai())
    gateway.prices = dearer(without=MODEL)
    answer = await gateway.ask(model=MODEL)
    assert (answer.status, answer.json["error_code"]) == (400, "price_unknown")
    gateway.prices = dearer()
    assert (await gateway.ask(model=MODEL)).status == 200


async def test_a_key_at_rest_stays_at_rest_over_the_change() -> None:
    gateway = Gateway(keys={"openai": ("sk-1",), "anthropic": (), "google": ()})
    gateway.wire.play("openai", wires.error(401))
    await gateway.ask(model=MODEL)
    gateway.prices = dearer()
    sent = len(gateway.wire.sent)
    assert (await gateway.ask(model=MODEL)).status >= 400
    assert len(gateway.wire.sent) == sent
    assert MODEL in PRICES
