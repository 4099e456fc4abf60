"""Promotions as the wire shows them."""

from datetime import datetime

from monkey_coder_protocol import promotions as wire
from monkey_coder_server.domain.money import usd
from monkey_coder_server.ports.promotions import PromotionStanding, Redemption


def shown_redemption(each: Redemption) -> wire.RedeemedPromotion:
    """As its account sees it."""
    return wire.RedeemedPromotion(
        promotion_id=each.promotion_id,
        campaign=each.campaign,
        amount_usd=usd(each.amount),
        left_usd=usd(each.left),
        redeemed_at=each.redeemed_at.isoformat(),
        expires_at=each.expires_at.isoformat(),
    )


def shown_promotion(standing: PromotionStanding, now: datetime) -> wire.OperatorPromotion:
    """As operators see it."""
    promotion = standing.promotion
    return wire.OperatorPromotion(
        promotion_id=promotion.promotion_id,
        code=promotion.code,
        campaign=promotion.campaign,
        amount_usd=usd(promotion.amount),
        lasts_days=promotion.lasts_days,
        starts_at=promotion.starts_at.isoformat(),
        ends_at=None if promotion.ends_at is None else promotion.ends_at.isoformat(),
        maximum=promotion.most,
        redeemed=standing.redeemed,
        new_within_days=promotion.new_within_days,
        plans=list(promotion.plans),
        state=promotion.state(standing.redeemed, now),
        made_by=standing.made_by,
        made_at=standing.made_at.isoformat(),
    )
