"""Promotions: codes that give credit. Money is a decimal USD string, times are ISO 8601."""

import msgspec


class RedeemRequest(msgspec.Struct, kw_only=True):
    """`POST /v1/billing/promotions`. Small letters, hyphens and spaces make no difference."""

    code: str


class RedeemedPromotion(msgspec.Struct, kw_only=True):
    """Credit that a code gave, and what is left of it; it ends at `expires_at`."""

    promotion_id: str
    campaign: str
    amount_usd: str
    left_usd: str
    redeemed_at: str
    expires_at: str


class Redeemed(RedeemedPromotion, kw_only=True):
    """The same just redeemed, and the balance after it."""

    balance_usd: str


class RedeemedPromotions(msgspec.Struct):
    """`GET /v1/billing/promotions`: what the account redeemed, the newest first."""

    promotions: list[RedeemedPromotion]
    count: int


class AddPromotion(msgspec.Struct, kw_only=True):
    """A promotion to be made. Customers read the `campaign`; the `reason` is for the audit trail.

    Each account that redeems the code gets `amount_usd` once, and has it for `lasts_days`. Without `code` one is made;
    without `starts_at` it begins at once, without `ends_at` it lasts until it is ended. A day counts from its beginning
    in UTC. `maximum` is how many accounts can redeem it in all, `new_within_days` how old they may be in days, `plans`
    what they must be on.
    """

    campaign: str
    amount_usd: str
    lasts_days: int
    reason: str
    code: str | None = None
    starts_at: str | None = None
    ends_at: str | None = None
    maximum: int | None = None
    new_within_days: int | None = None
    plans: list[str] = []


class EndPromotion(msgspec.Struct, kw_only=True):
    """When a promotion ends, by default now, and why."""

    reason: str
    ends_at: str | None = None


class OperatorPromotion(msgspec.Struct, kw_only=True):
    """A promotion as its operators see it. `state` is `to come`, `in force`, `used up` or `over`.

    Null for `maximum`, `new_within_days` or `ends_at`, and no `plans`, mean no such bound.
    """

    promotion_id: str
    code: str
    campaign: str
    amount_usd: str
    lasts_days: int
    starts_at: str
    ends_at: str | None
    maximum: int | None
    redeemed: int
    new_within_days: int | None
    plans: list[str]
    state: str
    made_by: str
    made_at: str


class OperatorPromotions(msgspec.Struct):
    """`GET /v1/operator/promotions`: every promotion that was ever made, the newest first."""

    promotions: list[OperatorPromotion]
    count: int
