"""The life of an invoice from its draft on: open, paid or not, void; by whichever way it came to be."""

from monkey_coder_server.sandbox.stripe.account import Account, Object
from monkey_coder_server.sandbox.stripe.refusals import Refusal, invalid
from monkey_coder_server.sandbox.stripe.resources import charging, drafting, payment_intents, payment_methods


def finalize(account: Account, invoice: Object, *, intent: Object | None = None) -> None:
    """Number it and ask for the money: by an intent of its own, or the one that already has it."""
    if invoice["status"] != "draft":
        raise invalid("This invoice is already finalized, you can't re-finalize a non-draft invoice.")
    customer = account.objects[invoice["customer"]]
    number = customer["next_invoice_sequence"]
    customer["next_invoice_sequence"] = number + 1
    invoice |= {
        "automatically_finalizes_at": None,
        "effective_at": account.now(),
        "ending_balance": 0,
        "hosted_invoice_url": f"{account.base_url}/i/{invoice['id']}",
        "invoice_pdf": f"{account.base_url}/i/{invoice['id']}/pdf",
        "number": f"{customer['invoice_prefix']}-{number:04}",
        "status": "open",
    }
    invoice["status_transitions"] = invoice["status_transitions"] | {"finalized_at": account.now()}
    account.emit("invoice.finalized", invoice)
    if invoice["total"] == 0:
        _paid(account, invoice)
        return
    asked = intent or charging.new_intent(
        account,
        amount=invoice["total"],
        customer=invoice["customer"],
        description=f"Payment for Invoice {invoice['number']}",
        setup_future_usage="off_session" if invoice["parent"] else None,
    )
    _ask(account, invoice, asked)
    if intent is None and invoice["due_date"] is not None:
        account.later(max(0, invoice["due_date"] - account.now()), lambda: _overdue(account, invoice))
    if intent is not None and intent["status"] == "succeeded":
        _paid(account, invoice)


def _ask(account: Account, invoice: Object, intent: Object) -> None:
    account.add(
        "inpay",
        "invoice_payment",
        {
            "amount_paid": None,
            "amount_requested": invoice["total"],
            "currency": invoice["currency"],
            "invoice": invoice["id"],
            "is_default": True,
            "payment": {"payment_intent": intent["id"], "type": "payment_intent"},
            "status": "open",
            "status_transitions": {"canceled_at": None, "paid_at": None},
        },
    )


def advance(account: Account, invoice: Object) -> None:
    """What Stripe does by itself with a draft an hour after it was made."""
    if invoice["status"] == "draft" and invoice["auto_advance"]:
        finalize(account, invoice)
        collect(account, invoice)


def collect(account: Account, invoice: Object) -> None:
    """Send it, or charge it; a decline is told, not raised."""
    if invoice["status"] != "open":
        return
    if invoice["collection_method"] == "send_invoice":
        account.emit("invoice.sent", invoice)
        return
    try:
        pay(account, invoice, None, away=True)
    except Refusal:
        return


def pay(account: Account, invoice: Object, method: Object | None, *, away: bool) -> None:
    """Take the money from a method, or from the one charged by default. Raises a card refusal."""
    if invoice["status"] not in {"open", "uncollectible"}:
        msg = f"Invoice is {invoice['status']}; it cannot be paid."
        raise invalid(msg, code="invoice_not_editable")
    chosen = method or default_method(account, invoice)
    invoice |= {"attempt_count": invoice["attempt_count"] + 1, "attempted": True}
    if chosen is None:
        account.emit("invoice.payment_failed", invoice)
        message = "There is no `default_payment_method` set on this Customer or Invoice."
        raise invalid(message, "payment_method", "resource_missing")
    intent = intent_of(account, invoice)
    try:
        charging.attempt(account, intent, chosen, away=away)
    except Refusal:
        account.emit("invoice.payment_failed", invoice)
        raise
    if intent["status"] == "requires_action":
        account.when_settled[intent["id"]] = lambda: settled(account, invoice)
        account.emit("invoice.payment_action_required", invoice)
    elif intent["status"] == "processing":
        account.when_settled[intent["id"]] = lambda: settled(account, invoice)
    else:
        _paid(account, invoice)


def settled(account: Account, invoice: Object) -> None:
    """The bank answered later."""
    if intent_of(account, invoice)["status"] == "succeeded":
        _paid(account, invoice)
    else:
        account.emit("invoice.payment_failed", invoice)


def intent_of(account: Account, invoice: Object) -> Object:
    """The intent that asks for an invoice's money."""
    payment = account.all("invoice_payment", invoice=invoice["id"])[0]
    return account.objects[payment["payment"]["payment_intent"]]


def default_method(account: Account, invoice: Object) -> Object | None:
    """What an invoice is charged on when nobody says."""
    of_plan = None
    if invoice["parent"]:
        name = invoice["parent"]["subscription_details"]["subscription"]
        of_plan = account.objects[name]["default_payment_method"]
    of_customer = account.objects[invoice["customer"]]["invoice_settings"]["default_payment_method"]
    chosen = invoice["default_payment_method"] or of_plan or of_customer
    return None if chosen is None else payment_methods.of_customer(account, chosen, invoice["customer"])


def pay_elsewhere(account: Account, invoice: Object) -> None:
    """It was paid outside Stripe."""
    for payment in account.all("invoice_payment", invoice=invoice["id"]):
        payment_intents.void(account, account.objects[payment["payment"]["payment_intent"]], "automatic")
        payment |= {"status": "canceled"}
        payment["status_transitions"] = {"canceled_at": account.now(), "paid_at": None}
    _paid(account, invoice)


def void(account: Account, invoice: Object) -> None:
    """Take an invoice back."""
    if invoice["status"] not in {"open", "uncollectible"}:
        raise invalid("You can only pass in open invoices. This invoice isn't open.", code="invoice_not_editable")
    _mark(account, invoice, "void", "voided_at")
    payment_intents.void(account, intent_of(account, invoice), "void_invoice")
    account.emit("invoice.voided", invoice)


def give_up(account: Account, invoice: Object) -> None:
    """Nobody will pay it."""
    if invoice["status"] != "open":
        raise invalid("You can only pass in open invoices. This invoice isn't open.", code="invoice_not_editable")
    _mark(account, invoice, "uncollectible", "marked_uncollectible_at")
    account.emit("invoice.marked_uncollectible", invoice)


def _paid(account: Account, invoice: Object) -> None:
    for payment in account.all("invoice_payment", invoice=invoice["id"]):
        if payment["status"] == "open":
            payment |= {"amount_paid": payment["amount_requested"], "status": "paid"}
            payment["status_transitions"] = {"canceled_at": None, "paid_at": account.now()}
            account.emit("invoice_payment.paid", payment)
    _mark(account, invoice, "paid", "paid_at")
    drafting.reckon(account, invoice)
    invoice |= {"attempted": True, "next_payment_attempt": None}
    account.emit("invoice.paid", invoice)
    account.emit("invoice.payment_succeeded", invoice)


def _mark(account: Account, invoice: Object, status: str, moment: str) -> None:
    invoice["status"] = status
    invoice["status_transitions"] = invoice["status_transitions"] | {moment: account.now()}


def _overdue(account: Account, invoice: Object) -> None:
    if invoice["status"] == "open":
        account.emit("invoice.overdue", invoice)
