"""A hosted page to pay on."""

from dataclasses import dataclass

from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.payments import Purpose
from monkey_coder_server.features.billing.buying.amounts import cents_usd
from monkey_coder_server.features.billing.buying.bounds import count_page
from monkey_coder_server.features.billing.buying.customers import with_customer
from monkey_coder_server.features.billing.buying.dependencies import Dependencies, PlanOrder, gate_of
from monkey_coder_server.ports.payments import CheckoutWish, HostedPage

HOME, SUCCESS, CANCELLED = "/billing", "/billing/success", "/billing/cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Basket:
    """Credit for `cents`, or a plan; neither only saves a card."""

    cents: int = 0
    plan_id: str = ""
    description: str = ""
    save_card: bool = False
    success_url: str
    cancel_url: str


@dataclass(frozen=True, slots=True)
class Checkout:
    """The page, and our name of it, which the payment carries."""

    page: HostedPage
    reference: str


async def open_page(use: Dependencies, account_id: str, basket: Basket) -> Checkout:
    """A page for what is in the basket. Raises as the gate does, `NotFound`, `InvalidRequest`, `RateLimited`."""
    gate, reference = gate_of(use), use.ids.new("chk")
    await count_page(use, account_id)

    async def plan(customer_id: str) -> HostedPage:
        if use.order_plan is None:
            raise InvalidRequest("This gateway sells no plans; buy credit with the field `amount_usd`.")
        return await use.order_plan(
            PlanOrder(account_id, customer_id, basket.plan_id, reference, basket.success_url, basket.cancel_url)
        )

    async def credit(customer_id: str) -> HostedPage:
        wish = CheckoutWish(
            customer_id,
            account_id,
            Purpose.CREDIT,
            basket.cents,
            basket.description or _words(basket),
            basket.success_url,
            basket.cancel_url,
            reference=reference,
            save_card=basket.save_card,
            tax=use.tax,
        )
        return await gate.checkout(wish, key=f"checkout:{reference}:{customer_id}")

    return Checkout(await with_customer(use, account_id, plan if basket.plan_id else credit), reference)


def _words(basket: Basket) -> str:
    return f"Credit for {cents_usd(basket.cents)} USD" if basket.cents else "A card for automatic top-ups"
