"""What is charged: price books, and markups as operators set them; and what business comes of it."""

from monkey_coder_server.features.pricing.business_routes import BusinessRoutes
from monkey_coder_server.features.pricing.dependencies import Dependencies
from monkey_coder_server.features.pricing.markup_routes import MarkupRoutes
from monkey_coder_server.features.pricing.price_routes import PriceRoutes
from monkey_coder_server.web.feature import Feature

__all__ = ["Dependencies", "build"]


def build(use: Dependencies) -> Feature:
    """The feature over its dependencies."""
    routes = (*MarkupRoutes(use).routes(), *PriceRoutes(use).routes(), *BusinessRoutes(use).routes())
    return Feature("pricing", routes)
