"""People on the operator's side: their roles, and what they do by them."""

from monkey_coder_server.features.accounts.operating.money_routes import OperatorMoneyRoutes
from monkey_coder_server.features.accounts.operating.plan_routes import OperatorPlanRoutes
from monkey_coder_server.features.accounts.operating.routes import OperatorRoutes

__all__ = ["OperatorMoneyRoutes", "OperatorPlanRoutes", "OperatorRoutes"]
