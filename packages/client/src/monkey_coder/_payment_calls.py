"""Calls of `/v1/billing` about buying. Pure: nothing is sent."""

from decimal import Decimal
from typing import TypeVar

import msgspec

from monkey_coder import _responses
from monkey_coder._factors import CONFIRMATION_HEADER
from monkey_coder._requests import Call, Request, usd_text
from monkey_coder_protocol import auth
from monkey_coder_protocol import buying as wire
from monkey_coder_protocol import promotions as promotions_wire

T = TypeVar("T")
Usd = Decimal | str | int


def checkout(  # each keyword is one thing that can be bought, or where the browser goes
    amount: Usd | None, plan: str | None, *, save_card: bool, success_url: str | None, cancel_url: str | None
) -> Call[wire.CheckoutPage]:
    """`POST /v1/billing/checkout`."""
    body = wire.CheckoutRequest(
        amount_usd=None if amount is None else _usd(amount),
        plan=plan,
        success_url=success_url,
        cancel_url=cancel_url,
        save_card=save_card,
    )
    return _call("POST", "checkout", wire.CheckoutPage, body)


def portal(return_url: str | None) -> Call[wire.PortalPage]:
    """`POST /v1/billing/portal`."""
    return _call("POST", "portal", wire.PortalPage, wire.PortalRequest(return_url=return_url))


def payments(limit: int | None, after: str | None) -> Call[wire.PaymentList]:
    """`GET /v1/billing/payments`."""
    return _page("payments", wire.PaymentList, limit, after)


def refunds(limit: int | None, after: str | None) -> Call[wire.RefundList]:
    """`GET /v1/billing/refunds`."""
    return _page("refunds", wire.RefundList, limit, after)


def refund(amount: Usd, reason: str, confirmation: str | None) -> Call[wire.RefundList]:
    """`POST /v1/billing/refunds`."""
    asked = "all" if amount == "all" else _usd(amount)
    return _call("POST", "refunds", wire.RefundList, wire.RefundRequest(amount_usd=asked, reason=reason), confirmation)


def card() -> Call[wire.CardInfo]:
    """`GET /v1/billing/card`."""
    return _call("GET", "card", wire.CardInfo)


def remove_card() -> Call[auth.Message]:
    """`DELETE /v1/billing/card`."""
    return _call("DELETE", "card", auth.Message)


def top_up() -> Call[wire.TopUp]:
    """`GET /v1/billing/top-up`."""
    return _call("GET", "top-up", wire.TopUp)


def set_top_up(threshold: Usd, amount: Usd, monthly_maximum: Usd, confirmation: str | None) -> Call[wire.TopUp]:
    """`PUT /v1/billing/top-up`."""
    body = wire.TopUpRequest(
        threshold_usd=_usd(threshold), amount_usd=_usd(amount), monthly_maximum_usd=_usd(monthly_maximum)
    )
    return _call("PUT", "top-up", wire.TopUp, body, confirmation)


def remove_top_up() -> Call[auth.Message]:
    """`DELETE /v1/billing/top-up`."""
    return _call("DELETE", "top-up", auth.Message)


def redeem(code: str) -> Call[promotions_wire.Redeemed]:
    """`POST /v1/billing/promotions`."""
    return _call("POST", "promotions", promotions_wire.Redeemed, promotions_wire.RedeemRequest(code=code))


def promotions() -> Call[promotions_wire.RedeemedPromotions]:
    """`GET /v1/billing/promotions`."""
    return _call("GET", "promotions", promotions_wire.RedeemedPromotions)


def _usd(amount: Usd) -> str:
    return usd_text(Decimal(amount))


def _page(name: str, kind: type[T], limit: int | None, after: str | None) -> Call[T]:
    query = {"limit": None if limit is None else str(limit), "after": after}
    asked = {key: value for key, value in query.items() if value is not None}
    return Call(Request("GET", f"/v1/billing/{name}", query=asked), _responses.parse_as(kind))


def _call(
    method: str, name: str, kind: type[T], body: msgspec.Struct | None = None, confirmation: str | None = None
) -> Call[T]:
    sent = None if body is None else msgspec.json.encode(body)
    headers = {CONFIRMATION_HEADER: confirmation} if confirmation else {}
    return Call(Request(method, f"/v1/billing/{name}", sent, headers=headers), _responses.parse_as(kind))
