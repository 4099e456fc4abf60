"""`/v1/billing/promotions`: an account redeems a code, and sees what it redeemed."""

import msgspec

from monkey_coder_protocol import promotions as wire
from monkey_coder_server.domain.money import usd
from monkey_coder_server.domain.promotions import folded, unknown
from monkey_coder_server.domain.scopes import BILLING_MANAGE, BILLING_READ
from monkey_coder_server.features.billing.promotions.dependencies import Dependencies
from monkey_coder_server.features.billing.promotions.guessing import count_try, was_right
from monkey_coder_server.features.billing.promotions.showing import shown_redemption
from monkey_coder_server.ports.promotions import RedeemWish
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.audited import entry_of
from monkey_coder_server.web.decode import json_body
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_reply

_PATH = "/v1/billing/promotions"
_REDEEM = "promotion.redeem"
_redeem = msgspec.json.Decoder(wire.RedeemRequest)


class PromotionRoutes:
    """The endpoints, over one set of dependencies."""

    def __init__(self, use: Dependencies) -> None:
        self._use = use

    def routes(self) -> tuple[Route, ...]:
        """Both of them."""
        return (
            Route("GET", _PATH, self.redeemed, scope=BILLING_READ, gives=wire.RedeemedPromotions),
            Route(
                "POST",
                _PATH,
                self.redeem,
                scope=BILLING_MANAGE,
                once=True,
                action=_REDEEM,
                takes=wire.RedeemRequest,
                gives=wire.Redeemed,
            ),
        )

    async def redeemed(self, request: Request) -> Reply:
        """What the account redeemed."""
        found = await self._use.promotions.of_account(request.principal.account_id)
        return json_reply(wire.RedeemedPromotions([shown_redemption(each) for each in found], len(found)))

    async def redeem(self, request: Request) -> Reply:
        """Credit for a code, once an account. The trail names the promotion and not its code."""
        use, wish = self._use, await json_body(request, _redeem)
        await count_try(use, request)
        code, account_id, now = folded(wish.code), request.principal.account_id, use.clock.now()
        if code is None:
            raise unknown()
        given = await use.promotions.redeem(RedeemWish(code, account_id, request.principal.user_id, now))
        await was_right(use, request)
        told = f"{usd(given.amount)} USD, {given.campaign}"
        await use.audit.record(entry_of(request, _REDEEM, target=given.promotion_id, at=now, details=told))
        wallet = await use.ledger.wallet(account_id)
        shown = shown_redemption(given)
        return json_reply(wire.Redeemed(**msgspec.structs.asdict(shown), balance_usd=usd(wallet.balance)))
