"""What operators see and do of customers' payments, each with a reason and told in the customer's trail."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from monkey_coder_server.domain.operators import OperatorRole
from packages.server.tests.features.accounts.people import Person, appointed
from packages.server.tests.features.accounts.test_operators import ask
from packages.server.tests.features.billing.buying.conftest import Shop

pytestmark = pytest.mark.asyncio(loop_scope="module")
USD = 1_000_000_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def billing(shop: Shop) -> AsyncIterator[Person]:
    yield await appointed(shop.house, OperatorRole.BILLING)


def place(account_id: str, what: str) -> str:
    return f"/v1/operator/accounts/{account_id}/{what}"


async def test_a_payment_is_seen_and_given_back_in_part_and_no_more_than_is_unspent(
    shop: Shop, billing: Person
) -> None:
    customer = await shop.bought(usd=20)
    await shop.buy(customer, usd=10)
    await shop.spend(customer, 5 * USD)
    shown = (await ask(shop.house, billing, "GET", place(customer.account_id, "payments"))).json()
    assert shown["count"] == 2
    first = next(each for each in shown["payments"] if each["amount_usd"] == "20.00")
    wish = {"amount_usd": "4", "reason": "a goodwill", "payment_id": first["payment_id"]}
    ordered = await ask(shop.house, billing, "POST", place(customer.account_id, "payments/refunds"), wish)
    assert ordered.status_code == 200, ordered.text
    assert [each["payment_id"] for each in ordered.json()["refunds"]] == [first["payment_id"]]
    assert await shop.balance(customer) == 21 * USD
    newest = (await shop.trail(customer))[0]
    assert (newest["action"], newest["actor"]) == ("refund.order", f"operator:{billing.user.user_id}")
    assert newest["details"].endswith("4.00 USD of 1 payments; a goodwill")
    wish = {"amount_usd": "16", "reason": "a goodwill", "payment_id": first["payment_id"]}
    refused = await ask(shop.house, billing, "POST", place(customer.account_id, "payments/refunds"), wish)
    assert refused.status_code == 409


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"amount_usd": "1", "reason": " "}, 400),
        ({"amount_usd": "0", "reason": "why"}, 400),
        ({"amount_usd": "1", "reason": "why", "payment_id": "pay_none"}, 404),
        ({"amount_usd": "1000", "reason": "why"}, 409),
    ],
)
async def test_what_cannot_be_given_back_is_refused(
    shop: Shop, billing: Person, body: dict[str, str], status: int
) -> None:
    customer = await shop.bought(usd=20)
    refused = await ask(shop.house, billing, "POST", place(customer.account_id, "payments/refunds"), body)
    assert refused.status_code == status, refused.text
    assert await shop.balance(customer) == 20 * USD


async def test_there_is_no_account_of_that_id(shop: Shop, billing: Person) -> None:
    for method, what, body in (
        ("GET", "payments", None),
        ("POST", "payments/refunds", {"amount_usd": "1", "reason": "why"}),
        ("POST", "thaw", {"reason": "why"}),
    ):
        answer = await ask(shop.house, billing, method, place("acc_none", what), body)
        assert (answer.status_code, answer.json()["error_code"]) == (404, "not_found"), what


async def test_nobody_gives_back_or_thaws_for_themselves(shop: Shop, billing: Person) -> None:
    own = billing.user.account_id
    for what, body in (("payments/refunds", {"amount_usd": "1", "reason": "why"}), ("thaw", {"reason": "why"})):
        assert (await ask(shop.house, billing, "POST", place(own, what), body)).status_code == 403


async def test_an_account_under_a_fraud_warning_is_thawed_with_a_reason(shop: Shop, billing: Person) -> None:
    customer = await shop.bought(usd=20)
    paid = next(each for each in shop.bank.payments_made.values() if each.account_id == customer.account_id)
    await shop.use.books.book(replace(paid, early_fraud_warning=True))
    assert (await shop.use.books.standing(customer.account_id)).frozen == "fraud_warning"
    assert (
        await ask(shop.house, billing, "POST", place(customer.account_id, "thaw"), {"reason": ""})
    ).status_code == 400
    thawed = await ask(shop.house, billing, "POST", place(customer.account_id, "thaw"), {"reason": "called them"})
    assert thawed.json() == {"account_id": customer.account_id, "frozen": "", "debt_usd": "0.00"}
    newest = (await shop.trail(customer))[0]
    assert (newest["action"], newest["details"]) == ("account.thaw", "called them")
