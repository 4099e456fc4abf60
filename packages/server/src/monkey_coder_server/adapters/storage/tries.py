"""Tries that were counted, by a digest of what they were at."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_not

from monkey_coder_server.adapters.storage.moments import MICROSECOND, to_micros
from monkey_coder_server.adapters.storage.operations import Writing
from monkey_coder_server.adapters.storage.people import tries
from monkey_coder_server.adapters.storage.transaction import Query, Transaction, change
from monkey_coder_server.domain.throttling import NEVER_TRIED, Allowance, Standing, given_back, not_ahead, tried, wait

DROPPED_AT_ONCE = 1_000
_MEET = Query(
    insert_or_not(tries)
    .values(subject=bindparam("whose"), clear_at=bindparam("clear"), last_at=bindparam("last"))
    .on_conflict_do_nothing()
)
_LOCK = Query(select(tries.c.clear_at, tries.c.last_at).where(tries.c.subject == bindparam("whose")).with_for_update())
_COUNT = Query(
    update(tries)
    .where(tries.c.subject == bindparam("whose"))
    .values(clear_at=bindparam("clear"), last_at=bindparam("last"))
)
_FORGET = Query(delete(tries).where(tries.c.subject == bindparam("whose")))
_CLEAR = tries.c.clear_at <= bindparam("at")
_SOME_CLEAR = select(tries.c.subject).where(_CLEAR).limit(DROPPED_AT_ONCE)
_DROP_CLEAR = Query(delete(tries).where(tries.c.subject.in_(_SOME_CLEAR), _CLEAR))


class SqlTries:
    """`ports.tries.Tries`. Writes are durable on return."""

    def __init__(self, writer: Writing) -> None:
        self._writer = writer

    async def take(self, subjects: Mapping[str, Allowance], at: datetime) -> timedelta:
        """Count a try for each subject and return nothing to wait, or count none and return how long to wait."""
        allowances = {_digest(subject): allowance for subject, allowance in subjects.items()}
        return await self._writer.perform(partial(_take, allowances, to_micros(at))) * MICROSECOND

    async def give_back(self, subject: str, allowance: Allowance) -> None:
        """Uncount one try."""
        await self._writer.perform(partial(_give_back, _digest(subject), allowance))

    async def forget(self, subject: str) -> None:
        """Forget all tries of a subject."""
        await self._writer.perform(partial(change, _FORGET, {"whose": _digest(subject)}))

    async def drop_clear(self, at: datetime) -> int:
        """Drop some of the rows of which nothing is remembered any more; how many."""
        return await self._writer.perform(partial(change, _DROP_CLEAR, {"at": to_micros(at)}))


def _digest(subject: str) -> bytes:
    return sha256(subject.encode()).digest()


def _take(allowances: Mapping[bytes, Allowance], now: int, transaction: Transaction) -> int:
    standings = {subject: _met_at(subject, now, transaction) for subject in sorted(allowances)}
    waits = [wait(standing, allowances[subject], now) for subject, standing in standings.items()]
    if any(waits):
        return max(waits)
    for subject, standing in standings.items():
        _note(subject, tried(standing, allowances[subject], now), transaction)
    return 0


def _met(subject: bytes, transaction: Transaction) -> Standing:
    """How a subject stands; its row is ours until the end of the transaction."""
    never = {"whose": subject, "clear": NEVER_TRIED.clear_at, "last": NEVER_TRIED.last_at}
    transaction.change(_MEET, never)
    clear_at, last_at = transaction.row(_LOCK, {"whose": subject}) or (NEVER_TRIED.clear_at, NEVER_TRIED.last_at)
    return Standing(clear_at, last_at)


def _met_at(subject: bytes, now: int, transaction: Transaction) -> Standing:
    """The same, put right where the clock was set back."""
    found = _met(subject, transaction)
    standing = not_ahead(found, now)
    if standing != found:
        _note(subject, standing, transaction)
    return standing


def _note(subject: bytes, standing: Standing, transaction: Transaction) -> None:
    transaction.change(_COUNT, {"whose": subject, "clear": standing.clear_at, "last": standing.last_at})


def _give_back(subject: bytes, allowance: Allowance, transaction: Transaction) -> None:
    _note(subject, given_back(_met(subject, transaction), allowance), transaction)
