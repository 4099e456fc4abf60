"""Refunds: never more than was paid; some become certain, or fail, days later."""

from monkey_coder_server.sandbox.stripe import funds
from monkey_coder_server.sandbox.stripe.account import Account, Object
from monkey_coder_server.sandbox.stripe.listing import listed
from monkey_coder_server.sandbox.stripe.parameters import Parameters
from monkey_coder_server.sandbox.stripe.periods import DAY
from monkey_coder_server.sandbox.stripe.refusals import invalid
from monkey_coder_server.sandbox.stripe.resources import payment_methods
from monkey_coder_server.sandbox.stripe.routing import Route

REASONS = ("duplicate", "fraudulent", "requested_by_customer")
SETTLE_DAYS = 5


def create(account: Account, parameters: Parameters) -> Object:
    """`POST /v1/refunds`."""
    charge = _charge(account, parameters)
    cents = parameters.number("amount", 1)
    reason = parameters.choice("reason", REASONS)
    metadata = parameters.metadata()
    parameters.close()
    return refund(account, charge, cents, reason=reason, metadata=metadata)


def refund(
    account: Account, charge: Object, cents: int | None = None, *, reason: str | None, metadata: dict[str, str]
) -> Object:
    """Give back a part of a charge, or all that is left. Raises a refusal."""
    left = charge["amount"] - charge["amount_refunded"]
    if left <= 0:
        message = f"Charge {charge['id']} has already been refunded."
        raise invalid(message, code="charge_already_refunded")
    if any(not dispute["is_charge_refundable"] for dispute in account.all("dispute", charge=charge["id"])):
        msg = f"Charge {charge['id']} has been charged back; cannot issue a refund."
        raise invalid(msg, code="charge_disputed")
    amount = left if cents is None else cents
    if amount > left:
        message = f"Refund amount (${amount / 100:.2f}) is greater than unrefunded amount on charge (${left / 100:.2f})"
        raise invalid(message, "amount")
    made = _make(account, charge, amount, reason, metadata)
    _tell_of_creation(account, charge, made)
    return made


def _make(account: Account, charge: Object, amount: int, reason: str | None, metadata: dict[str, str]) -> Object:
    method = account.objects[charge["payment_method"]]
    fate = payment_methods.behaviour(account, method).refunds
    late = fate == "late" or method["type"] == "us_bank_account"
    made = account.add(
        "re",
        "refund",
        {
            "amount": amount,
            "balance_transaction": None,
            "charge": charge["id"],
            "currency": charge["currency"],
            "customer": charge["customer"],
            "destination_details": {"type": method["type"]},
            "metadata": metadata,
            "payment_intent": charge["payment_intent"],
            "payment_method": method["id"],
            "reason": reason,
            "receipt_number": None,
            "source_transfer_reversal": None,
            "status": "pending" if late else "succeeded",
            "transfer_reversal": None,
        },
    )
    kind = "payment_refund" if charge["id"].startswith("py_") else "refund"
    made["balance_transaction"] = funds.move(account, kind, -amount, made["id"])["id"]
    if late:
        account.later(SETTLE_DAYS * DAY, lambda: settle(account, made, failed=False))
    elif fate == "bounce":
        account.later(SETTLE_DAYS * DAY, lambda: settle(account, made, failed=True))
    return made


def _tell_of_creation(account: Account, charge: Object, made: Object) -> None:
    charge["amount_refunded"] += made["amount"]
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    account.emit("refund.created", made)
    account.emit("charge.refunded", charge, {"amount_refunded": charge["amount_refunded"] - made["amount"]})


def settle(account: Account, made: Object, *, failed: bool) -> None:
    """A refund becomes certain, or comes back because the customer's bank did not take it."""
    if not failed:
        account.change(made, "refund.updated", status="succeeded")
        account.emit("charge.refund.updated", made)
        return
    movement = funds.move(account, "refund_failure", made["amount"], made["id"])
    charge = account.objects[made["charge"]]
    charge["amount_refunded"] -= made["amount"]
    charge["refunded"] = False
    made |= {
        "failure_balance_transaction": movement["id"],
        "failure_reason": "expired_or_canceled_card",
        "status": "failed",
    }
    account.emit("refund.failed", made)
    account.emit("refund.updated", made)
    account.emit("charge.refund.updated", made)


def _charge(account: Account, parameters: Parameters) -> Object:
    intent = parameters.text("payment_intent")
    charge = parameters.text("charge")
    if (intent is None) == (charge is None):
        raise invalid("One of the following params should be provided for this request: payment_intent or charge.")
    if intent is not None:
        charge = account.get("payment_intent", intent, "payment_intent")["latest_charge"]
    found = account.get("charge", charge, "charge") if charge is not None else None
    if found is None or found["status"] != "succeeded":
        message = f"This PaymentIntent ({intent}) does not have a successful charge to refund."
        raise invalid(message, "payment_intent", "payment_intent_unexpected_state")
    return found


def _retrieve(account: Account, parameters: Parameters, name: str) -> Object:
    parameters.close()
    return account.get("refund", name, "refund")


def _list(account: Account, parameters: Parameters) -> Object:
    return listed(account, parameters, "refund", ("charge", "payment_intent"))


ROUTES = (
    Route("POST", "/v1/refunds", create),
    Route("GET", "/v1/refunds", _list),
    Route("GET", "/v1/refunds/{id}", _retrieve),
)
