"""The saved card, and the rule it is charged by."""

from typing import Any

import pytest

from packages.server.tests.features.accounts.people import stranger
from packages.server.tests.features.accounts.test_operators import age
from packages.server.tests.features.billing.buying.conftest import Shop

pytestmark = pytest.mark.asyncio(loop_scope="module")
RULE = {"threshold_usd": "10", "amount_usd": 25, "monthly_maximum_usd": "100"}


async def test_only_brand_last_four_and_expiry_of_a_card_are_shown(shop: Shop) -> None:
    customer = await shop.bought(save_card=True)
    shown = (await shop.ask(customer, "GET", "card")).json()
    assert shown == {"brand": "visa", "last_four": "4242", "expires": "2030-04"}


async def test_a_card_that_is_removed_is_gone_and_the_rule_with_it(shop: Shop) -> None:
    customer = await shop.bought(save_card=True)
    await shop.ask(customer, "PUT", "top-up", RULE)
    assert (await shop.ask(customer, "DELETE", "card")).status_code == 200
    for name in ("card", "top-up"):
        assert (await shop.ask(customer, "GET", name)).status_code == 404
        assert (await shop.ask(customer, "DELETE", name)).status_code == 404
    assert (await shop.trail(customer))[0]["action"] in {"card.remove", "top_up.remove"}


async def test_a_rule_is_shown_as_it_was_set(shop: Shop) -> None:
    customer = await shop.bought(save_card=True)
    assert (await shop.ask(customer, "GET", "top-up")).status_code == 404
    made = await shop.ask(customer, "PUT", "top-up", RULE)
    assert made.status_code == 200, made.text
    shown = (await shop.ask(customer, "GET", "top-up")).json()
    assert (
        shown
        == made.json()
        == {
            "threshold_usd": "10.00",
            "amount_usd": "25.00",
            "monthly_maximum_usd": "100.00",
            "state": "on",
            "charged_this_month_usd": "0.00",
            "failures_in_a_row": 0,
            "last_failure": "",
        }
    )
    newest = (await shop.trail(customer))[0]
    assert (newest["action"], newest["details"]) == ("top_up.set", "25.00 USD below 10.00, at most 100.00 a month")


async def test_without_a_card_there_is_no_rule(shop: Shop) -> None:
    for customer in (await shop.house.customer(usd=0), await shop.bought()):
        refused = await shop.ask(customer, "PUT", "top-up", RULE)
        assert (refused.status_code, refused.json()["error_code"]) == (409, "conflict")
        assert (await shop.ask(customer, "GET", "card")).status_code == 404


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"threshold_usd": "0"}, "threshold_usd"),
        ({"threshold_usd": "26"}, "threshold_usd"),
        ({"amount_usd": "4"}, "amount_usd"),
        ({"amount_usd": "25.001"}, "amount_usd"),
        ({"monthly_maximum_usd": "24"}, "monthly_maximum_usd"),
        ({"monthly_maximum_usd": "100001"}, "monthly_maximum_usd"),
    ],
)
async def test_a_rule_out_of_bounds_is_refused(shop: Shop, changes: dict[str, Any], names: str) -> None:
    customer = await shop.bought(save_card=True)
    refused = await shop.ask(customer, "PUT", "top-up", {**RULE, **changes})
    assert (refused.status_code, names in refused.json()["detail"]) == (400, True)


async def test_a_session_that_is_not_fresh_proves_itself_for_what_charges_a_card_or_gives_back(shop: Shop) -> None:
    person = await stranger(shop.house)
    await age(shop.house, person)
    for method, name, body in (("PUT", "top-up", RULE), ("POST", "refunds", {"amount_usd": "all"})):
        refused = await shop.client.request(method, f"/v1/billing/{name}", json=body, headers=person.alone)
        assert (refused.status_code, refused.json()["error_code"]) == (403, "confirmation_required"), name
    for method, name in (("DELETE", "top-up"), ("GET", "payments"), ("GET", "refunds")):
        answer = await shop.client.request(method, f"/v1/billing/{name}", headers=person.alone)
        assert answer.status_code in {200, 404}, name
