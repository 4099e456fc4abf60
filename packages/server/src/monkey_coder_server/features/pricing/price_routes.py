"""`/v1/operator/prices`: what is charged now."""

from monkey_coder_protocol import pricing as wire
from monkey_coder_server.domain.scopes import OPERATOR_BILLING
from monkey_coder_server.features.pricing.dependencies import Dependencies
from monkey_coder_server.features.pricing.price_lines import prices_of
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.operating import actor_of, operator_look
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_reply


class PriceRoutes:
    """The endpoint."""

    def __init__(self, use: Dependencies) -> None:
        self._use = use

    def routes(self) -> tuple[Route, ...]:
        """Every route about prices."""
        return (
            operator_look(
                "/v1/operator/prices", self.prices, scope=OPERATOR_BILLING, action="prices.look", gives=wire.PriceList
            ),
        )

    async def prices(self, request: Request) -> Reply:
        """Cost, markup, price and margin of each model, as a plan pays it."""
        asked = request.query
        found = await prices_of(self._use, actor_of(request), plan=asked.get("plan"), provider=asked.get("provider"))
        return json_reply(found)
