"""`/v1/operator/*`: credit that operators give and take back."""

from datetime import timedelta
from functools import partial

import msgspec

from monkey_coder_protocol import operators as wire
from monkey_coder_server.domain.confirmation import Action
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.ledger import GrantKind
from monkey_coder_server.domain.money import asked_usd, usd
from monkey_coder_server.domain.scopes import OPERATOR_BILLING
from monkey_coder_server.features.accounts import operator
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.operator_trail import tell
from monkey_coder_server.features.accounts.shares import insider
from monkey_coder_server.ports.credit import GrantStanding, Refund
from monkey_coder_server.ports.ledger import GrantTerms
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.decode import json_body
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.operating import (
    account_of_path,
    actor_of,
    checked_reason,
    operator_act,
    operator_look,
    others_account,
)
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_reply

MOST_DAYS = 36_500
MOST_PRIORITY = 1_000_000
_KINDS = (GrantKind.PROMO, GrantKind.TRIAL, GrantKind.PURCHASE)
_ONE = "/v1/operator/accounts/{account_id}"
_give = msgspec.json.Decoder(wire.GiveCredit)
_give_back = msgspec.json.Decoder(wire.GiveBack)


class OperatorMoneyRoutes:
    """The endpoints. What moves money asks for a proof for money, given just now."""

    def __init__(self, use: Dependencies) -> None:
        self._use = use

    def routes(self) -> tuple[Route, ...]:
        """Every route of operators about money."""
        return (
            operator_look(
                f"{_ONE}/grants",
                self.list_grants,
                scope=OPERATOR_BILLING,
                action="grants.look",
                gives=wire.CreditGrants,
            ),
            operator_act(
                f"{_ONE}/grants",
                self.give,
                scope=OPERATOR_BILLING,
                confirm=Action.MONEY,
                action="credit.grant",
                takes=wire.GiveCredit,
                gives=wire.MovedMoney,
            ),
            operator_act(
                f"{_ONE}/refunds",
                self.give_back,
                scope=OPERATOR_BILLING,
                confirm=Action.MONEY,
                action="credit.refund",
                takes=wire.GiveBack,
                gives=wire.MovedMoney,
            ),
        )

    async def list_grants(self, request: Request) -> Reply:
        """An account's credit, grant by grant, as it will be spent."""
        account_id = await account_of_path(request, self._use.ledger)
        await tell(self._use, actor_of(request), "grants.look", target=account_id, account_id=account_id)
        grants = [_shown(each) for each in await self._use.credit.grants(account_id)]
        return json_reply(wire.CreditGrants(grants, len(grants)))

    async def give(self, request: Request) -> Reply:
        """Add credit."""
        wish, use = await json_body(request, _give), self._use
        gift = operator.Gift(
            await self._others_account(request),
            _amount(wish.amount_usd),
            checked_reason(wish.reason),
            self._terms(wish),
        )
        return json_reply(_moved(await operator.give(use, actor_of(request), gift), gift.amount))

    async def give_back(self, request: Request) -> Reply:
        """Give a charge back, or take a grant back."""
        wish, use = await json_body(request, _give_back), self._use
        if (wish.request_id is None) == (wish.grant_id is None):
            raise InvalidRequest("Send either the field `request_id` or the field `grant_id`.")
        refund = Refund(
            await self._others_account(request),
            f"settle:{wish.request_id}" if wish.grant_id is None else wish.grant_id,
            _amount(wish.amount_usd),
            checked_reason(wish.reason),
            use.ids.new("refund"),
        )
        return json_reply(_moved(await operator.undo(use, actor_of(request), refund), refund.amount))

    async def _others_account(self, request: Request) -> str:
        """The account of the path, where the operator has no share in it. Raises `NotFound`, `Forbidden`."""
        return await others_account(request, self._use.ledger, partial(insider, self._use))

    def _terms(self, wish: wire.GiveCredit) -> GrantTerms:
        if wish.kind not in _KINDS:
            message = f"The field `kind` must be one of {', '.join(_KINDS)}."
            raise InvalidRequest(message)
        if not 0 <= wish.priority <= MOST_PRIORITY:
            message = f"The field `priority` must be from 0 to {MOST_PRIORITY}."
            raise InvalidRequest(message)
        days = wish.expires_days
        if days is not None and not 1 <= days <= MOST_DAYS:
            message = f"The field `expires_days` must be from 1 to {MOST_DAYS}."
            raise InvalidRequest(message)
        expires_at = None if days is None else self._use.clock.now() + timedelta(days=days)
        return GrantTerms(GrantKind(wish.kind), wish.priority, expires_at)


def _amount(text: str) -> int:
    amount = asked_usd("The field `amount_usd`", text)
    if not amount:
        raise InvalidRequest("The field `amount_usd` must be above 0.")
    return amount


def _moved(moved: operator.Moved, amount: int) -> wire.MovedMoney:
    return wire.MovedMoney(id=moved.id, amount_usd=usd(amount), balance_usd=usd(moved.wallet.balance))


def _shown(grant: GrantStanding) -> wire.CreditGrant:
    return wire.CreditGrant(
        grant_id=grant.grant_id,
        kind=grant.kind,
        priority=grant.priority,
        amount_usd=usd(grant.amount),
        remaining_usd=usd(grant.remaining),
        given_at=grant.given_at.isoformat(),
        expires_at=None if grant.expires_at is None else grant.expires_at.isoformat(),
    )
