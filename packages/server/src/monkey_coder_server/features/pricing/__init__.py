"""What is charged: price books, and markups as operators set them."""

from monkey_coder_server.features.pricing.dependencies import Dependencies
from monkey_coder_server.features.pricing.markup_routes import MarkupRoutes
from monkey_coder_server.features.pricing.price_routes import PriceRoutes
from monkey_coder_server.web.feature import Feature

__all__ = ["Dependencies", "build"]


def build(use: Dependencies) -> Feature:
    """The feature over its dependencies."""
    return Feature("pricing", (*MarkupRoutes(use).routes(), *PriceRoutes(use).routes()))
