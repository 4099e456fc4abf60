"""Payment methods: cards, and bank accounts that are debited."""

from monkey_coder_server.sandbox.stripe.account import Account, Object
from monkey_coder_server.sandbox.stripe.cards import CARDS, TOKENS, Card
from monkey_coder_server.sandbox.stripe.listing import listed, page
from monkey_coder_server.sandbox.stripe.parameters import Parameters
from monkey_coder_server.sandbox.stripe.refusals import invalid, missing
from monkey_coder_server.sandbox.stripe.routing import Route

EXPIRY = (12, 2030)


def card(account: Account, number: str, *, name: str | None = None, email: str | None = None) -> Object:
    """A card by its number. Raises `KeyError` for one that is no test card."""
    kept = CARDS[number]
    details = {
        "brand": kept.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "US",
        "display_brand": kept.brand,
        "exp_month": EXPIRY[0],
        "exp_year": EXPIRY[1],
        "fingerprint": f"fp{number[-8:]}",
        "funding": "credit",
        "generated_from": None,
        "last4": number[-4:],
        "networks": {"available": [kept.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }
    return _make(account, "card", details, number, (name, email))


def bank(account: Account, number: str, *, name: str | None = None, email: str | None = None) -> Object:
    """A bank account that is debited days later."""
    details = {
        "account_holder_type": "individual",
        "account_type": "checking",
        "bank_name": "STRIPE TEST BANK",
        "financial_connections_account": None,
        "fingerprint": f"fp{number}",
        "last4": number[-4:],
        "networks": {"preferred": "ach", "supported": ["ach"]},
        "routing_number": "110000000",
        "status_details": {},
    }
    return _make(account, "us_bank_account", details, number, (name, email))


def _make(account: Account, kind: str, details: Object, number: str, owner: tuple[str | None, str | None]) -> Object:
    made = account.add(
        "pm",
        "payment_method",
        {
            "allow_redisplay": "unspecified",
            "billing_details": billing_details(*owner),
            "customer": None,
            "metadata": {},
            "type": kind,
            kind: details,
        },
    )
    account.numbers[made["id"]] = number
    return made


def billing_details(name: str | None = None, email: str | None = None) -> Object:
    """Who pays, as far as they said."""
    address = {"city": None, "country": "US", "line1": None, "line2": None, "postal_code": None, "state": None}
    return {"address": address, "email": email, "name": name, "phone": None, "tax_id": None}


def behaviour(account: Account, method: Object) -> Card:
    """How the method's bank answers."""
    return CARDS.get(account.numbers[method["id"]], Card(account.numbers[method["id"]]))


def found(account: Account, name: str, param: str = "payment_method") -> Object:
    """A method by its id, or a fresh one by a ready-made name such as `pm_card_visa`."""
    if name in TOKENS:
        return card(account, TOKENS[name])
    return account.get("payment_method", name, param)


def of_customer(account: Account, name: str, customer: str) -> Object:
    """A method that belongs to a customer. Raises a refusal."""
    method = account.objects.get(name)
    if method is None or method["object"] != "payment_method" or method["customer"] != customer:
        message = (
            f"The customer does not have a payment method with the ID {name}. The payment method must be attached."
        )
        raise invalid(message, "payment_method", "resource_missing")
    return method


def attach_to(account: Account, method: Object, customer: str) -> None:
    """Give a method to a customer; told when it was not theirs before."""
    if method["customer"] != customer:
        method["customer"] = customer
        account.emit("payment_method.attached", method)


def let_go(account: Account, method: Object) -> None:
    """Take a method from its customer, and from what charges it by default."""
    customer = account.objects[method["customer"]]
    settings = customer["invoice_settings"]
    if settings["default_payment_method"] == method["id"]:
        account.change(customer, "customer.updated", invoice_settings=settings | {"default_payment_method": None})
    account.change(method, "payment_method.detached", customer=None)
    account.set_up.discard(method["id"])


def attach(account: Account, parameters: Parameters, name: str) -> Object:
    """`POST /v1/payment_methods/{id}/attach`."""
    customer = account.customer(parameters.needed("customer"))
    parameters.close()
    method = found(account, name)
    if method["customer"] not in {None, customer["id"]}:
        raise invalid("The payment method you provided has already been attached to a customer.", "payment_method")
    attach_to(account, method, customer["id"])
    return method


def detach(account: Account, parameters: Parameters, name: str) -> Object:
    """`POST /v1/payment_methods/{id}/detach`."""
    parameters.close()
    method = account.get("payment_method", name, "payment_method")
    if method["customer"] is None:
        message = "The payment method you provided is not attached to a customer so detachment is impossible."
        raise invalid(message, "payment_method")
    let_go(account, method)
    return method


def _retrieve(account: Account, parameters: Parameters, name: str) -> Object:
    parameters.close()
    return account.get("payment_method", name, "payment_method")


def _list(account: Account, parameters: Parameters) -> Object:
    if "customer" not in parameters:
        raise invalid("Missing required param: customer.", "customer", "parameter_missing")
    return listed(account, parameters, "payment_method", ("customer", "type"))


def _of_customer(account: Account, parameters: Parameters, customer: str) -> Object:
    account.customer(customer)
    kind = parameters.text("type")
    return page(
        account,
        parameters,
        "payment_method",
        lambda item: item["customer"] == customer and kind in {None, item["type"]},
    )


def _one_of_customer(account: Account, parameters: Parameters, customer: str, name: str) -> Object:
    parameters.close()
    account.customer(customer)
    method = account.get("payment_method", name, "payment_method")
    if method["customer"] != customer:
        raise missing("payment method", name, "payment_method")
    return method


ROUTES = (
    Route("GET", "/v1/payment_methods", _list),
    Route("GET", "/v1/payment_methods/{id}", _retrieve),
    Route("POST", "/v1/payment_methods/{id}/attach", attach),
    Route("POST", "/v1/payment_methods/{id}/detach", detach),
    Route("GET", "/v1/customers/{customer}/payment_methods", _of_customer),
    Route("GET", "/v1/customers/{customer}/payment_methods/{id}", _one_of_customer),
)
