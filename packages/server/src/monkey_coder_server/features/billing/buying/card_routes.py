"""`/v1/billing/card` and `/v1/billing/top-up`: the saved card, and what it is charged for with nobody there."""

import msgspec

from monkey_coder_protocol import buying as wire
from monkey_coder_protocol.auth import Message
from monkey_coder_server.domain.confirmation import Action
from monkey_coder_server.domain.errors import Conflict, InvalidRequest, NotFound
from monkey_coder_server.domain.scopes import BILLING_MANAGE, BILLING_READ
from monkey_coder_server.domain.top_ups import TopUpRule, TopUpStanding, TopUpState, charged_in, month_of, wrong_with
from monkey_coder_server.features.billing.buying.amounts import cents_usd, whole_cents
from monkey_coder_server.features.billing.buying.customers import seen_of
from monkey_coder_server.features.billing.buying.dependencies import Dependencies, gate_of
from monkey_coder_server.features.billing.buying.trail import note
from monkey_coder_server.ports.payments import SavedCard
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.decode import json_body
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_reply

_top_up = msgspec.json.Decoder(wire.TopUpRequest)
_NO_CARD = "No card is saved for this account: POST /v1/billing/checkout with `save_card` saves one."
_NO_TOP_UP = "Automatic top-up is not set for this account: PUT /v1/billing/top-up sets it."


class CardRoutes:
    """The endpoints, over one set of dependencies."""

    def __init__(self, use: Dependencies) -> None:
        self._use = use

    def routes(self) -> tuple[Route, ...]:
        """Every route about the saved card."""
        card, top_up = "/v1/billing/card", "/v1/billing/top-up"
        return (
            Route("GET", card, self.card, scope=BILLING_READ, gives=wire.CardInfo),
            Route("DELETE", card, self.remove_card, scope=BILLING_MANAGE, action="card.remove", gives=Message),
            Route("GET", top_up, self.top_up, scope=BILLING_READ, gives=wire.TopUp),
            Route(
                "PUT",
                top_up,
                self.set_top_up,
                scope=BILLING_MANAGE,
                confirm=Action.MONEY,
                action="top_up.set",
                takes=wire.TopUpRequest,
                gives=wire.TopUp,
            ),
            Route("DELETE", top_up, self.remove_top_up, scope=BILLING_MANAGE, action="top_up.remove", gives=Message),
        )

    async def card(self, request: Request) -> Reply:
        """Brand, last four digits and expiry of the saved card."""
        card = await self._card(request)
        if card is None:
            raise NotFound(_NO_CARD)
        return json_reply(wire.CardInfo(brand=card.brand, last_four=card.last_four, expires=card.expires))

    async def remove_card(self, request: Request) -> Reply:
        """Forget the saved card; automatic top-up ends with it."""
        use, account_id, card = self._use, request.principal.account_id, await self._card(request)
        if card is None:
            raise NotFound(_NO_CARD)
        await use.top_ups.remove(account_id, by=_who(request), now=use.clock.now())
        await gate_of(use).remove_card(card.method_id, key=use.ids.new("card"))
        await note(use, request, "card.remove", details=f"{card.brand}, {card.last_four}")
        return json_reply(Message("The card is forgotten, and nothing is bought automatically any more."))

    async def top_up(self, request: Request) -> Reply:
        """The rule, and how it stands."""
        standing = await self._use.top_ups.find(request.principal.account_id)
        if standing is None or standing.state is TopUpState.REMOVED:
            raise NotFound(_NO_TOP_UP)
        return json_reply(self._shown(standing))

    async def set_top_up(self, request: Request) -> Reply:
        """Set the rule, or set it anew after it was switched off."""
        wish, use = await json_body(request, _top_up), self._use
        rule = TopUpRule(
            threshold=whole_cents("threshold_usd", wish.threshold_usd),
            amount=whole_cents("amount_usd", wish.amount_usd),
            monthly_maximum=whole_cents("monthly_maximum_usd", wish.monthly_maximum_usd),
        )
        if wrong := wrong_with(rule):
            message = f"The field {wrong}"
            raise InvalidRequest(message)
        gate_of(use)
        if await self._card(request) is None:
            raise Conflict(_NO_CARD)
        account_id = request.principal.account_id
        standing = await use.top_ups.set(account_id, rule, by=_who(request), now=use.clock.now())
        shown = self._shown(standing)
        details = f"{shown.amount_usd} USD below {shown.threshold_usd}, at most {shown.monthly_maximum_usd} a month"
        await note(use, request, "top_up.set", details=details)
        return json_reply(shown)

    async def remove_top_up(self, request: Request) -> Reply:
        """Buy nothing automatically any more; the card stays."""
        use = self._use
        if not await use.top_ups.remove(request.principal.account_id, by=_who(request), now=use.clock.now()):
            raise NotFound(_NO_TOP_UP)
        await note(use, request, "top_up.remove")
        return json_reply(Message("Nothing is bought automatically any more."))

    async def _card(self, request: Request) -> SavedCard | None:
        if self._use.gate is None:
            return None
        seen = await seen_of(self._use, request.principal.account_id)
        return None if seen is None else seen.card

    def _shown(self, standing: TopUpStanding) -> wire.TopUp:
        rule = standing.rule
        return wire.TopUp(
            threshold_usd=cents_usd(rule.threshold),
            amount_usd=cents_usd(rule.amount),
            monthly_maximum_usd=cents_usd(rule.monthly_maximum),
            state=standing.state.value,
            charged_this_month_usd=cents_usd(charged_in(standing, month_of(self._use.clock.now()))),
            failures_in_a_row=standing.strikes,
            last_failure=standing.last_failure,
        )


def _who(request: Request) -> str:
    return request.principal.user_id or request.principal.key_id
