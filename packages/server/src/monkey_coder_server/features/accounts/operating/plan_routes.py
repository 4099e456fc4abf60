"""`GET /v1/operator/plans`: plans as their operators see them; they are written on the shell."""

from monkey_coder_protocol.plans import OperatorPlans
from monkey_coder_server.domain.scopes import OPERATOR_BILLING
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.operating.plans_shown import shown
from monkey_coder_server.features.accounts.operator_trail import tell
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.operating import actor_of, operator_look
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_reply


class OperatorPlanRoutes:
    """The endpoint, over one set of dependencies."""

    def __init__(self, use: Dependencies) -> None:
        self._use = use

    def routes(self) -> tuple[Route, ...]:
        """The one route."""
        return (
            operator_look(
                "/v1/operator/plans", self.plans, scope=OPERATOR_BILLING, action="plans.look", gives=OperatorPlans
            ),
        )

    async def plans(self, request: Request) -> Reply:
        """All plans, retired ones included."""
        await tell(self._use, actor_of(request), "plans.look", target="plans", account_id="")
        plans = [shown(plan) for plan in await self._use.plans.every()]
        return json_reply(OperatorPlans(plans, len(plans)))
