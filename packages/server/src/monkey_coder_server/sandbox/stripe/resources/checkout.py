"""Checkout sessions as calls make, find and end them."""

from dataclasses import dataclass
from typing import Any

from monkey_coder_server.sandbox.stripe.account import Account, Object
from monkey_coder_server.sandbox.stripe.listing import given, page
from monkey_coder_server.sandbox.stripe.parameters import Parameters
from monkey_coder_server.sandbox.stripe.periods import DAY
from monkey_coder_server.sandbox.stripe.refusals import invalid
from monkey_coder_server.sandbox.stripe.resources import drafting, payment_intents, products
from monkey_coder_server.sandbox.stripe.routing import Route

MODES = ("payment", "setup", "subscription")
NAMES = "{CHECKOUT_SESSION_ID}"
METHODS = {"card", "us_bank_account"}


@dataclass(frozen=True, slots=True)
class _Sale:
    price: products.PriceData | Object
    quantity: int

    @property
    def cents(self) -> int:
        unit = self.price["unit_amount"] if isinstance(self.price, dict) else self.price.unit_amount
        return int(unit) * self.quantity

    @property
    def recurs(self) -> bool:
        return bool(self.price["recurring"] if isinstance(self.price, dict) else self.price.interval)


def create(account: Account, parameters: Parameters) -> Object:
    """`POST /v1/checkout/sessions`: a page to pay on."""
    mode = parameters.choice("mode", MODES, "")
    if not mode:
        raise invalid("Missing required param: mode.", "mode", "parameter_missing")
    fields = _addressed(account, parameters, mode)
    plan = _plan(parameters, mode)
    sales = _sales(account, parameters, mode)
    _taxed(account, parameters, fields)
    parameters.close()
    if mode != "setup":
        payment_intents.checked_amount(sum(sale.cents for sale in sales))
    return _make(account, mode, fields, plan, sales)


def _addressed(account: Account, parameters: Parameters, mode: str) -> Object:
    """Who pays and where the browser goes."""
    customer = parameters.text("customer")
    email = parameters.text("customer_email")
    if customer is not None:
        account.customer(customer)
    if customer is not None and email is not None:
        raise invalid("You may only specify one of these parameters: customer, customer_email.", "customer_email")
    expires = parameters.number("expires_at") or account.now() + DAY
    if not account.now() + 1_800 - 5 <= expires <= account.now() + DAY + 5:
        raise invalid("The `expires_at` timestamp must be between 30 minutes and 24 hours from now.", "expires_at")
    creation = parameters.choice("customer_creation", ("always", "if_required"))
    if creation is not None and (customer is not None or mode != "payment"):
        raise invalid("`customer_creation` can only be used in `payment` mode without a customer.", "customer_creation")
    kinds = parameters.texts("allowed_payment_method_types")
    if unknown := set(kinds) - METHODS:
        msg = f"The simulator knows no payment method {', '.join(unknown)}."
        raise invalid(msg, "allowed_payment_method_types")
    if mode == "setup" and not kinds and "currency" not in parameters:
        raise invalid("`setup` mode needs `currency` when `allowed_payment_method_types` is not set.", "currency")
    return {
        "allowed_payment_method_types": kinds or None,
        "billing_address_collection": parameters.choice("billing_address_collection", ("auto", "required")),
        "cancel_url": parameters.text("cancel_url"),
        "client_reference_id": parameters.text("client_reference_id"),
        "currency": parameters.text("currency"),
        "customer": customer,
        "customer_creation": None if customer else creation or ("if_required" if mode == "payment" else "always"),
        "customer_email": email,
        "expires_at": expires,
        "locale": parameters.text("locale"),
        "metadata": parameters.metadata(),
        "payment_method_types": kinds or (["card", "us_bank_account"] if mode == "payment" else ["card"]),
        "submit_type": parameters.choice("submit_type", ("auto", "book", "donate", "pay", "subscribe")),
        "success_url": parameters.needed("success_url"),
        "ui_mode": parameters.choice("ui_mode", ("hosted_page",), "hosted_page"),
    }


