"""What operators do with promotions, by command or in a role. Every action is in the audit trail."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.money import usd
from monkey_coder_server.domain.promotions import RANDOM_BYTES, Promotion, compose
from monkey_coder_server.features.billing.promotions.dependencies import Dependencies
from monkey_coder_server.ports.promotions import PromotionStanding
from monkey_coder_server.web.operating import Actor, checked_reason


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionWish:
    """A promotion as it was asked for; `amount` in nano-dollars. No code: one is made. No start: now."""

    campaign: str
    amount: int
    lasts_days: int
    reason: str
    code: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    most: int | None = None
    new_within_days: int | None = None
    plans: Sequence[str] = ()


async def list_promotions(use: Dependencies, by: Actor) -> Sequence[PromotionStanding]:
    """Every promotion that was ever made, the newest first."""
    await use.audit.record(by.entry("promotions.look", target="promotions", at=use.clock.now()))
    return await use.promotions.list()


async def add_promotion(use: Dependencies, by: Actor, wish: PromotionWish) -> PromotionStanding:
    """Make a promotion. Raises `InvalidRequest`, saying which part cannot be; `Conflict` for a code that is taken."""
    now, reason = use.clock.now(), checked_reason(wish.reason)
    await _check_plans(use, wish.plans)
    starts_at = wish.starts_at or now
    if wish.ends_at is not None and wish.ends_at <= max(starts_at, now):
        raise InvalidRequest("A promotion must end after it starts, and after now.")
    code = compose(use.random_bytes(RANDOM_BYTES)) if wish.code is None else wish.code.strip().upper()
    try:
        promotion = Promotion(
            promotion_id=use.ids.new("promo"),
            code=code,
            campaign=wish.campaign.strip(),
            amount=wish.amount,
            lasts_days=wish.lasts_days,
            starts_at=starts_at,
            ends_at=wish.ends_at,
            most=wish.most,
            new_within_days=wish.new_within_days,
            plans=tuple(dict.fromkeys(wish.plans)),
        )
    except ValueError as wrong:
        raise InvalidRequest(str(wrong)) from wrong
    await use.promotions.add(promotion, by=by.name, at=now)
    details = f"{_terms_of(promotion)}; {reason}"
    await use.audit.record(by.entry("promotion.add", target=promotion.promotion_id, at=now, details=details))
    return PromotionStanding(promotion, 0, by.name, now)


async def end_promotion(
    use: Dependencies, by: Actor, promotion_id: str, *, reason: str, ends_at: datetime | None = None
) -> PromotionStanding:
    """End a promotion, now or later; credit that was given stays. Raises `NotFound`, `Conflict`, `InvalidRequest`."""
    now, why = use.clock.now(), checked_reason(reason)
    if ends_at is not None and ends_at < now:
        raise InvalidRequest("A promotion cannot end in the past: who redeemed it keeps the credit.")
    ended = await use.promotions.end(promotion_id, ends_at or now)
    details = f"{_terms_of(ended.promotion)}, redeemed {ended.redeemed} times; {why}"
    await use.audit.record(by.entry("promotion.end", target=promotion_id, at=now, details=details))
    return ended


async def _check_plans(use: Dependencies, plans: Sequence[str]) -> None:
    known = {each.plan_id for each in await use.plans.every()}
    for plan in plans:
        if plan not in known:
            message = f"There is no plan {plan[:60]!r}; there are {', '.join(sorted(known))}."
            raise InvalidRequest(message)


def _terms_of(promotion: Promotion) -> str:
    """What is promised, without the code."""
    until = "until it is ended" if promotion.ends_at is None else f"until {promotion.ends_at.isoformat()}"
    bounds = (
        ("at most", promotion.most, "times"),
        ("accounts of at most", promotion.new_within_days, "days"),
        ("plans", " ".join(promotion.plans), ""),
    )
    told = [" ".join(filter(None, (before, str(bound), after))) for before, bound, after in bounds if bound]
    return ", ".join(
        [
            f"{promotion.campaign}: {usd(promotion.amount)} USD for {promotion.lasts_days} days",
            f"from {promotion.starts_at.isoformat()} {until}",
            *told,
        ]
    )
