"""Customers."""

from monkey_coder_server.sandbox.stripe.account import Account, Object
from monkey_coder_server.sandbox.stripe.listing import page
from monkey_coder_server.sandbox.stripe.parameters import Parameters
from monkey_coder_server.sandbox.stripe.resources import payment_methods, subscriptions
from monkey_coder_server.sandbox.stripe.routing import Route

ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")


def create(account: Account, parameters: Parameters) -> Object:
    """`POST /v1/customers`."""
    fields = _fields(account, parameters, {})
    parameters.close()
    return make(account, **fields)


def make(account: Account, **fields: object) -> Object:
    """A customer, with what was given."""
    customer = account.add(
        "cus",
        "customer",
        {
            "address": None,
            "balance": 0,
            "currency": None,
            "default_source": None,
            "delinquent": False,
            "description": None,
            "discount": None,
            "email": None,
            "invoice_prefix": f"{len(account.all('customer')) + 1:08X}",
            "invoice_settings": {
                "custom_fields": None,
                "default_payment_method": None,
                "footer": None,
                "rendering_options": None,
            },
            "metadata": {},
            "name": None,
            "next_invoice_sequence": 1,
            "phone": None,
            "preferred_locales": [],
            "shipping": None,
            "tax_exempt": "none",
            "test_clock": None,
            **fields,
        },
    )
    account.emit("customer.created", customer)
    return customer


def retrieve(account: Account, parameters: Parameters, name: str) -> Object:
    """`GET /v1/customers/{id}`: of a deleted one only that it was."""
    parameters.close()
    customer = account.get("customer", name)
    return _gone(name) if customer.get("deleted") else customer


def update(account: Account, parameters: Parameters, name: str) -> Object:
    """`POST /v1/customers/{id}`."""
    customer = account.customer(name, "id")
    fields = _fields(account, parameters, customer)
    settings = parameters.part("invoice_settings")
    if "default_payment_method" in settings:
        chosen = settings.text("default_payment_method")
        if chosen is not None:
            payment_methods.of_customer(account, chosen, name)
        fields["invoice_settings"] = customer["invoice_settings"] | {"default_payment_method": chosen}
    parameters.close()
    account.change(customer, "customer.updated", **fields)
    return customer


def delete(account: Account, parameters: Parameters, name: str) -> Object:
    """`DELETE /v1/customers/{id}`: its plans end and its cards are let go."""
    parameters.close()
    customer = account.customer(name, "id")
    for subscription in account.all("subscription", customer=name):
        subscriptions.end(account, subscription)
    for method in account.all("payment_method", customer=name):
        payment_methods.let_go(account, method)
    account.emit("customer.deleted", customer)
    for field in set(customer) - {"id", "object", "livemode", "created"}:
        del customer[field]
    customer["deleted"] = True
    return _gone(name)


def _gone(name: str) -> Object:
    return {"id": name, "object": "customer", "deleted": True}


def _list(account: Account, parameters: Parameters) -> Object:
    email = parameters.text("email")
    return page(
        account,
        parameters,
        "customer",
        lambda item: not item.get("deleted") and email in {None, item["email"]},
    )


def _fields(_: Account, parameters: Parameters, before: Object) -> Object:
    fields: Object = {}
    for name in ("description", "email", "name", "phone"):
        if name in parameters:
            fields[name] = parameters.text(name)
    if "address" in parameters:
        address = parameters.part("address")
        fields["address"] = {name: address.text(name) for name in ADDRESS}
    if "metadata" in parameters:
        fields["metadata"] = parameters.metadata(before.get("metadata"))
    return fields


ROUTES = (
    Route("POST", "/v1/customers", create),
    Route("GET", "/v1/customers", _list),
    Route("GET", "/v1/customers/{id}", retrieve),
    Route("POST", "/v1/customers/{id}", update),
    Route("DELETE", "/v1/customers/{id}", delete),
)
