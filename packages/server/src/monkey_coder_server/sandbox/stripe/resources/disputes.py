"""Disputes and early fraud warnings: opened by what a card or a script says, decided by a script."""

from monkey_coder_server.sandbox.stripe import funds
from monkey_coder_server.sandbox.stripe.account import Account, Object
from monkey_coder_server.sandbox.stripe.listing import listed
from monkey_coder_server.sandbox.stripe.parameters import Parameters
from monkey_coder_server.sandbox.stripe.periods import DAY
from monkey_coder_server.sandbox.stripe.refusals import invalid
from monkey_coder_server.sandbox.stripe.routing import Route

DAYS_TO_ANSWER = 7


def open_dispute(
    account: Account, charge: Object, *, cents: int | None = None, reason: str = "fraudulent", inquiry: bool = False
) -> Object:
    """A bank asks the money back; an inquiry asks only why. A dispute withdraws at once."""
    if charge["disputed"] or charge["status"] != "succeeded":
        raise invalid("This charge cannot be disputed.")
    dispute = account.add(
        "du",
        "dispute",
        {
            "amount": charge["amount"] if cents is None else cents,
            "balance_transactions": [],
            "charge": charge["id"],
            "currency": charge["currency"],
            "enhanced_eligibility_types": [],
            "evidence": {"enhanced_evidence": {}},
            "evidence_details": {
                "due_by": account.now() + DAYS_TO_ANSWER * DAY,
                "enhanced_eligibility": {},
                "has_evidence": False,
                "past_due": False,
                "submission_count": 0,
                "submission_method": "not_submitted",
            },
            "is_charge_refundable": inquiry,
            "metadata": {},
            "network_reason_code": None,
            "payment_intent": charge["payment_intent"],
            "reason": reason,
            "status": "warning_needs_response" if inquiry else "needs_response",
        },
    )
    charge["disputed"] = True
    account.emit("charge.dispute.created", dispute)
    if not inquiry:
        _withdraw(account, dispute)
    return dispute


def escalate(account: Account, dispute: Object) -> None:
    """An inquiry becomes a dispute."""
    account.change(dispute, "charge.dispute.updated", status="needs_response", is_charge_refundable=False)
    _withdraw(account, dispute)


def decide(account: Account, dispute: Object, *, won: bool) -> None:
    """The bank decides; a lost dispute may be won later, on appeal. An inquiry is only closed."""
    if dispute["status"].startswith("warning"):
        dispute["status"] = "warning_closed"
    else:
        dispute["status"] = "won" if won else "lost"
    account.emit("charge.dispute.closed", dispute)
    if dispute["status"] == "won":
        _move(account, dispute, dispute["amount"], "dispute_reversal")
        account.emit("charge.dispute.funds_reinstated", dispute)


def warn_of_fraud(account: Account, charge: Object) -> Object:
    """The card network believes the payment was not its owner's."""
    warning = account.add(
        "issfr",
        "radar.early_fraud_warning",
        {
            "actionable": not charge["disputed"] and not charge["refunded"],
            "charge": charge["id"],
            "fraud_type": "made_with_stolen_card",
            "payment_intent": charge["payment_intent"],
        },
    )
    account.emit("radar.early_fraud_warning.created", warning)
    return warning


def _withdraw(account: Account, dispute: Object) -> None:
    _move(account, dispute, -dispute["amount"], "dispute", fee=funds.DISPUTE_FEE)
    account.emit("charge.dispute.funds_withdrawn", dispute)


def _move(account: Account, dispute: Object, cents: int, category: str, *, fee: int = 0) -> None:
    movement = funds.move(account, "adjustment", cents, dispute["id"], fee=fee, category=category)
    dispute["balance_transactions"] = [*dispute["balance_transactions"], dict(movement)]


def _retrieve(account: Account, parameters: Parameters, name: str) -> Object:
    parameters.close()
    return account.get("dispute", name, "dispute")


def _list(account: Account, parameters: Parameters) -> Object:
    return listed(account, parameters, "dispute", ("charge", "payment_intent"))


def _warning(account: Account, parameters: Parameters, name: str) -> Object:
    parameters.close()
    return account.get("radar.early_fraud_warning", name, "early_fraud_warning")


def _warnings(account: Account, parameters: Parameters) -> Object:
    return listed(account, parameters, "radar.early_fraud_warning", ("charge", "payment_intent"))


ROUTES = (
    Route("GET", "/v1/disputes", _list),
    Route("GET", "/v1/disputes/{id}", _retrieve),
    Route("GET", "/v1/radar/early_fraud_warnings", _warnings),
    Route("GET", "/v1/radar/early_fraud_warnings/{id}", _warning),
)
