"""Plans, subscriptions, credit lines and invoices."""

from monkey_coder_server.features.billing.plans.dependencies import Dependencies
from monkey_coder_server.features.billing.plans.invoicer import Invoicer, Sender
from monkey_coder_server.features.billing.plans.ordering import checkout_wish
from monkey_coder_server.features.billing.plans.routes import PlanRoutes
from monkey_coder_server.features.billing.plans.sights import Sights

__all__ = ["Dependencies", "Invoicer", "PlanRoutes", "Sender", "Sights", "checkout_wish"]
