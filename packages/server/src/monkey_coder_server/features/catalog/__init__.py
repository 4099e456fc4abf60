"""What can be asked for: models with their prices, providers, capabilities."""

from monkey_coder_server.features.catalog.api import CatalogRoutes
from monkey_coder_server.features.catalog.offer import UNCONFIGURED, Dependencies
from monkey_coder_server.web.feature import Feature

__all__ = ["UNCONFIGURED", "Dependencies", "build"]


def build(use: Dependencies) -> Feature:
    """The feature over its dependencies."""
    return Feature("catalog", CatalogRoutes(use).routes())
