"""A try to take money: the charge, the intent's new state, what Stripe holds, and what is told of it."""

from monkey_coder_server.sandbox.stripe import funds
from monkey_coder_server.sandbox.stripe.account import Account, Object, visible
from monkey_coder_server.sandbox.stripe.cards import ALWAYS, BANK_BOUNCES, CODES, SENTENCES, UNLESS_SET_UP
from monkey_coder_server.sandbox.stripe.periods import DAY
from monkey_coder_server.sandbox.stripe.refusals import declined
from monkey_coder_server.sandbox.stripe.resources import disputes, payment_methods

BANK_DAYS = 4


def new_intent(account: Account, **fields: object) -> Object:
    """A payment intent that waits for a method."""
    made = account.add(
        "pi",
        "payment_intent",
        {
            "amount_capturable": 0,
            "amount_details": {"tip": {}},
            "amount_received": 0,
            "application": None,
            "application_fee_amount": None,
            "automatic_payment_methods": None,
            "canceled_at": None,
            "cancellation_reason": None,
            "capture_method": "automatic_async",
            "client_secret": None,
            "confirmation_method": "automatic",
            "currency": "usd",
            "customer": None,
            "description": None,
            "last_payment_error": None,
            "latest_charge": None,
            "metadata": {},
            "next_action": None,
            "on_behalf_of": None,
            "payment_method": None,
            "payment_method_options": {},
            "payment_method_types": ["card", "us_bank_account"],
            "processing": None,
            "receipt_email": None,
            "review": None,
            "setup_future_usage": None,
            "shipping": None,
            "statement_descriptor": None,
            "statement_descriptor_suffix": None,
            "status": "requires_payment_method",
            "transfer_data": None,
            "transfer_group": None,
            **fields,
        },
    )
    made["client_secret"] = f"{made['id']}_secret_{made['id'][-12:]}"
    account.emit("payment_intent.created", made)
    return made


def attempt(account: Account, intent: Object, method: Object, *, away: bool, proven: bool = False) -> None:
    """Take the intent's money from a method. `away`: its owner is not there; `proven`: they showed who they are.

    Raises a card refusal, with the intent in it, when the bank says no; the intent then waits for another method.
    """
    intent["payment_method"] = method["id"]
    if method["type"] == "us_bank_account":
        _debit(account, intent, method)
        return
    bank = payment_methods.behaviour(account, method)
    asks = bank.asks == ALWAYS or (bank.asks == UNLESS_SET_UP and method["id"] not in account.set_up)
    if asks and not proven and not away:
        _ask(account, intent)
        return
    reason = bank.decline_code or ("authentication_required" if asks and not proven else "")
    if reason:
        _decline(account, intent, method, reason)
    _succeed(account, intent, method)
    _then(account, intent, bank.then)


def _ask(account: Account, intent: Object) -> None:
    intent["next_action"] = {
        "redirect_to_url": {"return_url": None, "url": f"{account.base_url}/bank/{intent['id']}"},
        "type": "redirect_to_url",
    }
    intent["status"] = "requires_action"
    account.emit("payment_intent.requires_action", intent)


def _succeed(account: Account, intent: Object, method: Object) -> None:
    charge = _charge(account, intent, method, "succeeded")
    if intent["setup_future_usage"] == "off_session":
        account.set_up.add(method["id"])
    if intent["setup_future_usage"] and intent["customer"]:
        payment_methods.attach_to(account, method, intent["customer"])
    _received(account, intent, charge)


def _received(account: Account, intent: Object, charge: Object) -> None:
    kind = "payment" if charge["payment_method_details"]["type"] == "us_bank_account" else "charge"
    movement = funds.move(account, kind, charge["amount"], charge["id"], fee=funds.fee_of(charge["amount"]))
    charge |= {"balance_transaction": movement["id"], "paid": True, "captured": True, "status": "succeeded"}
    charge["amount_captured"] = charge["amount"]
    account.emit("charge.succeeded", charge)
    intent |= {
        "amount_received": intent["amount"],
        "last_payment_error": None,
        "next_action": None,
        "processing": None,
        "status": "succeeded",
    }
    account.emit("payment_intent.succeeded", intent)


