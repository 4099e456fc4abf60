"""Charges, and the balance transactions they came to."""

from monkey_coder_server.sandbox.stripe import funds
from monkey_coder_server.sandbox.stripe.account import Account, Object
from monkey_coder_server.sandbox.stripe.listing import listed
from monkey_coder_server.sandbox.stripe.parameters import Parameters
from monkey_coder_server.sandbox.stripe.routing import Route


def _retrieve(account: Account, parameters: Parameters, name: str) -> Object:
    parameters.close()
    return account.get("charge", name, "charge")


def _list(account: Account, parameters: Parameters) -> Object:
    return listed(account, parameters, "charge", ("customer", "payment_intent"))


def _movement(account: Account, parameters: Parameters, name: str) -> Object:
    parameters.close()
    return account.get("balance_transaction", name)


def _movements(account: Account, parameters: Parameters) -> Object:
    return listed(account, parameters, "balance_transaction", ("type", "source"))


def _balance(account: Account, parameters: Parameters) -> Object:
    parameters.close()
    held = {"amount": funds.sums(account)["net"], "currency": "usd", "source_types": {}}
    nothing = {"amount": 0, "currency": "usd", "source_types": {}}
    return {"object": "balance", "available": [held], "livemode": account.live, "pending": [nothing]}


ROUTES = (
    Route("GET", "/v1/charges", _list),
    Route("GET", "/v1/charges/{id}", _retrieve),
    Route("GET", "/v1/balance_transactions", _movements),
    Route("GET", "/v1/balance_transactions/{id}", _movement),
    Route("GET", "/v1/balance", _balance),
)