def _plan(parameters: Parameters, mode: str) -> Object:
    """What is made once it is paid."""
    allowed = {"payment": "payment_intent_data", "setup": "setup_intent_data", "subscription": "subscription_data"}
    for other in allowed.values():
        if other in parameters and other != allowed[mode]:
            msg = f"You can not pass `{other}` in `{mode}` mode."
            raise invalid(msg, other)
    data = parameters.part(allowed[mode])
    plan: Object = {"metadata": data.metadata(), "description": data.text("description")}
    if mode == "payment":
        plan["setup_future_usage"] = data.choice("setup_future_usage", ("off_session", "on_session"))
        plan["receipt_email"] = data.text("receipt_email")
        plan["statement_descriptor_suffix"] = data.text("statement_descriptor_suffix")
    if "invoice_creation" in parameters and mode != "payment":
        raise invalid("You can only enable invoice creation in `payment` mode.", "invoice_creation")
    creation = parameters.part("invoice_creation")
    data = creation.part("invoice_data")
    plan["invoiced"] = creation.flag("enabled")
    plan["invoice"] = {"description": data.text("description"), "metadata": data.metadata()}
    return plan


def _sales(account: Account, parameters: Parameters, mode: str) -> list[_Sale]:
    sales = []
    for item in parameters.parts("line_items"):
        if ("price" in item) == ("price_data" in item):
            raise invalid("You must specify either `price` or `price_data` for each line item.", "line_items")
        price: Any = products.known_price(account, item.needed("price")) if "price" in item else None
        price = price or products.read(account, item.part("price_data"))
        sales.append(_Sale(price, item.needed_number("quantity", 1)))
    if mode == "setup":
        if sales:
            raise invalid("You can not pass `line_items` in `setup` mode.", "line_items")
        return sales
    if not sales:
        raise invalid("The `line_items` parameter is required in payment mode.", "line_items", "parameter_missing")
    recurring = [sale for sale in sales if sale.recurs]
    if mode == "payment" and recurring:
        message = "You specified `payment` mode but passed a recurring price. Use `subscription` mode instead."
        raise invalid(message, "line_items")
    if mode == "subscription" and not len(sales) == len(recurring) == 1:
        raise invalid("The simulator sells one recurring price alone.", "line_items")
    return sales


def _taxed(account: Account, parameters: Parameters, fields: Object) -> None:
    """Automatic tax needs to know where a customer is, or leave to keep what they enter."""
    enabled = parameters.part("automatic_tax").flag("enabled")
    update = parameters.part("customer_update")
    keeps = {name: update.choice(name, ("auto", "never"), "never") for name in ("address", "name", "shipping")}
    tax_ids = parameters.part("tax_id_collection").flag("enabled")
    customer = fields["customer"]
    if "customer_update" in parameters and customer is None:
        raise invalid("`customer_update` can only be used with `customer`.", "customer_update")
    if enabled and customer is not None and keeps["address"] != "auto" and not account.customer(customer)["address"]:
        message = (
            "Automatic tax calculation in Checkout requires a valid address on the Customer. Add a valid address to "
            "the Customer or set `customer_update[address]` to 'auto' to save the one entered in Checkout."
        )
        raise invalid(message, code="customer_tax_location_invalid")
    if tax_ids and customer is not None and keeps["name"] != "auto":
        raise invalid("Tax ID collection requires `customer_update[name]` to be `auto`.", "tax_id_collection")
    fields["automatic_tax"] = drafting.automatic_tax(enabled=enabled)
    fields["tax_id_collection"] = {"enabled": tax_ids, "required": "never"}
    fields["_keeps_address"] = keeps["address"] == "auto"


