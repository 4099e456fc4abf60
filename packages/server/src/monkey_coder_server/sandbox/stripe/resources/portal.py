"""Sessions of the customer portal."""

from monkey_coder_server.sandbox.stripe.account import Account, Object
from monkey_coder_server.sandbox.stripe.parameters import Parameters
from monkey_coder_server.sandbox.stripe.routing import Route


def create(account: Account, parameters: Parameters) -> Object:
    """`POST /v1/billing_portal/sessions`."""
    customer = account.customer(parameters.needed("customer"))
    back = parameters.text("return_url")
    locale = parameters.text("locale")
    parameters.close()
    session = account.add(
        "bps",
        "billing_portal.session",
        {
            "configuration": "bpc_simulated",
            "customer": customer["id"],
            "customer_account": None,
            "flow": None,
            "locale": locale,
            "on_behalf_of": None,
            "return_url": back,
        },
    )
    session["url"] = f"{account.base_url}/p/session/{session['id']}"
    return session


ROUTES = (Route("POST", "/v1/billing_portal/sessions", create),)
