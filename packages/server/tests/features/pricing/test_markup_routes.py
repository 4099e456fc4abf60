"""Operators set markups over HTTP: checked, told in the trail, and seen by customers in the catalogue."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from monkey_coder_server.domain.operators import OperatorRole
from packages.server.tests.features.accounts.people import Person, appointed
from packages.server.tests.features.accounts.test_operators import age, ask, refusal

pytestmark = pytest.mark.asyncio(loop_scope="module")
WHY = "a summer of cheap models"
PATH = "/v1/operator/markups"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def billing(house: Any) -> AsyncIterator[Person]:
    yield await appointed(house, OperatorRole.BILLING)


async def price_of(house: Any, key: str, model: str) -> str:
    found = await house.client.get(f"/v1/models/{model}", headers={"x-api-key": key})
    price: str = found.json()["input_price_usd_per_mtok"]
    return price


async def test_a_markup_is_set_shown_charged_and_ended(house: Any, billing: Person) -> None:
    key = (await house.customer()).api_key
    before = await price_of(house, key, "openai/gpt-5")
    wish = {"basis_points": 0, "reason": WHY, "provider": "OpenAI", "model": "gpt-5"}
    made = await ask(house, billing, "POST", PATH, wish, idempotency_key="summer")
    assert made.status_code == 200, made.text
    assert (made.json()["provider"], made.json()["state"]) == ("openai", "in force")
    assert await price_of(house, key, "openai/gpt-5") != before
    listed = (await ask(house, billing, "GET", PATH)).json()["markups"]
    assert listed[0] == made.json()
    name = made.json()["markup_id"]
    ended = await ask(house, billing, "POST", f"{PATH}/{name}/end", {"reason": "autumn"})
    assert (ended.status_code, ended.json()["markup_id"]) == (200, name)
    assert await price_of(house, key, "openai/gpt-5") == before
    again = await ask(house, billing, "POST", f"{PATH}/{name}/end", {"reason": "autumn"})
    assert refusal(again) == (409, "conflict")
    assert (await ask(house, billing, "GET", PATH)).json()["markups"][0]["state"] == "over"
    pages = [page async for page in house.gateway.books.storage.audit.pages(None)]
    told = [(each.entry.action, each.entry.outcome) for page in pages for each in page if each.entry.target == name]
    assert [action for action, outcome in told if outcome == "done"] == ["markup.set", "markup.end"]


@pytest.mark.parametrize(
    ("wish", "names"),
    [
        ({"basis_points": -1}, "0 to 1000000"),
        ({"basis_points": 1_000_001}, "0 to 1000000"),
        ({"plan": "gold"}, "prepaid"),
        ({"provider": "acme"}, "anthropic"),
        ({"provider": "groq", "model": "gpt-5"}, "of groq; there are"),
        ({"model": "nothing-9"}, "more"),
        ({"starts_at": "2020-01-01"}, "past"),
        ({"starts_at": "tomorrow"}, "starts_at"),
        ({"starts_at": "2999-01-02", "ends_at": "2999-01-02"}, "end after it starts"),
        ({"reason": " "}, "reason"),
    ],
)
async def test_what_cannot_be_is_refused_with_what_there_is(
    house: Any, billing: Person, wish: dict[str, Any], names: str
) -> None:
    known = house.gateway.books.storage.markups.known
    refused = await ask(house, billing, "POST", PATH, {"basis_points": 100, "reason": WHY, **wish})
    assert refusal(refused) == (400, "invalid_request")
    assert names in refused.json()["detail"]
    assert house.gateway.books.storage.markups.known is known


async def test_the_end_of_a_markup_is_not_in_the_past_and_is_of_one_that_is(house: Any, billing: Person) -> None:
    wish = {"basis_points": 100, "reason": WHY, "plan": "prepaid", "starts_at": "2999-01-01"}
    made = (await ask(house, billing, "POST", PATH, wish)).json()
    assert made["state"] == "to come"
    place = f"{PATH}/{made['markup_id']}/end"
    refused = await ask(house, billing, "POST", place, {"reason": WHY, "ends_at": "2020-01-01"})
    assert refusal(refused) == (400, "invalid_request")
    missing = await ask(house, billing, "POST", f"{PATH}/markup_none/end", {"reason": WHY})
    assert refusal(missing) == (404, "not_found")
    ended = await ask(house, billing, "POST", place, {"reason": WHY})
    assert ended.json()["ends_at"] == made["starts_at"]


async def test_an_older_session_sets_no_markup_without_a_proof(house: Any, billing: Person) -> None:
    older = await appointed(house, OperatorRole.BILLING)
    await age(house, older)
    refused = await ask(house, older, "POST", PATH, {"basis_points": 100, "reason": WHY})
    assert refused.status_code == 403
    assert (await ask(house, older, "GET", PATH)).status_code == 200
