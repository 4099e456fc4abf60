"""Health for people and load balancers, and what stands at the root."""

from monkey_coder_server.features.ops.api import CARRIED, HEALTHY, Check, Dependencies, OpsRoutes
from monkey_coder_server.web.feature import Feature

__all__ = ["CARRIED", "HEALTHY", "Check", "Dependencies", "build"]


def build(use: Dependencies) -> Feature:
    """The feature over its dependencies."""
    return Feature("ops", OpsRoutes(use).routes())
