"""Operators in the billing role see how business went, and each look is in the trail."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from monkey_coder_server.domain.operators import OperatorRole
from packages.server.tests.features.accounts.people import Person, appointed
from packages.server.tests.features.accounts.test_operators import ask, refusal

pytestmark = pytest.mark.asyncio(loop_scope="module")
PATH = "/v1/operator/business"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def billing(house: Any) -> AsyncIterator[Person]:
    yield await appointed(house, OperatorRole.BILLING)


@pytest.mark.parametrize("by", ["provider", "model", "plan", "customer", "day"])
async def test_business_is_told_by_what_is_asked(house: Any, billing: Person, by: str) -> None:
    await house.customer(usd=3)
    found = (await ask(house, billing, "GET", f"{PATH}?by={by}")).json()
    assert found["by"] == by
    assert (found["unexplained_revenue_usd"], found["unexplained_cost_usd"]) == ("0.00", "0.00")
    assert float(found["promotions_given_usd"]) >= 3
    assert set(found["losses_usd"]) == {"beyond_hold", "failed", "hedges", "corrections", "estimated"}


@pytest.mark.parametrize(
    "query", ["by=moon", "start=soon", "start=2026-02-02&end=2026-02-01", "start=2020-01-01&end=2026-01-01"]
)
async def test_what_cannot_be_asked_is_refused(house: Any, billing: Person, query: str) -> None:
    assert refusal(await ask(house, billing, "GET", f"{PATH}?{query}")) == (400, "invalid_request")


async def test_each_look_is_in_the_trail(house: Any, billing: Person) -> None:
    await ask(house, billing, "GET", f"{PATH}?start=2026-11-01&end=2026-11-30&by=day")
    pages = [page async for page in house.gateway.books.storage.audit.pages(None)]
    told = [each.entry for page in pages for each in page if each.entry.action == "business.look"]
    assert told[-1].details == "2026-11-01 to 2026-11-30 by day"
    assert told[-1].actor == f"operator:{billing.user.user_id}"


async def test_prices_are_told_as_a_plan_pays_them(house: Any, billing: Person) -> None:
    shown = (await ask(house, billing, "GET", "/v1/operator/prices?plan=prepaid&provider=openai")).json()
    assert all(each["model"].startswith("openai/") for each in shown["prices"])
    assert shown["plan"] == "prepaid"
    refused = await ask(house, billing, "GET", "/v1/operator/prices?plan=gold")
    assert refusal(refused) == (400, "invalid_request")
