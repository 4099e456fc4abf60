"""Promotions as rows. Redeeming is one transaction behind two locks: the account's wallet, then the promotion's row."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import bindparam, insert, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_not

from monkey_coder_server.adapters.storage import grants, holds
from monkey_coder_server.adapters.storage.limit_tables import grants as grant_table
from monkey_coder_server.adapters.storage.moments import (
    from_micros,
    optional_from_micros,
    optional_to_micros,
    to_micros,
)
from monkey_coder_server.adapters.storage.operations import Reading, Writing
from monkey_coder_server.adapters.storage.people import accounts
from monkey_coder_server.adapters.storage.plans import history_of
from monkey_coder_server.adapters.storage.promotion_tables import promotion_redemptions as redemptions
from monkey_coder_server.adapters.storage.promotion_tables import promotions
from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction
from monkey_coder_server.domain.errors import Conflict, NotFound
from monkey_coder_server.domain.ledger import grant_id
from monkey_coder_server.domain.operators import acting_name
from monkey_coder_server.domain.plans import plan_at
from monkey_coder_server.domain.promotions import Promotion, Redeemer, check, folded, unknown
from monkey_coder_server.ports.promotions import PromotionStanding, RedeemWish, Redemption

_COLUMNS = select(
    promotions.c.promotion_id,
    promotions.c.code,
    promotions.c.campaign,
    promotions.c.amount,
    promotions.c.lasts_days,
    promotions.c.starts_at,
    promotions.c.ends_at,
    promotions.c.most,
    promotions.c.new_within_days,
    promotions.c.plans,
    promotions.c.redeemed,
    promotions.c.made_by,
    promotions.c.made_at,
)
_ALL = Query(_COLUMNS.order_by(promotions.c.made_at.desc(), promotions.c.promotion_id.desc()))
_LOCK = Query(_COLUMNS.where(promotions.c.promotion_id == bindparam("wanted")).with_for_update())
_CODED = Query(select(promotions.c.promotion_id).where(promotions.c.code_folded == bindparam("code")))
_ADD = Query(
    insert_or_not(promotions)
    .values({column.name: bindparam(column.name) for column in promotions.columns} | {"redeemed": literal_column("0")})
    .on_conflict_do_nothing()
)
_END = Query(
    update(promotions).where(promotions.c.promotion_id == bindparam("wanted")).values(ends_at=bindparam("ends"))
)
_COUNT = Query(
    update(promotions)
    .where(promotions.c.promotion_id == bindparam("wanted"))
    .values(redeemed=promotions.c.redeemed + literal_column("1"))
)
_NOTE = Query(insert(redemptions))
_REDEEMED = Query(
    select(redemptions.c.at).where(
        redemptions.c.promotion_id == bindparam("wanted"), redemptions.c.account_id == bindparam("account")
    )
)
_OF_ACCOUNT = Query(
    select(
        redemptions.c.promotion_id,
        redemptions.c.campaign,
        redemptions.c.amount,
        grant_table.c.remaining,
        redemptions.c.at,
        redemptions.c.expires_at,
    )
    .join(grant_table, grant_table.c.grant_id == redemptions.c.grant_id)
    .where(redemptions.c.account_id == bindparam("account"))
    .order_by(redemptions.c.at.desc(), redemptions.c.promotion_id.desc())
)
_OPENED = Query(select(accounts.c.created_at).where(accounts.c.account_id == bindparam("account")))


class SqlPromotions:
    """`ports.promotions.Promotions`."""

    def __init__(self, writer: Writing, readers: Reading) -> None:
        self._writer = writer
        self._readers = readers

    async def list(self) -> Sequence[PromotionStanding]:
        """Every promotion that was ever made, the newest first."""
        return [_standing(row) for row in await self._readers.read(lambda reading: reading.rows(_ALL, {}))]

    async def add(self, promotion: Promotion, *, by: str, at: datetime) -> None:
        """Keep a promotion. Raises `Conflict` when its code is taken, also by one that is over."""
        await self._writer.perform(partial(_add, PromotionStanding(promotion, 0, by, at)))

    async def end(self, promotion_id: str, at: datetime) -> PromotionStanding:
        """End it. Raises `NotFound`, and `Conflict` when it is over by then."""
        return await self._writer.perform(partial(_end, promotion_id, at))

    async def redeem(self, wish: RedeemWish) -> Redemption:
        """Give the credit of a code. Raises `NotFound`, `Conflict`, `Forbidden`."""
        return await self._writer.perform(partial(_redeem, wish))

    async def of_account(self, account_id: str) -> Sequence[Redemption]:
        """What an account redeemed, the newest first."""
        rows = await self._readers.read_of(
            account_id, lambda reading: reading.rows(_OF_ACCOUNT, {"account": account_id})
        )
        return [_redemption(row) for row in rows]


def _add(standing: PromotionStanding, transaction: Transaction) -> None:
    promotion = standing.promotion
    made = transaction.change(
        _ADD,
        {
            "promotion_id": promotion.promotion_id,
            "code": promotion.code,
            "code_folded": folded(promotion.code),
            "campaign": promotion.campaign,
            "amount": promotion.amount,
            "lasts_days": promotion.lasts_days,
            "starts_at": to_micros(promotion.starts_at),
            "ends_at": optional_to_micros(promotion.ends_at),
            "most": promotion.most,
            "new_within_days": promotion.new_within_days,
            "plans": " ".join(promotion.plans),
            "made_by": standing.made_by,
            "made_at": to_micros(standing.made_at),
        },
    )
    if not made:
        raise Conflict("There is or was a promotion of this code; a code is used once.")


def _end(promotion_id: str, at: datetime, transaction: Transaction) -> PromotionStanding:
    row = transaction.row(_LOCK, {"wanted": promotion_id})
    if row is None:
        message = f"There is no promotion {promotion_id!r}; `monkey-server admin promotions list` shows them."
        raise NotFound(message)
    standing = _standing(row)
    promotion = standing.promotion
    if promotion.over(at):
        message = f"The promotion {promotion_id} is over by then already."
        raise Conflict(message)
    ended = replace(promotion, ends_at=max(at, promotion.starts_at))
    transaction.change(_END, {"wanted": promotion_id, "ends": optional_to_micros(ended.ends_at)})
    return PromotionStanding(ended, standing.redeemed, standing.made_by, standing.made_at)


def _redeem(wish: RedeemWish, transaction: Transaction) -> Redemption:
    """A code that is none is found out before anything is locked."""
    coded = transaction.row(_CODED, {"code": wish.code})
    if coded is None:
        raise unknown()
    holds.lock_wallet(transaction, wish.account_id)
    [row] = transaction.rows(_LOCK, {"wanted": coded[0]})
    standing = _standing(row)
    promotion = standing.promotion
    whose = {"wanted": promotion.promotion_id, "account": wish.account_id}
    if transaction.row(_REDEEMED, whose) is not None:
        raise Conflict("This account redeemed this promotion before; an account does so once.")
    check(promotion, standing.redeemed, _redeemer(wish, standing.made_by, transaction), wish.at)
    return _give(promotion, wish, transaction)


def _redeemer(wish: RedeemWish, made_by: str, transaction: Transaction) -> Redeemer:
    opened = transaction.row(_OPENED, {"account": wish.account_id})
    plan = plan_at(history_of(wish.account_id, transaction), wish.at)
    return Redeemer(None if opened is None else from_micros(opened[0]), plan, made_by == acting_name(wish.by))


def _give(promotion: Promotion, wish: RedeemWish, transaction: Transaction) -> Redemption:
    key = f"promotion:{promotion.promotion_id}"
    expires_at = wish.at + timedelta(days=promotion.lasts_days)
    grant = grants.Grant(
        wish.account_id,
        promotion.amount,
        f"promotion {promotion.campaign}",
        key,
        to_micros(wish.at),
        expires_at=to_micros(expires_at),
    )
    grants.give(grant, transaction)
    transaction.change(_COUNT, {"wanted": promotion.promotion_id})
    note = {
        "promotion_id": promotion.promotion_id,
        "account_id": wish.account_id,
        "grant_id": grant_id(wish.account_id, key),
        "campaign": promotion.campaign,
        "amount": promotion.amount,
        "redeemed_by": wish.by,
        "at": grant.at,
        "expires_at": grant.expires_at,
    }
    transaction.change(_NOTE, note)
    return Redemption(
        promotion.promotion_id, promotion.campaign, promotion.amount, promotion.amount, wish.at, expires_at
    )


def _standing(row: Row) -> PromotionStanding:
    promotion_id, code, campaign, amount, lasts_days, starts_at, ends_at, most, new_within_days, plans = row[:10]
    redeemed, made_by, made_at = row[10:]
    promotion = Promotion(
        promotion_id=promotion_id,
        code=code,
        campaign=campaign,
        amount=amount,
        lasts_days=lasts_days,
        starts_at=from_micros(starts_at),
        ends_at=optional_from_micros(ends_at),
        most=most,
        new_within_days=new_within_days,
        plans=tuple(plans.split()),
    )
    return PromotionStanding(promotion, redeemed, made_by, from_micros(made_at))


def _redemption(row: Row) -> Redemption:
    promotion_id, campaign, amount, left, at, expires_at = row
    return Redemption(promotion_id, campaign, amount, left, from_micros(at), from_micros(expires_at))
