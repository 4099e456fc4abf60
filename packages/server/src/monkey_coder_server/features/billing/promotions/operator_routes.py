"""`/v1/operator/promotions`: operators make promotions and end them."""

import msgspec

from monkey_coder_protocol import promotions as wire
from monkey_coder_server.domain.confirmation import Action
from monkey_coder_server.domain.money import asked_usd
from monkey_coder_server.domain.scopes import OPERATOR_BILLING
from monkey_coder_server.features.billing.promotions.dependencies import Dependencies
from monkey_coder_server.features.billing.promotions.showing import shown_promotion
from monkey_coder_server.features.billing.promotions.writing import (
    PromotionWish,
    add_promotion,
    end_promotion,
    list_promotions,
)
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.decode import json_body
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.moments import read_moment
from monkey_coder_server.web.operating import actor_of, operator_act, operator_look
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_reply

_ALL = "/v1/operator/promotions"
_add = msgspec.json.Decoder(wire.AddPromotion)
_end = msgspec.json.Decoder(wire.EndPromotion)


class OperatorPromotionRoutes:
    """The endpoints. What gives credit away asks for a proof for money, given just now."""

    def __init__(self, use: Dependencies) -> None:
        self._use = use

    def routes(self) -> tuple[Route, ...]:
        """Every route of operators about promotions."""
        return (
            operator_look(
                _ALL, self.list, scope=OPERATOR_BILLING, action="promotions.look", gives=wire.OperatorPromotions
            ),
            operator_act(
                _ALL,
                self.add,
                scope=OPERATOR_BILLING,
                confirm=Action.MONEY,
                action="promotion.add",
                takes=wire.AddPromotion,
                gives=wire.OperatorPromotion,
            ),
            operator_act(
                f"{_ALL}/{{promotion_id}}/end",
                self.end,
                scope=OPERATOR_BILLING,
                confirm=Action.MONEY,
                action="promotion.end",
                takes=wire.EndPromotion,
                gives=wire.OperatorPromotion,
            ),
        )

    async def list(self, request: Request) -> Reply:
        """Every promotion that was ever made, the newest first."""
        found, now = await list_promotions(self._use, actor_of(request)), self._use.clock.now()
        return json_reply(wire.OperatorPromotions([shown_promotion(each, now) for each in found], len(found)))

    async def add(self, request: Request) -> Reply:
        """Make a promotion; its code is in the answer and in the list."""
        asked = await json_body(request, _add)
        wish = PromotionWish(
            campaign=asked.campaign,
            amount=asked_usd("The field `amount_usd`", asked.amount_usd) or 0,
            lasts_days=asked.lasts_days,
            reason=asked.reason,
            code=asked.code,
            starts_at=read_moment("The field `starts_at`", asked.starts_at),
            ends_at=read_moment("The field `ends_at`", asked.ends_at),
            most=asked.maximum,
            new_within_days=asked.new_within_days,
            plans=asked.plans,
        )
        made = await add_promotion(self._use, actor_of(request), wish)
        return json_reply(shown_promotion(made, self._use.clock.now()))

    async def end(self, request: Request) -> Reply:
        """End a promotion, now or later."""
        asked = await json_body(request, _end)
        ends_at = read_moment("The field `ends_at`", asked.ends_at)
        name = request.parameters["promotion_id"]
        ended = await end_promotion(self._use, actor_of(request), name, reason=asked.reason, ends_at=ends_at)
        return json_reply(shown_promotion(ended, self._use.clock.now()))
