"""Balance, usage and receipts."""

from monkey_coder_server.features.billing.api import BillingRoutes, Dependencies
from monkey_coder_server.web.feature import Feature

__all__ = ["Dependencies", "build"]


def build(use: Dependencies) -> Feature:
    """The feature over its dependencies."""
    return Feature("billing", BillingRoutes(use).routes())
