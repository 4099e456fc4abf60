"""Buying credit and giving it back: hosted pages, refunds, the saved card, automatic top-ups."""

from monkey_coder_server.features.billing.buying.card_routes import CardRoutes
from monkey_coder_server.features.billing.buying.checkout_routes import CheckoutRoutes
from monkey_coder_server.features.billing.buying.customers import with_customer
from monkey_coder_server.features.billing.buying.dependencies import (
    Dependencies,
    Notice,
    OrderPlan,
    Payer,
    PlanOrder,
    Visitor,
)
from monkey_coder_server.features.billing.buying.history_routes import HistoryRoutes
from monkey_coder_server.features.billing.buying.operator_routes import OperatorPaymentRoutes
from monkey_coder_server.features.billing.buying.pages import BillingPages
from monkey_coder_server.features.billing.buying.refund_sending import RefundSending
from monkey_coder_server.features.billing.buying.topping_up import ToppingUp
from monkey_coder_server.web.feature import Route

__all__ = [
    "Dependencies",
    "Notice",
    "OrderPlan",
    "Payer",
    "PlanOrder",
    "RefundSending",
    "ToppingUp",
    "Visitor",
    "routes",
    "with_customer",
]


def routes(use: Dependencies) -> tuple[Route, ...]:
    """Every route of buying."""
    joined = (
        CheckoutRoutes(use),
        HistoryRoutes(use),
        CardRoutes(use),
        OperatorPaymentRoutes(use),
        BillingPages(use),
    )
    return tuple(route for each in joined for route in each.routes())
