"""Operators in the billing role: what they give, take back and see of prices."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from monkey_coder_server.domain.operators import OperatorRole
from monkey_coder_server.domain.plans import Plan
from packages.server.tests.features.accounts.people import Person, appointed, founder
from packages.server.tests.features.accounts.test_operators import age, ask, newest, refusal, trail

pytestmark = pytest.mark.asyncio(loop_scope="module")
WHY = "a goodwill"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def billing(house: Any) -> AsyncIterator[Person]:
    yield await appointed(house, OperatorRole.BILLING)


def place(account_id: str, what: str) -> str:
    return f"/v1/operator/accounts/{account_id}/{what}"


async def test_credit_is_given_to_any_account_once_a_key_and_told_there(house: Any, billing: Person) -> None:
    firm = await founder(house)
    wish = {"amount_usd": "12.50", "reason": WHY, "kind": "purchase", "priority": 7, "expires_days": 30}
    grants = place(firm.account_id, "grants")
    for _ in range(2):
        given = await ask(house, billing, "POST", grants, wish, idempotency_key="ticket 12")
        assert given.status_code == 200, given.text
        assert (given.json()["amount_usd"], given.json()["balance_usd"]) == ("12.50", "12.50")
    [standing] = (await ask(house, billing, "GET", grants)).json()["grants"]
    assert (standing["grant_id"], standing["kind"], standing["priority"]) == (given.json()["id"], "purchase", 7)
    assert standing["expires_at"] is not None
    looked, granted = (await trail(house, firm, firm.account_id))[:2]
    by = f"operator:{billing.user.user_id}"
    assert (looked["action"], looked["actor"]) == ("grants.look", by)
    assert (granted["action"], granted["actor"]) == ("credit.grant", by)
    assert granted["details"].startswith(
        f"{given.json()['id'].rpartition(':')[2]}: 12500000000 nano-dollars (purchase, 7, until "
    )
    assert granted["details"].endswith(WHY)


async def test_plans_are_seen_whole_and_the_look_is_noted(house: Any, billing: Person) -> None:
    hidden = Plan(plan_id="hidden", name="Hidden", listed=False, trial_credit=5)
    await house.gateway.books.storage.plans.put(hidden)
    body = (await ask(house, billing, "GET", "/v1/operator/plans")).json()
    assert body["plans"][0]["plan"] == "prepaid"
    [seen] = [each for each in body["plans"] if each["plan"] == "hidden"]
    assert (seen["listed"], seen["trial_credit_usd"], seen["included_priority"]) == (False, "0.000000005", 50)


async def test_a_grant_is_taken_back_and_no_more_of_it_than_was_given(house: Any, billing: Person) -> None:
    firm = await founder(house)
    given = await ask(house, billing, "POST", place(firm.account_id, "grants"), {"amount_usd": "5", "reason": WHY})
    wish = {"amount_usd": "2", "reason": WHY, "grant_id": given.json()["id"]}
    undone = await ask(house, billing, "POST", place(firm.account_id, "refunds"), wish)
    assert (undone.status_code, undone.json()["balance_usd"]) == (200, "3.00")
    assert undone.json()["id"] in (await trail(house, firm, firm.account_id))[0]["details"]
    wish["amount_usd"] = "4"
    refused = await ask(house, billing, "POST", place(firm.account_id, "refunds"), wish)
    assert refusal(refused) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("what", "body", "status"),
    [
        ("grants", {"amount_usd": "0", "reason": WHY}, 400),
        ("grants", {"amount_usd": "-1", "reason": WHY}, 400),
        ("grants", {"amount_usd": "1", "reason": " "}, 400),
        ("grants", {"amount_usd": "1", "reason": WHY, "kind": "refund"}, 400),
        ("grants", {"amount_usd": "1", "reason": WHY, "priority": -1}, 400),
        ("grants", {"amount_usd": "1", "reason": WHY, "expires_days": 0}, 400),
        ("refunds", {"amount_usd": "1", "reason": WHY}, 400),
        ("refunds", {"amount_usd": "1", "reason": WHY, "request_id": "a", "grant_id": "b"}, 400),
        ("refunds", {"amount_usd": "1", "reason": WHY, "grant_id": ""}, 404),
        ("refunds", {"amount_usd": "1", "reason": WHY, "request_id": "req_none"}, 404),
    ],
)
async def test_what_cannot_be_booked_is_refused(
    house: Any, billing: Person, what: str, body: dict[str, Any], status: int
) -> None:
    firm = await founder(house)
    refused = await ask(house, billing, "POST", place(firm.account_id, what), body)
    assert refused.status_code == status, refused.text
    assert (await house.gateway.books.storage.ledger.wallet(firm.account_id)).balance == 0


async def test_there_is_no_account_of_that_id(house: Any, billing: Person) -> None:
    wish = {"amount_usd": "1", "reason": WHY, "grant_id": "grant_1"}
    for what in ("grants", "refunds"):
        assert refusal(await ask(house, billing, "POST", place("acc_none", what), wish)) == (404, "not_found")


async def test_nobody_moves_money_of_their_own_account_or_organization(house: Any, billing: Person) -> None:
    mine = (await ask(house, billing, "POST", "/v1/organizations", {"name": "Mine"})).json()["organization_id"]
    wish = {"amount_usd": "1", "reason": WHY, "request_id": "req_1"}
    for account_id in (billing.user.account_id, mine):
        for what in ("grants", "refunds"):
            assert refusal(await ask(house, billing, "POST", place(account_id, what), wish)) == (403, "forbidden")


async def test_an_older_session_moves_money_with_a_proof_for_money_alone(house: Any, billing: Person) -> None:
    from monkey_coder_server.domain.confirmation import Action
    from monkey_coder_server.ports.tickets import Ticket, digest_of
    from monkey_coder_server.web.assurance import purpose_of

    firm, late, use = await founder(house), await appointed(house, OperatorRole.BILLING), house.gateway.books.accounts
    await age(house, late)
    session = await newest(house, late)
    wish = {"amount_usd": "1", "reason": WHY}
    for action, status in ((Action.OPERATOR, 403), (Action.KEYS, 403), (Action.MONEY, 200)):
        proof = f"proof for {action}"
        until = session.expires_at
        await use.tickets.issue(Ticket(digest_of(proof), purpose_of(action), session.session_id, until, ""))
        sent = await ask(house, late, "POST", place(firm.account_id, "grants"), wish, x_mk_confirmation=proof)
        assert sent.status_code == status, action


async def test_prices_are_those_of_the_book(house: Any, billing: Person) -> None:
    shown = (await ask(house, billing, "GET", "/v1/operator/prices")).json()
    assert len(shown["prices"]) > 20
    assert any(each["model"].startswith("openai/") for each in shown["prices"])
    assert shown["markup_basis_points"] >= 0
