"""Balance, usage and receipts; buying credit and giving it back; plans and invoices; promotions."""

from monkey_coder_server.features.billing import buying, plans, promotions
from monkey_coder_server.features.billing.api import BillingRoutes, Dependencies
from monkey_coder_server.web.feature import Feature

__all__ = ["Dependencies", "build", "buying", "plans", "promotions"]


def build(use: Dependencies) -> Feature:
    """The feature over its dependencies."""
    return Feature("billing", (*BillingRoutes(use).routes(), *buying.routes(use.buying)))
