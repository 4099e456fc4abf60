"""Executed under a quote, a request never costs more than was quoted, whatever changes in between."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monkey_coder_server.domain.errors import FailureKind
from monkey_coder_server.domain.money import parse_usd
from monkey_coder_server.domain.pricing import PriceBook, Rates
from packages.server.tests.features.inference import gateway as worlds
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import PRICES, Answer, Gateway, rows

PROVIDERS = ("openai", "anthropic", "google")
ANSWERS = {"openai": wires.openai, "anthropic": wires.anthropic, "google": wires.gemini}
STREAMS = {"openai": wires.openai_stream, "anthropic": wires.anthropic_stream, "google": wires.gemini_stream}


@dataclass(frozen=True)
class Between:
    """What happens between quote and execution. Prices and markup are multiplied by a factor."""

    price: float
    markup: int
    failing: frozenset[str]
    beaten: frozenset[str]
    """Providers whose breakers open, so that the order of candidates changes."""


BETWEEN = st.builds(
    Between,
    price=st.sampled_from([0.1, 1.0, 7.5, 40.0]),
    markup=st.sampled_from([0, 500, 20_000]),
    failing=st.frozensets(st.sampled_from(PROVIDERS), max_size=2),
    beaten=st.frozensets(st.sampled_from(PROVIDERS), max_size=2),
)
ASKED = st.fixed_dictionaries(
    {},
    optional={
        "model": st.sampled_from(["auto", "auto:cheap", "auto:best", *PRICES]),
        "context": st.builds(lambda most: {"max_tokens": most}, st.integers(1, 600)),
        "max_cost": st.sampled_from(["0.05", "0.2", "3"]),
        "prompt": st.sampled_from(["hi", "create a REST API " * 50]),
    },
)


def book(factor: float) -> PriceBook:
    def times(rate: int) -> int:
        return int(rate * factor)

    return PriceBook.of(
        replace(row, rates=Rates.of(input=times(row.rates.input), output=times(row.rates.output))) for row in rows()
    )


async def executed(
    asked: Mapping[str, object], between: Between, *, prompt: int, output: int, stream: bool
) -> tuple[Gateway, dict[str, Any], Answer]:
    first = Gateway()
    quote = (await first.ask("/v1/quote", **asked)).json
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worlds, "MARKUP", between.markup)
        later = Gateway()
    later.prices = book(between.price)
    later.shelf.quotes.update(first.shelf.quotes)
    for provider in PROVIDERS:
        answer = (STREAMS if stream else ANSWERS)[provider](prompt=prompt, output=output)
        later.wire.play(provider, wires.error(500) if provider in between.failing else answer)
    now = asyncio.get_running_loop().time()
    for name in PRICES:
        for _ in range(3 if name.partition("/")[0] in between.beaten else 0):
            later.health.failed(name, FailureKind.SERVER_ERROR, now, began=now)
    path = "/v1/execute/stream" if stream else "/v1/execute"
    answer = await later.ask(path, quote_id=quote["quote_id"], **asked)
    await later.settle_down()
    return later, quote, answer


@given(
    asked=ASKED,
    between=BETWEEN,
    prompt=st.sampled_from([1, 100, 5_000_000]),
    output=st.sampled_from([1, 90, 10**6]),
    stream=st.booleans(),
)
@settings(max_examples=120, deadline=None)
def test_no_charge_exceeds_the_quoted_maximum_nor_that_of_a_route_that_kept_to_its_limit(
    asked: Mapping[str, object], between: Between, prompt: int, output: int, stream: bool
) -> None:
    later, quote, _ = asyncio.run(executed(asked, between, prompt=prompt, output=output, stream=stream))
    quoted = {f"{each['provider']}/{each['model']}": each for each in quote["routes"]}
    for settlement, charge in later.books.settled.values():
        route = quoted[f"{settlement.provider}/{settlement.model}"]
        assert charge.charged <= parse_usd(quote["maximum_usd"])
        if prompt <= 100 and output == 1:  # a provider that kept to what it was asked for
            assert charge.charged <= parse_usd(route["maximum_usd"])
        assert (settlement.price_book, settlement.markup_basis_points) == (quote["price_book"], 500)
    assert not later.books.open


async def test_another_quoted_route_serves_when_the_first_fails_at_its_own_quoted_price() -> None:
    between = Between(price=40.0, markup=20_000, failing=frozenset({"openai"}), beaten=frozenset())
    asked = {"model": "auto", "model_preferences": {"openai": "gpt-big"}}
    later, quote, answer = await executed(asked, between, prompt=100, output=20, stream=False)
    assert answer.status == 200, answer.body
    ((settlement, charge),) = later.books.settled.values()
    assert settlement.provider != "openai"
    assert charge.charged == settlement.price <= parse_usd(quote["maximum_usd"])


async def test_routes_that_came_to_need_more_than_was_quoted_are_not_used() -> None:
    gateway = Gateway()
    quote = (await gateway.ask("/v1/quote", model="openai/gpt-big", context={"max_tokens": 900})).json
    stored = gateway.shelf.quotes[quote["quote_id"]]
    less = stored.body.replace(b'"maximum":', b'"maximum":1,"quoted":')
    gateway.shelf.quotes[quote["quote_id"]] = replace(stored, body=less)
    answer = await gateway.ask(model="openai/gpt-big", context={"max_tokens": 900}, quote_id=quote["quote_id"])
    assert (answer.status, answer.json["error_code"]) == (402, "budget_exceeded")
    assert "more than the 0.000000001 USD quoted" in str(answer.json)
    assert not gateway.wire.sent


async def test_a_quote_of_an_older_gateway_is_asked_for_anew() -> None:
    gateway = Gateway()
    quote = (await gateway.ask("/v1/quote")).json["quote_id"]
    gateway.shelf.quotes[quote] = replace(gateway.shelf.quotes[quote], body=b'{"openai/gpt-big":{"markup":1}}')
    assert (await gateway.ask(quote_id=quote)).status == 404


async def test_what_requests_took_is_what_the_next_quote_expects() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.openai(prompt=777, output=55))
    before = (await gateway.ask("/v1/quote", model="openai/gpt-big")).json["routes"][0]
    for _ in range(6):
        await gateway.ask(model="openai/gpt-big")
    ((settlement, _), *_) = gateway.books.settled.values()
    after = (await gateway.ask("/v1/quote", model="openai/gpt-big")).json["routes"][0]
    assert before["learned_from"] == 0
    assert (after["learned_from"], after["expected_output_tokens"], after["input_tokens"]) == (6, 55, 777)
    assert parse_usd(after["expected_usd"]) == settlement.price
