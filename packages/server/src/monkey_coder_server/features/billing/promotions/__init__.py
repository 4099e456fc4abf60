"""Promotions: operators make and end them, accounts redeem their codes."""

from monkey_coder_server.features.billing.promotions.dependencies import Dependencies
from monkey_coder_server.features.billing.promotions.operator_routes import OperatorPromotionRoutes
from monkey_coder_server.features.billing.promotions.routes import PromotionRoutes
from monkey_coder_server.features.billing.promotions.showing import shown_promotion
from monkey_coder_server.features.billing.promotions.writing import (
    PromotionWish,
    add_promotion,
    end_promotion,
    list_promotions,
)
from monkey_coder_server.web.feature import Route

__all__ = [
    "Dependencies",
    "PromotionWish",
    "add_promotion",
    "end_promotion",
    "list_promotions",
    "routes",
    "shown_promotion",
]


def routes(use: Dependencies) -> tuple[Route, ...]:
    """Every route about promotions."""
    return (*PromotionRoutes(use).routes(), *OperatorPromotionRoutes(use).routes())
