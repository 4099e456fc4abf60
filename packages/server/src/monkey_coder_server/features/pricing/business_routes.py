"""`/v1/operator/business`: how business went."""

from monkey_coder_protocol import pricing as wire
from monkey_coder_server.domain.scopes import OPERATOR_BILLING
from monkey_coder_server.features.pricing.business import business_of, read_by, read_days
from monkey_coder_server.features.pricing.dependencies import Dependencies
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.operating import actor_of, operator_look
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_reply


class BusinessRoutes:
    """The endpoint."""

    def __init__(self, use: Dependencies) -> None:
        self._use = use

    def routes(self) -> tuple[Route, ...]:
        """Every route about business."""
        return (
            operator_look(
                "/v1/operator/business",
                self.business,
                scope=OPERATOR_BILLING,
                action="business.look",
                gives=wire.BusinessReport,
            ),
        )

    async def business(self, request: Request) -> Reply:
        """Revenue, cost, margin and losses of some days."""
        asked, use = request.query, self._use
        first, last = read_days(asked.get("start"), asked.get("end"), use.clock.now().date())
        return json_reply(await business_of(use, actor_of(request), first, last, read_by(asked.get("by"))))
