"""Balance, usage and receipts; buying credit and giving it back; plans and invoices; promotions; alerts."""

from monkey_coder_server.features.billing import alerting, buying, plans, promotions
from monkey_coder_server.features.billing.api import BillingRoutes, Dependencies
from monkey_coder_server.features.billing.reporting import RateLeft
from monkey_coder_server.web.feature import Feature

__all__ = ["Dependencies", "RateLeft", "alerting", "build", "buying", "plans", "promotions"]


def build(use: Dependencies) -> Feature:
    """The feature over its dependencies."""
    routes = (*BillingRoutes(use).routes(), *buying.routes(use.buying), *alerting.routes(use.alerting))
    return Feature("billing", routes)
