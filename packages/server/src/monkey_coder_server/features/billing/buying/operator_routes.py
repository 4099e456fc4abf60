"""`/v1/operator/accounts/{account_id}/payments` and what operators do about them: give back, thaw."""

import msgspec

from monkey_coder_protocol import buying as wire
from monkey_coder_protocol.queries import PurchasesQuery
from monkey_coder_server.domain.confirmation import Action
from monkey_coder_server.domain.money import usd
from monkey_coder_server.domain.scopes import OPERATOR_BILLING
from monkey_coder_server.features.billing.buying import refunds
from monkey_coder_server.features.billing.buying.dependencies import Dependencies
from monkey_coder_server.features.billing.buying.history_routes import listed_orders, listed_payments, told
from monkey_coder_server.features.billing.buying.payment_names import found_payment
from monkey_coder_server.features.billing.buying.trail import note_by_operator
from monkey_coder_server.ports.payment_books import Standing
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.decode import json_body
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.operating import (
    account_of_path,
    checked_reason,
    operator_act,
    operator_look,
    others_account,
)
from monkey_coder_server.web.query import read_query
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_reply

_ONE = "/v1/operator/accounts/{account_id}"
_refund = msgspec.json.Decoder(wire.OperatorRefundRequest)
_thaw = msgspec.json.Decoder(wire.ThawRequest)


class OperatorPaymentRoutes:
    """The endpoints, over one set of dependencies."""

    def __init__(self, use: Dependencies) -> None:
        self._use = use

    def routes(self) -> tuple[Route, ...]:
        """Every route of operators about payments."""
        return (
            operator_look(
                f"{_ONE}/payments",
                self.payments,
                scope=OPERATOR_BILLING,
                action="payments.look",
                query=PurchasesQuery,
                gives=wire.PaymentList,
            ),
            operator_act(
                f"{_ONE}/payments/refunds",
                self.refund,
                scope=OPERATOR_BILLING,
                confirm=Action.MONEY,
                action="refund.order",
                takes=wire.OperatorRefundRequest,
                gives=wire.RefundList,
            ),
            operator_act(
                f"{_ONE}/thaw",
                self.thaw,
                scope=OPERATOR_BILLING,
                confirm=Action.MONEY,
                action="account.thaw",
                takes=wire.ThawRequest,
                gives=wire.AccountStanding,
            ),
        )

    async def payments(self, request: Request) -> Reply:
        """A customer's payments, and what can be given back of each."""
        account_id = await account_of_path(request, self._use.ledger)
        await note_by_operator(self._use, request, "payments.look", account_id=account_id)
        query = read_query(PurchasesQuery, request.pairs)
        return json_reply(await listed_payments(self._use, account_id, query))

    async def refund(self, request: Request) -> Reply:
        """Give back a part of what a customer paid, never what is spent."""
        wish, use = await json_body(request, _refund), self._use
        account_id, reason = await others_account(request, use.ledger, use.insider), checked_reason(wish.reason)
        named = wish.payment_id
        payment_id = None if named is None else await found_payment(use, account_id, named)
        ordered = await refunds.order(use, account_id, wish.amount_usd, reason=reason, payment_id=payment_id)
        details = f"{ordered[0].order_id}: {told(ordered)}"
        await note_by_operator(use, request, "refund.order", account_id=account_id, details=details)
        return json_reply(listed_orders(ordered, use.clock.now().isoformat()))

    async def thaw(self, request: Request) -> Reply:
        """Let a frozen account spend again, after a warning was looked into."""
        wish, use = await json_body(request, _thaw), self._use
        account_id, reason = await others_account(request, use.ledger, use.insider), checked_reason(wish.reason)
        standing = await use.books.thaw(account_id, forgive=wish.forgive)
        await note_by_operator(use, request, "account.thaw", account_id=account_id, details=_thawed(wish, reason))
        return json_reply(shown_standing(standing))


def shown_standing(standing: Standing) -> wire.AccountStanding:
    """What stands between an account and its next request, as it is shown."""
    return wire.AccountStanding(account_id=standing.account_id, frozen=standing.frozen, debt_usd=usd(standing.debt))


def _thawed(wish: wire.ThawRequest, reason: str) -> str:
    return f"debts forgiven; {reason}" if wish.forgive else reason
