"""The audit of promotions: each redemption has its grant, each such grant its redemption, and the counts agree."""

from collections.abc import Mapping

from sqlalchemy import text

from monkey_coder_server.adapters.storage.transaction import Query

PROMOTION_CHECKS: Mapping[str, Query] = {
    "promotion_redemptions_without_their_grant": Query(
        text("""
        SELECT promotion_id || ' ' || account_id FROM promotion_redemptions r WHERE NOT EXISTS (
            SELECT 1 FROM grants g WHERE g.grant_id = r.grant_id AND g.account_id = r.account_id
            AND g.kind = 'promo' AND g.amount = r.amount AND g.expires_at = r.expires_at
        )
        """)
    ),
    "promotion_grants_without_redemption": Query(
        text(r"""
        SELECT grant_id FROM grants g WHERE grant_id LIKE 'grant\:%\:promotion\:%' AND NOT EXISTS (
            SELECT 1 FROM promotion_redemptions r WHERE r.grant_id = g.grant_id AND r.account_id = g.account_id
        )
        """)
    ),
    "promotions_differing_from_redemptions": Query(
        text("""
        SELECT promotion_id FROM promotions p WHERE redeemed <> (
            SELECT COUNT(*) FROM promotion_redemptions r
            WHERE r.promotion_id = p.promotion_id AND r.amount = p.amount
        )
        """)
    ),
}
