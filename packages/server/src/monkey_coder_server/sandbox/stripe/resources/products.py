"""Products and prices, as sessions and invoices make them from `price_data`."""

from dataclasses import dataclass

from monkey_coder_server.sandbox.stripe.account import Account, Object
from monkey_coder_server.sandbox.stripe.parameters import Parameters
from monkey_coder_server.sandbox.stripe.refusals import invalid, malformed
from monkey_coder_server.sandbox.stripe.routing import Route

TAX_BEHAVIORS = ("exclusive", "inclusive", "unspecified")


@dataclass(frozen=True, slots=True)
class PriceData:
    """A price as a call described it. `product` is an id, or empty when `name` makes one."""

    currency: str
    unit_amount: int
    product: str
    name: str
    description: str | None
    metadata: dict[str, str]
    tax_behavior: str
    interval: str
    interval_count: int

    def make(self, account: Account) -> Object:
        """The price, and its product when it is new."""
        product = self.product or _product(account, self.name, self.description, self.metadata)["id"]
        recurring = None
        if self.interval:
            recurring = {
                "interval": self.interval,
                "interval_count": self.interval_count,
                "meter": None,
                "trial_period_days": None,
                "usage_type": "licensed",
            }
        return account.add(
            "price",
            "price",
            {
                "active": False,
                "billing_scheme": "per_unit",
                "currency": self.currency,
                "custom_unit_amount": None,
                "lookup_key": None,
                "metadata": {},
                "nickname": None,
                "product": product,
                "recurring": recurring,
                "tax_behavior": self.tax_behavior,
                "tiers_mode": None,
                "transform_quantity": None,
                "type": "recurring" if recurring else "one_time",
                "unit_amount": self.unit_amount,
                "unit_amount_decimal": str(self.unit_amount),
            },
        )


def read(account: Account, parameters: Parameters) -> PriceData:
    """A `price_data` hash."""
    recurring = parameters.part("recurring")
    product = parameters.part("product_data")
    known = parameters.text("product")
    if known is not None:
        account.get("product", known, "product")
    elif "product_data" not in parameters:
        raise invalid("You must specify either `product` or `product_data` in price_data.", "price_data")
    name = product.needed("name") if known is None else ""
    return PriceData(
        currency=parameters.needed("currency").lower(),
        unit_amount=parameters.needed_number("unit_amount"),
        product=known or "",
        name=name,
        description=product.text("description"),
        metadata=product.metadata(),
        tax_behavior=parameters.choice("tax_behavior", TAX_BEHAVIORS, "unspecified"),
        interval=recurring.choice("interval", ("day", "week", "month", "year"), ""),
        interval_count=recurring.number("interval_count", 1) or 1,
    )


def create(account: Account, parameters: Parameters) -> Object:
    """`POST /v1/products`."""
    name = parameters.needed("name")
    description = parameters.text("description")
    metadata = parameters.metadata()
    parameters.close()
    return _product(account, name, description, metadata)


def create_price(account: Account, parameters: Parameters) -> Object:
    """`POST /v1/prices`."""
    data = read(account, parameters)
    metadata = parameters.metadata()
    parameters.close()
    price = data.make(account)
    price |= {"active": True, "metadata": metadata}
    account.emit("price.created", price)
    return price


def known_price(account: Account, name: str) -> Object:
    """A price that may be bought. Raises a refusal."""
    price = account.get("price", name, "price")
    if not price["active"]:
        msg = f"The price specified is inactive: {name}"
        raise malformed(msg, "price")
    return price


def _product(account: Account, name: str, description: str | None, metadata: dict[str, str]) -> Object:
    product = account.add(
        "prod",
        "product",
        {
            "active": True,
            "default_price": None,
            "description": description,
            "images": [],
            "marketing_features": [],
            "metadata": metadata,
            "name": name,
            "package_dimensions": None,
            "shippable": None,
            "statement_descriptor": None,
            "tax_code": None,
            "type": "service",
            "unit_label": None,
            "updated": account.now(),
            "url": None,
        },
    )
    account.emit("product.created", product)
    return product


def _retrieve(account: Account, parameters: Parameters, name: str) -> Object:
    parameters.close()
    return account.get("product", name)


def _retrieve_price(account: Account, parameters: Parameters, name: str) -> Object:
    parameters.close()
    return account.get("price", name)


ROUTES = (
    Route("POST", "/v1/products", create),
    Route("GET", "/v1/products/{id}", _retrieve),
    Route("POST", "/v1/prices", create_price),
    Route("GET", "/v1/prices/{id}", _retrieve_price),
)
