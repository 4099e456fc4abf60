"""Plans, subscriptions and invoices composed, and what is done about them with nobody there."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from monkey_coder_server.adapters.metrics import Metrics
from monkey_coder_server.bootstrap.books import Books
from monkey_coder_server.domain.errors import Unavailable
from monkey_coder_server.features.billing import buying, plans
from monkey_coder_server.ports.payments import HostedPage, InvoiceSeen, PaymentGate

logger = logging.getLogger(__name__)
ROUND_SECONDS = 60.0
"""How late an invoice is drawn up at most, and tried again when it could not be sent."""


def plans_of(books: Books) -> plans.Dependencies:
    """What plans need, from the stores."""
    storage, settings = books.storage, books.settings
    return plans.Dependencies(
        plans=storage.plans,
        account_plans=storage.account_plans,
        subscriptions=storage.subscriptions,
        credit_lines=storage.credit_lines,
        invoices=storage.invoices,
        clock=books.clock,
        tax=settings.payments is not None and settings.payments.tax,
    )


def sender_of(trade: buying.Dependencies, gate: PaymentGate | None) -> plans.Sender | None:
    """What invoices are sent with; None where no payments are set up."""
    if gate is None:
        return None

    async def with_customer(account_id: str, act: Callable[[str], Awaitable[InvoiceSeen]]) -> InvoiceSeen:
        return await buying.with_customer(trade, account_id, act)

    return plans.Sender(gate, with_customer)


def order_plan_of(books: Books, gate: PaymentGate | None) -> buying.OrderPlan | None:
    """How a plan is ordered; None where no payments are set up."""
    if gate is None:
        return None
    use = plans_of(books)

    async def order_plan(order: buying.PlanOrder) -> HostedPage:
        wish = await plans.checkout_wish(
            use,
            order.account_id,
            order.customer_id,
            order.plan_id,
            success_url=order.success_url,
            cancel_url=order.cancel_url,
        )
        return await gate.checkout(wish, key=f"plan:{order.reference}:{order.customer_id}")

    return order_plan


async def keep_invoicing(invoicer: plans.Invoicer, metrics: Metrics) -> None:
    """Draw up and send what is due, until it is cancelled. Any number of gateways may do so at once."""
    while True:
        try:
            await invoicer.run()
        except Unavailable as away:
            logger.info("invoices wait for the database or the payment processor: %s", away.message)
        except Exception as error:  # noqa: BLE001 - a loop's boundary: counted, logged, tried again
            metrics.defect("invoices", error)
        await asyncio.sleep(ROUND_SECONDS)
