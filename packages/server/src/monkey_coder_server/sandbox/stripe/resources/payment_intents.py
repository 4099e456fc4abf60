"""Payment intents: made and confirmed by a call when a customer is away, or by the hosted page."""

import re

from monkey_coder_server.sandbox.stripe.account import Account, Object
from monkey_coder_server.sandbox.stripe.listing import listed
from monkey_coder_server.sandbox.stripe.parameters import Parameters
from monkey_coder_server.sandbox.stripe.refusals import invalid, malformed
from monkey_coder_server.sandbox.stripe.resources import charging, payment_methods
from monkey_coder_server.sandbox.stripe.routing import Route

SMALLEST, LARGEST = 50, 99_999_999
CONFIRMABLE = {"requires_payment_method", "requires_confirmation", "requires_action"}
CANCELABLE = {*CONFIRMABLE, "processing"}
REASONS = ("abandoned", "duplicate", "fraudulent", "requested_by_customer")
_CLAUSE = re.compile(r"""^metadata\[['"]([^'"]+)['"]\]:['"]([^'"]*)['"]$""")


def create(account: Account, parameters: Parameters) -> Object:
    """`POST /v1/payment_intents`, confirmed at once with `confirm=true`."""
    amount = checked_amount(parameters.needed_number("amount"))
    customer = parameters.text("customer")
    if customer is not None:
        account.customer(customer)
    fields: Object = {
        "amount": amount,
        "currency": parameters.needed("currency").lower(),
        "customer": customer,
        "description": parameters.text("description"),
        "metadata": parameters.metadata(),
        "receipt_email": parameters.text("receipt_email"),
        "setup_future_usage": parameters.choice("setup_future_usage", ("off_session", "on_session")),
        "statement_descriptor_suffix": parameters.text("statement_descriptor_suffix"),
    }
    redirects = _automatic_methods(parameters, fields)
    method, confirm, away = _confirmation(account, parameters, customer, redirects=redirects)
    parameters.close()
    if method is None and confirm:
        raise invalid("You cannot confirm this PaymentIntent because it's missing a payment method.", "payment_method")
    intent = charging.new_intent(account, **fields)
    if method is not None:
        intent |= {"payment_method": method["id"], "status": "requires_confirmation"}
    if confirm and method is not None:
        charging.attempt(account, intent, method, away=away)
    return intent


def confirm(account: Account, parameters: Parameters, name: str) -> Object:
    """`POST /v1/payment_intents/{id}/confirm`."""
    intent = account.get("payment_intent", name, "intent")
    method, _, away = _confirmation(account, parameters, intent["customer"], redirects=True, confirms=True)
    parameters.close()
    if intent["status"] not in CONFIRMABLE:
        raise _unexpected(intent, "confirm")
    if method is None and intent["payment_method"] is None:
        raise invalid("You cannot confirm this PaymentIntent because it's missing a payment method.", "payment_method")
    charging.attempt(account, intent, method or account.objects[intent["payment_method"]], away=away)
    return intent


def cancel(account: Account, parameters: Parameters, name: str) -> Object:
    """`POST /v1/payment_intents/{id}/cancel`."""
    reason = parameters.choice("cancellation_reason", REASONS)
    parameters.close()
    intent = account.get("payment_intent", name, "intent")
    if intent["status"] not in CANCELABLE:
        raise _unexpected(intent, "cancel")
    void(account, intent, reason)
    return intent


def void(account: Account, intent: Object, reason: str | None) -> None:
    """End an intent that was not paid."""
    intent |= {
        "canceled_at": account.now(),
        "cancellation_reason": reason,
        "next_action": None,
        "status": "canceled",
    }
    account.emit("payment_intent.canceled", intent)


def checked_amount(cents: int) -> int:
    """What can be charged at all. Raises a refusal."""
    if cents < SMALLEST:
        raise invalid("Amount must be at least $0.50 usd", "amount", "amount_too_small")
    if cents > LARGEST:
        raise invalid("Amount must be no more than $999,999.99", "amount", "amount_too_large")
    return cents


def _automatic_methods(parameters: Parameters, fields: Object) -> bool:
    """Whether a method that sends the customer elsewhere could be chosen: then a way back is needed."""
    if "allowed_payment_method_types" in parameters:
        kinds = parameters.texts("allowed_payment_method_types")
        fields |= {"allowed_payment_method_types": kinds, "payment_method_types": kinds}
        return False
    part = parameters.part("automatic_payment_methods")
    enabled = part.flag("enabled", default=True)
    allowed = part.choice("allow_redirects", ("always", "never"), "always")
    fields["automatic_payment_methods"] = {"allow_redirects": allowed, "enabled": True} if enabled else None
    return enabled and allowed == "always"


def _confirmation(
    account: Account, parameters: Parameters, customer: str | None, *, redirects: bool, confirms: bool = False
) -> tuple[Object | None, bool, bool]:
    """The method, whether to charge it now, and whether its owner is away."""
    confirm = confirms or parameters.flag("confirm")
    away = parameters.flag("off_session")
    way_back = parameters.text("return_url")
    if "off_session" in parameters and not confirm:
        raise malformed("This parameter can only be used when `confirm` is true.", "off_session")
    if confirm and redirects and not away and way_back is None:
        message = (
            "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. Because some of "
            "these may redirect, you must provide a `return_url`, or set `automatic_payment_methods[allow_redirects]` "
            "to `never`."
        )
        raise invalid(message, "return_url")
    name = parameters.text("payment_method")
    method = payment_methods.found(account, name) if name is not None else None
    if method is not None:
        _check_owner(method, customer)
    return method, confirm, away


def _check_owner(method: Object, customer: str | None) -> None:
    if method["customer"] is not None and customer is None:
        message = "The payment method is attached to a customer so you must provide the customer in the request."
        raise invalid(message, "payment_method")
    if method["customer"] not in {None, customer}:
        raise invalid("The payment method does not belong to this customer.", "payment_method")


def _unexpected(intent: Object, verb: str) -> Exception:
    message = f"You cannot {verb} this PaymentIntent because it has a status of {intent['status']}."
    return invalid(message, code="payment_intent_unexpected_state")


def _retrieve(account: Account, parameters: Parameters, name: str) -> Object:
    parameters.close()
    return account.get("payment_intent", name, "intent")


def _list(account: Account, parameters: Parameters) -> Object:
    return listed(account, parameters, "payment_intent", ("customer",))


def _search(account: Account, parameters: Parameters) -> Object:
    wanted: dict[str, str] = {}
    for clause in parameters.needed("query").split(" AND "):
        spelled = _CLAUSE.match(clause.strip())
        if spelled is None:
            msg = f"The simulator searches metadata['name']:'value' only, not {clause}"
            raise malformed(msg, "query")
        wanted[spelled[1]] = spelled[2]
    limit = parameters.number("limit", 1) or 10
    parameters.close()
    hits = [
        item
        for item in reversed(account.all("payment_intent"))
        if all(item["metadata"].get(name) == value for name, value in wanted.items())
    ]
    return {
        "object": "search_result",
        "data": hits[:limit],
        "has_more": len(hits) > limit,
        "next_page": None,
        "url": "/v1/payment_intents/search",
    }


ROUTES = (
    Route("POST", "/v1/payment_intents", create),
    Route("GET", "/v1/payment_intents", _list),
    Route("GET", "/v1/payment_intents/search", _search),
    Route("GET", "/v1/payment_intents/{id}", _retrieve),
    Route("POST", "/v1/payment_intents/{id}/confirm", confirm),
    Route("POST", "/v1/payment_intents/{id}/cancel", cancel),
)