def _make(account: Account, mode: str, fields: Object, plan: Object, sales: list[_Sale]) -> Object:
    prices = [sale.price if isinstance(sale.price, dict) else sale.price.make(account) for sale in sales]
    taxed = fields["automatic_tax"]["enabled"]
    lines = [_line(account, price, sale, taxed=taxed) for price, sale in zip(prices, sales, strict=True)]
    subtotal, tax = (sum(line[name] for line in lines) for name in ("amount_subtotal", "amount_tax"))
    money = mode != "setup"
    if money:
        fields["currency"] = lines[0]["currency"]
    name = account.new_id(f"cs_{'live' if account.live else 'test'}")
    session = account.add(
        "cs",
        "checkout.session",
        {
            "adaptive_pricing": {"enabled": False},
            "after_expiration": None,
            "allow_promotion_codes": None,
            "amount_subtotal": subtotal if money else None,
            "amount_total": subtotal + tax if money else None,
            "client_secret": None,
            "collected_information": None,
            "consent": None,
            "consent_collection": None,
            "currency_conversion": None,
            "custom_fields": [],
            "custom_text": dict.fromkeys(("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")),
            "customer_details": None,
            "discounts": [] if money else None,
            "invoice": None,
            "invoice_creation": _invoice_creation(plan) if mode == "payment" else None,
            "mode": mode,
            "origin_context": None,
            "payment_intent": None,
            "payment_link": None,
            "payment_method_collection": "if_required" if mode == "payment" else "always",
            "payment_method_configuration_details": None,
            "payment_method_options": {},
            "payment_status": "unpaid" if money else "no_payment_required",
            "permissions": None,
            "phone_number_collection": {"enabled": False},
            "recovered_from": None,
            "redirect_on_completion": None,
            "saved_payment_method_options": None,
            "setup_intent": None,
            "shipping_address_collection": None,
            "shipping_cost": None,
            "shipping_options": [],
            "status": "open",
            "subscription": None,
            "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": tax} if money else None,
            "url": f"{account.base_url}/c/pay/{name}",
            "wallet_options": None,
            "_line_items": lines,
            "_plan": plan,
            **fields,
        },
        known=name,
    )
    account.later(session["expires_at"] - account.now(), lambda: end(account, session))
    return session


def _line(account: Account, price: Object, sale: _Sale, *, taxed: bool) -> Object:
    tax = drafting.tax_on(account, sale.cents) if taxed else 0
    return {
        "id": account.new_id("li"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": sale.cents,
        "amount_tax": tax,
        "amount_total": sale.cents + tax,
        "currency": price["currency"],
        "description": account.objects[price["product"]]["name"],
        "metadata": {},
        "price": price,
        "quantity": sale.quantity,
    }


def _invoice_creation(plan: Object) -> Object:
    data = {"account_tax_ids": None, "custom_fields": None, "footer": None, "issuer": None, "rendering_options": None}
    return {"enabled": plan["invoiced"], "invoice_data": {**data, **plan["invoice"]}}


def end(account: Account, session: Object) -> None:
    """Nobody paid in time."""
    if session["status"] == "open":
        session |= {"status": "expired", "url": None}
        account.emit("checkout.session.expired", session)


def _expire(account: Account, parameters: Parameters, name: str) -> Object:
    parameters.close()
    session = account.get("checkout.session", name, "session")
    if session["status"] != "open":
        message = f'Only Checkout Sessions with a status in ["open"] can be expired. This one is {session["status"]}.'
        raise invalid(message)
    end(account, session)
    return session


def _retrieve(account: Account, parameters: Parameters, name: str) -> Object:
    parameters.close()
    return account.get("checkout.session", name, "session")


def _list(account: Account, parameters: Parameters) -> Object:
    wanted = given(parameters, ("customer", "payment_intent", "subscription", "status"))
    email: str | None = parameters.part("customer_details").text("email")

    def accepts(session: Object) -> bool:
        known = session["customer_details"] or {}
        return all(session[name] == wanted[name] for name in wanted) and email in {None, known.get("email")}

    return page(account, parameters, "checkout.session", accepts)


ROUTES = (
    Route("POST", "/v1/checkout/sessions", create),
    Route("GET", "/v1/checkout/sessions", _list),
    Route("GET", "/v1/checkout/sessions/{id}", _retrieve),
    Route("POST", "/v1/checkout/sessions/{id}/expire", _expire),
)
