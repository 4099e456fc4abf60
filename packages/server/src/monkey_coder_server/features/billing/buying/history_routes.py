"""`/v1/billing/payments` and `/v1/billing/refunds`: what an account bought, and what it gives back of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated

import msgspec

from monkey_coder_protocol import buying as wire
from monkey_coder_protocol.queries import PurchasesQuery
from monkey_coder_server.domain.confirmation import Action
from monkey_coder_server.domain.payments import RefundState
from monkey_coder_server.domain.scopes import BILLING_MANAGE, BILLING_READ
from monkey_coder_server.features.billing.buying import refunds
from monkey_coder_server.features.billing.buying.amounts import cents_usd
from monkey_coder_server.features.billing.buying.dependencies import Dependencies
from monkey_coder_server.features.billing.buying.payment_names import end_of, shown_name
from monkey_coder_server.features.billing.buying.trail import note
from monkey_coder_server.features.billing.cursor import read, written
from monkey_coder_server.ports.payment_books import RefundOrder
from monkey_coder_server.ports.purchases import PaymentStanding, Place, RefundStanding
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.decode import json_body
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.query import read_query
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_reply

_refund = msgspec.json.Decoder(wire.RefundRequest)


class Ended(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """A `Place` as it is written."""

    at: Annotated[datetime, msgspec.Meta(tz=True)]
    shown: Annotated[int, msgspec.Meta(ge=1, le=10**6)]


class HistoryRoutes:
    """The endpoints, over one set of dependencies."""

    def __init__(self, use: Dependencies) -> None:
        self._use = use

    def routes(self) -> tuple[Route, ...]:
        """Every route about what was bought."""
        return (
            Route(
                "GET",
                "/v1/billing/payments",
                self.payments,
                scope=BILLING_READ,
                query=PurchasesQuery,
                gives=wire.PaymentList,
            ),
            Route(
                "GET",
                "/v1/billing/refunds",
                self.refunds,
                scope=BILLING_READ,
                query=PurchasesQuery,
                gives=wire.RefundList,
            ),
            Route(
                "POST",
                "/v1/billing/refunds",
                self.refund,
                scope=BILLING_MANAGE,
                once=True,
                confirm=Action.MONEY,
                action="refund.order",
                takes=wire.RefundRequest,
                gives=wire.RefundList,
            ),
        )

    async def payments(self, request: Request) -> Reply:
        """The account's payments, newest first, and what can be given back of each."""
        query = read_query(PurchasesQuery, request.pairs)
        return json_reply(await listed_payments(self._use, request.principal.account_id, query))

    async def refunds(self, request: Request) -> Reply:
        """The account's refunds, newest first."""
        query = read_query(PurchasesQuery, request.pairs)
        account_id, after = request.principal.account_id, _place(query.after)
        found = await self._use.purchases.refunds(account_id, most=query.limit + 1, after=after)
        shown = found[: query.limit]
        follows = _written(end_of(shown, after)) if len(found) > query.limit else None
        return json_reply(wire.RefundList([_standing(each) for each in shown], len(shown), follows))

    async def refund(self, request: Request) -> Reply:
        """Give back credit that was bought and not used; sent to the bank by and by."""
        wish, use = await json_body(request, _refund), self._use
        ordered = await refunds.order(use, request.principal.account_id, wish.amount_usd, reason=wish.reason)
        await note(use, request, "refund.order", target=ordered[0].order_id, details=told(ordered))
        return json_reply(listed_orders(ordered, use.clock.now().isoformat()))


async def listed_payments(use: Dependencies, account_id: str, query: PurchasesQuery) -> wire.PaymentList:
    """A page of an account's payments as they are shown. Raises `InvalidRequest`."""
    free = {each.payment_id: each.cents for each in await use.books.refundable(account_id)}
    after = _place(query.after)
    found = await use.purchases.payments(account_id, most=query.limit + 1, after=after)
    page = found[: query.limit]
    shown = [_payment(each, free) for each in page]
    follows = _written(end_of(page, after)) if len(found) > query.limit else None
    return wire.PaymentList(shown, len(shown), cents_usd(sum(free.values())), follows)


def listed_orders(ordered: Sequence[RefundOrder], at: str) -> wire.RefundList:
    """Refunds that were ordered just now, as they are shown."""
    shown = [
        wire.RefundInfo(
            refund_id=each.order_id,
            payment_id=shown_name(each.payment_id),
            amount_usd=cents_usd(each.cents),
            state=RefundState.PENDING.value,
            reason=each.reason,
            ordered_at=at,
        )
        for each in ordered
    ]
    return wire.RefundList(shown, len(shown))


def told(ordered: Sequence[RefundOrder]) -> str:
    """What the trail says of refunds."""
    return f"{cents_usd(sum(each.cents for each in ordered))} USD of {len(ordered)} payments; {ordered[0].reason}"


def _place(after: str) -> Place | None:
    if not after:
        return None
    ended = read(Ended, after)
    return Place(ended.at, ended.shown)


def _written(place: Place) -> str:
    return written(Ended(place.at, place.shown))


def _payment(payment: PaymentStanding, free: Mapping[str, int]) -> wire.PaymentInfo:
    return wire.PaymentInfo(
        payment_id=shown_name(payment.payment_id),
        at=payment.at.isoformat(),
        purpose=payment.purpose.value,
        state=payment.state.value,
        amount_usd=cents_usd(payment.cents),
        tax_usd=cents_usd(payment.tax_cents),
        refunded_usd=cents_usd(payment.refunded),
        refundable_usd=cents_usd(free.get(payment.payment_id, 0)),
        reference=payment.reference,
        failure=payment.failure,
    )


def _standing(refund: RefundStanding) -> wire.RefundInfo:
    return wire.RefundInfo(
        refund_id=refund.order_id,
        payment_id=shown_name(refund.payment_id),
        amount_usd=cents_usd(refund.cents),
        state=refund.state.value,
        reason=refund.reason,
        ordered_at=refund.at.isoformat(),
    )
