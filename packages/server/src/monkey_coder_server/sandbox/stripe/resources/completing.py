"""What a customer's click on a session's page sets off."""

from dataclasses import dataclass

from monkey_coder_server.sandbox.stripe.account import Account, Object
from monkey_coder_server.sandbox.stripe.refusals import invalid
from monkey_coder_server.sandbox.stripe.resources import (
    billing,
    charging,
    customers,
    drafting,
    payment_methods,
    setup_intents,
    subscriptions,
)


@dataclass(frozen=True, slots=True)
class Payer:
    """What somebody typed on the page; `bank`: `number` is an account to debit, not a card."""

    number: str
    email: str = "buyer@example.com"
    name: str = "Ada Buyer"
    bank: bool = False


def pay(account: Account, session: Object, payer: Payer) -> None:
    """Press Pay. Raises a card refusal when the bank says no: the page stays open.

    Afterwards the session is complete, or its intent `requires_action`: the bank wants to see the payer first.
    """
    if session["status"] != "open":
        raise invalid("This page is no longer open.")
    make = payment_methods.bank if payer.bank else payment_methods.card
    method = make(account, payer.number, name=payer.name, email=payer.email)
    customer = _customer(account, session, payer)
    if session["mode"] == "setup":
        _set_up(account, session, method, customer, payer)
        return
    intent = _intent(account, session, customer)
    session["_payer"] = payer
    if intent["status"] == "requires_action":
        intent["status"] = "requires_payment_method"
    charging.attempt(account, intent, method, away=False)
    after_bank(account, session)


def after_bank(account: Account, session: Object) -> None:
    """Finish the session once its intent is paid or on its way."""
    intent = account.objects[session["_intent"]]
    if intent["status"] not in {"succeeded", "processing"}:
        return
    payer: Payer = session["_payer"]
    _close(session, payer)
    if intent["status"] == "succeeded":
        _deliver(account, session, intent)
    else:
        account.when_settled[intent["id"]] = lambda: _arrived(account, session, intent)
    account.emit("checkout.session.completed", session)


def _arrived(account: Account, session: Object, intent: Object) -> None:
    if intent["status"] == "succeeded":
        _deliver(account, session, intent)
        account.emit("checkout.session.async_payment_succeeded", session)
    else:
        account.emit("checkout.session.async_payment_failed", session)


def _deliver(account: Account, session: Object, intent: Object) -> None:
    session["payment_status"] = "paid"
    plan, customer = session["_plan"], account.objects.get(session["customer"] or "")
    if session["mode"] == "subscription" and customer is not None:
        line = session["_line_items"][0]
        subscription = subscriptions.start(
            account,
            customer,
            line["price"],
            line["quantity"],
            intent=intent,
            metadata=plan["metadata"],
            description=plan["description"],
            automatic_tax=session["automatic_tax"]["enabled"],
        )
        session |= {"subscription": subscription["id"], "invoice": subscription["latest_invoice"]}
    elif plan["invoiced"] and customer is not None:
        session["invoice"] = _invoice(account, session, intent, customer)["id"]


def _invoice(account: Account, session: Object, intent: Object, customer: Object) -> Object:
    wish = drafting.Draft(
        customer=customer, automatic_tax=session["automatic_tax"]["enabled"], **session["_plan"]["invoice"]
    )
    invoice = drafting.draft(account, wish)
    for line in session["_line_items"]:
        price = line["price"]
        cents, quantity = price["unit_amount"], line["quantity"]
        item = account.new_id("ii")
        drafting.add_line(
            account,
            invoice,
            drafting.Line(
                description=line["description"], unit_cents=cents, quantity=quantity, price=price, source=item
            ),
        )
    account.emit("invoice.created", invoice)
    billing.finalize(account, invoice, intent=intent)
    return invoice


def _customer(account: Account, session: Object, payer: Payer) -> Object | None:
    """The session's customer; a new one where the session needs one and the page's answer makes it."""
    address = payment_methods.billing_details()["address"]
    if session["customer"] is not None:
        customer = account.objects[session["customer"]]
        if session["_keeps_address"] and customer["address"] is None:
            account.change(customer, "customer.updated", address=address)
        return customer
    plan = session["_plan"]
    if session["customer_creation"] == "always" or plan.get("setup_future_usage") or plan["invoiced"]:
        customer = customers.make(account, email=payer.email, name=payer.name, address=address)
        session["customer"] = customer["id"]
        return customer
    return None


def _intent(account: Account, session: Object, customer: Object | None) -> Object:
    if "_intent" not in session:
        plan, single = session["_plan"], session["mode"] == "payment"
        intent = charging.new_intent(
            account,
            amount=session["amount_total"],
            currency=session["currency"],
            customer=customer["id"] if customer else None,
            description=plan["description"] if single else "Subscription creation",
            metadata=dict(plan["metadata"]) if single else {},
            receipt_email=plan.get("receipt_email"),
            setup_future_usage=plan["setup_future_usage"] if single else "off_session",
            statement_descriptor_suffix=plan.get("statement_descriptor_suffix"),
        )
        session["_intent"] = intent["id"]
        if single:
            session["payment_intent"] = intent["id"]
    return account.objects[session["_intent"]]


def _set_up(account: Account, session: Object, method: Object, customer: Object | None, payer: Payer) -> None:
    plan = session["_plan"]
    intent = setup_intents.new(
        account,
        customer["id"] if customer else None,
        metadata=plan["metadata"],
        description=plan["description"],
    )
    session["setup_intent"] = intent["id"]
    setup_intents.succeed(account, intent, method)
    _close(session, payer)
    account.emit("checkout.session.completed", session)


def _close(session: Object, payer: Payer) -> None:
    details = payment_methods.billing_details(payer.name, payer.email)
    session |= {
        "customer_details": {
            "address": details["address"],
            "business_name": None,
            "email": payer.email,
            "individual_name": None,
            "name": payer.name,
            "phone": None,
            "tax_exempt": "none",
            "tax_ids": [],
        },
        "status": "complete",
        "url": None,
    }
