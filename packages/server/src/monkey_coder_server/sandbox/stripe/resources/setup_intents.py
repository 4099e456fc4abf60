"""Setup intents: a card kept for later, without a payment."""

from monkey_coder_server.sandbox.stripe.account import Account, Object
from monkey_coder_server.sandbox.stripe.listing import listed
from monkey_coder_server.sandbox.stripe.parameters import Parameters
from monkey_coder_server.sandbox.stripe.refusals import declined
from monkey_coder_server.sandbox.stripe.resources import payment_methods
from monkey_coder_server.sandbox.stripe.routing import Route


def new(account: Account, customer: str | None, *, metadata: dict[str, str], description: str | None) -> Object:
    """A setup intent that waits for a method."""
    made = account.add(
        "seti",
        "setup_intent",
        {
            "application": None,
            "automatic_payment_methods": None,
            "cancellation_reason": None,
            "client_secret": None,
            "customer": customer,
            "description": description,
            "flow_directions": None,
            "last_setup_error": None,
            "latest_attempt": None,
            "mandate": None,
            "metadata": metadata,
            "next_action": None,
            "on_behalf_of": None,
            "payment_method": None,
            "payment_method_options": {},
            "payment_method_types": ["card"],
            "single_use_mandate": None,
            "status": "requires_payment_method",
            "usage": "off_session",
        },
    )
    made["client_secret"] = f"{made['id']}_secret_{made['id'][-12:]}"
    account.emit("setup_intent.created", made)
    return made


def succeed(account: Account, intent: Object, method: Object) -> None:
    """The bank agreed to later charges. Raises a card refusal when it did not."""
    bank = payment_methods.behaviour(account, method)
    if not bank.attaches:
        refusal = declined("Your card was declined.", "card_declined", bank.decline_code)
        intent["last_setup_error"] = dict(refusal.document)
        account.emit("setup_intent.setup_failed", intent)
        raise refusal
    account.set_up.add(method["id"])
    intent |= {"payment_method": method["id"], "status": "succeeded", "last_setup_error": None}
    if intent["customer"]:
        payment_methods.attach_to(account, method, intent["customer"])
    account.emit("setup_intent.succeeded", intent)


def _retrieve(account: Account, parameters: Parameters, name: str) -> Object:
    parameters.close()
    return account.get("setup_intent", name, "intent")


def _list(account: Account, parameters: Parameters) -> Object:
    return listed(account, parameters, "setup_intent", ("customer", "payment_method"))


ROUTES = (
    Route("GET", "/v1/setup_intents", _list),
    Route("GET", "/v1/setup_intents/{id}", _retrieve),
)
