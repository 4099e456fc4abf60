"""Promotions as operators make them, kept for good and only ever ended; and who redeemed them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from monkey_coder_server.domain.promotions import Promotion
from monkey_coder_server.ports.record import Record


class PromotionStanding(Record, frozen=True):
    """A promotion, how often it was redeemed, and who made it when."""

    promotion: Promotion
    redeemed: int
    made_by: str
    made_at: datetime


class RedeemWish(Record, frozen=True):
    """`code` as `domain.promotions.folded` gives it; `by` is the person who asks, or whose key does."""

    code: str
    account_id: str
    by: str
    at: datetime


class Redemption(Record, frozen=True):
    """Credit an account got by a code, and what is left of it. Amounts are nano-dollars."""

    promotion_id: str
    campaign: str
    amount: int
    left: int
    redeemed_at: datetime
    expires_at: datetime


class Promotions(Protocol):
    """Changes are durable on return. Raises `Unavailable`."""

    async def list(self) -> Sequence[PromotionStanding]:
        """Every promotion that was ever made, the newest first."""

    async def add(self, promotion: Promotion, *, by: str, at: datetime) -> None:
        """Keep a promotion. Raises `Conflict` when its code is taken, also by one that is over."""

    async def end(self, promotion_id: str, at: datetime) -> PromotionStanding:
        """End it: at that moment, or before it starts. Raises `NotFound`, and `Conflict` when it is over by then."""

    async def redeem(self, wish: RedeemWish) -> Redemption:
        """Give the credit, once an account and never more often than the promotion allows, whoever asks at once.

        Raises `NotFound`, `Conflict`, `Forbidden` as `domain.promotions.check` does, and `Conflict` for a second time.
        """

    async def of_account(self, account_id: str) -> Sequence[Redemption]:
        """What an account redeemed, the newest first."""