def _decline(account: Account, intent: Object, method: Object, reason: str) -> None:
    code = "authentication_required" if reason == "authentication_required" else CODES.get(reason, "card_declined")
    charge = _charge(account, intent, method, "failed")
    message = SENTENCES[reason]
    charge |= {"failure_code": code, "failure_message": message}
    account.emit("charge.failed", charge)
    refusal = declined(message, code, reason, charge=charge["id"])
    fail(account, intent, {**refusal.document, "payment_method": visible(method)})
    refusal.document |= {"payment_intent": visible(intent), "payment_method": visible(method)}
    raise refusal


def fail(account: Account, intent: Object, error: Object) -> None:
    """The intent waits for another method."""
    intent |= {
        "last_payment_error": error,
        "next_action": None,
        "payment_method": None,
        "processing": None,
        "status": "requires_payment_method",
    }
    account.emit("payment_intent.payment_failed", intent)


def prove(account: Account, intent: Object, *, passed: bool) -> None:
    """The owner was asked by their bank. Raises a refusal when they did not pass or the card is declined."""
    method = account.objects[intent["payment_method"]]
    if passed:
        attempt(account, intent, method, away=False, proven=True)
        return
    message = (
        "We are unable to authenticate your payment method. Please choose a different payment method and try again."
    )
    refusal = declined(message, "payment_intent_authentication_failure", "")
    fail(account, intent, dict(refusal.document))
    raise refusal


def _debit(account: Account, intent: Object, method: Object) -> None:
    charge = _charge(account, intent, method, "pending")
    account.emit("charge.pending", charge)
    if intent["setup_future_usage"] and intent["customer"]:
        payment_methods.attach_to(account, method, intent["customer"])
    intent["status"] = "processing"
    account.emit("payment_intent.processing", intent)
    account.later(BANK_DAYS * DAY, lambda: _arrive(account, intent, charge, method))


def _arrive(account: Account, intent: Object, charge: Object, method: Object) -> None:
    if account.numbers[method["id"]] == BANK_BOUNCES:
        message = "The customer's bank account could not be debited."
        charge |= {"status": "failed", "failure_code": "debit_not_authorized", "failure_message": message}
        account.emit("charge.failed", charge)
        error = {"code": "payment_intent_payment_attempt_failed", "message": message, "type": "card_error"}
        fail(account, intent, error)
    else:
        _received(account, intent, charge)
    account.when_settled.pop(intent["id"], _nobody_waits)()


def _nobody_waits() -> None:
    """Of a debit without a page or invoice."""


def _charge(account: Account, intent: Object, method: Object, status: str) -> Object:
    charge = account.add(
        "py" if method["type"] == "us_bank_account" else "ch",
        "charge",
        {
            "amount": intent["amount"],
            "amount_captured": 0,
            "amount_refunded": 0,
            "application": None,
            "application_fee": None,
            "application_fee_amount": None,
            "balance_transaction": None,
            "billing_details": method["billing_details"],
            "calculated_statement_descriptor": account.name.upper(),
            "captured": False,
            "currency": intent["currency"],
            "customer": intent["customer"],
            "description": intent["description"],
            "disputed": False,
            "failure_balance_transaction": None,
            "failure_code": None,
            "failure_message": None,
            "fraud_details": {},
            "metadata": dict(intent["metadata"]),
            "on_behalf_of": None,
            "outcome": None,
            "paid": False,
            "payment_intent": intent["id"],
            "payment_method": method["id"],
            "payment_method_details": {"type": method["type"], method["type"]: dict(method[method["type"]])},
            "receipt_email": intent["receipt_email"],
            "receipt_number": None,
            "receipt_url": None,
            "refunded": False,
            "review": None,
            "shipping": None,
            "source_transfer": None,
            "statement_descriptor": None,
            "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
            "status": status,
            "transfer_data": None,
            "transfer_group": None,
        },
    )
    charge["receipt_url"] = f"{account.base_url}/receipts/{charge['id']}"
    intent["latest_charge"] = charge["id"]
    return charge


def _then(account: Account, intent: Object, follows: str) -> None:
    charge = account.objects[intent["latest_charge"]]
    if follows in {"dispute", "inquiry"}:
        disputes.open_dispute(account, charge, inquiry=follows == "inquiry")
    elif follows == "fraud_warning":
        disputes.warn_of_fraud(account, charge)
