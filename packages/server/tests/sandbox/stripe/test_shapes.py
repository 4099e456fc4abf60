"""What the simulator answers carries every field the SDK's resource classes declare as always there."""

import types
from typing import Any, Literal, Union, get_args, get_origin

import pytest
import stripe
from stripe._object_classes import get_object_class

from packages.server.tests.sandbox.stripe.conftest import Seller

pytestmark = pytest.mark.system


def always_there(kind: type) -> dict[str, Any]:
    """Fields whose annotation leaves no room for their absence."""
    hints = {name: hint for name, hint in vars(kind).get("__annotations__", {}).items() if not name.startswith("_")}
    return {name: hint for name, hint in hints.items() if not _may_be_none(hint) and name != "OBJECT_NAME"}


def _may_be_none(hint: Any) -> bool:
    return get_origin(hint) in {Union, types.UnionType} and type(None) in get_args(hint)


def problems(answer: Any, kind: type, path: str) -> list[str]:
    """Where an answer differs from its class: absent, or of another plain type, or a word the class does not know."""
    found = []
    for name, hint in always_there(kind).items():
        here = f"{path}.{name}"
        value = answer[name] if name in answer else None  # noqa: SIM401 - no `get` on Stripe's objects
        if value is None:
            found.append(f"{here} is absent")
        elif isinstance(hint, type) and hint in {int, str, bool} and type(value) is not hint:
            found.append(f"{here} is no {hint.__name__}")
        elif get_origin(hint) is Literal and value not in get_args(hint):
            found.append(f"{here} is {value}, which is no known word")
        elif isinstance(hint, type) and issubclass(hint, stripe.StripeObject) and hint.__annotations__:
            found += problems(value, hint, here)
    return found


async def answers_of(seller: Seller) -> list[Any]:
    """One object of every kind, as the API answers it."""
    client = seller.client.v1
    customer = await seller.customer()
    session = await seller.session(customer=customer.id, invoice_creation={"enabled": True})
    done = seller.control.pay(session.id)
    plan = await seller.session("subscription", customer=customer.id)
    subscription = seller.control.pay(plan.id)["subscription"]
    await seller.session(mode="setup", customer=customer.id, currency="usd")
    setup = seller.control.pay(seller.control.find("checkout.session")[-1]["id"])["setup_intent"]
    intent = await seller.call(client.payment_intents.retrieve, done["payment_intent"])
    await seller.call(client.refunds.create, {"payment_intent": intent.id, "amount": 100})
    seller.control.open_dispute(intent.id)
    seller.control.warn_of_fraud(intent.id)
    item = {"customer": customer.id, "amount": 5, "currency": "usd"}
    return [
        customer,
        await seller.call(client.checkout.sessions.retrieve, session.id, {"expand": ["line_items"]}),
        intent,
        await seller.call(client.charges.retrieve, intent.latest_charge),
        (await seller.call(client.refunds.list)).data[0],
        (await seller.call(client.disputes.list)).data[0],
        (await seller.call(client.radar.early_fraud_warnings.list)).data[0],
        (await seller.call(client.payment_methods.list, {"customer": customer.id})).data[0],
        await seller.call(client.setup_intents.retrieve, setup),
        await seller.call(client.subscriptions.retrieve, subscription),
        await seller.call(client.invoices.retrieve, done["invoice"]),
        await seller.call(client.invoice_items.create, item),
        (await seller.call(client.invoice_payments.list)).data[0],
        (await seller.call(client.events.list)).data[0],
        (await seller.call(client.balance_transactions.list)).data[0],
        await seller.call(client.balance.retrieve),
        await seller.call(client.billing_portal.sessions.create, {"customer": customer.id}),
        await seller.call(client.products.retrieve, seller.control.find("product")[0]["id"]),
        await seller.call(client.prices.retrieve, seller.control.find("price")[0]["id"]),
    ]


async def test_every_object_is_complete_for_the_class_the_sdk_reads_it_with(seller: Seller) -> None:
    answers = await answers_of(seller)
    nested = [
        answers[1].line_items.data[0],
        answers[9]["items"].data[0],
        answers[9]["items"].data[0].plan,
        answers[10].lines.data[0],
    ]
    found = []
    for answer in [*answers, *nested]:
        kind = get_object_class("V1", answer.object)
        assert type(answer) is kind, answer.object
        found += problems(answer, kind, answer.object)
    assert found == []
    assert len({answer.object for answer in [*answers, *nested]}) == 23


def test_the_check_notices_what_is_missing_wrong_or_unknown() -> None:
    broken = stripe.Refund.construct_from({"id": "re_1", "object": "gift", "amount": "5"}, None)
    assert {
        "refund.amount is no int",
        "refund.object is gift, which is no known word",
        "refund.created is absent",
    } <= set(problems(broken, stripe.Refund, "refund"))
