"""Sessions: families of refresh tokens."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Select, bindparam, desc, false, insert, literal_column, or_, select, true, update

from monkey_coder_server.adapters.storage.moments import from_micros, to_micros
from monkey_coder_server.adapters.storage.operations import Reading, Writing
from monkey_coder_server.adapters.storage.people import sessions, users
from monkey_coder_server.adapters.storage.transaction import Parameters, Query, Row, Transaction, change
from monkey_coder_server.domain.operators import acting_name
from monkey_coder_server.ports.accounts import Rotation, Session
from monkey_coder_server.ports.clock import Clock

_COLUMNS = (
    sessions.c.session_id,
    sessions.c.user_id,
    sessions.c.token_digest,
    sessions.c.expires_at,
    sessions.c.revoked,
    sessions.c.created_at,
    sessions.c.confirmed_at,
    sessions.c.second_factor,
    sessions.c.address,
    sessions.c.agent,
    sessions.c.used_digest,
    sessions.c.rotated_at,
    sessions.c.impersonator,
)
_TIMES = ("expires_at", "created_at", "confirmed_at", "rotated_at")
_SELECT: Select[Any] = select(*_COLUMNS)
_OPEN = Query(insert(sessions))
_FIND = Query(_SELECT.where(sessions.c.session_id == bindparam("wanted")))
_OF_USER = Query(
    _SELECT.where(
        sessions.c.user_id == bindparam("user"), sessions.c.revoked == false(), sessions.c.expires_at > bindparam("at")
    ).order_by(desc(sessions.c.created_at), sessions.c.session_id)
)
_SEEN = Query(
    select(sessions.c.session_id)
    .join(users, users.c.user_id == sessions.c.user_id)
    .where(
        users.c.email_folded == bindparam("folded"),
        sessions.c.address == bindparam("where"),
        sessions.c.created_at > bindparam("since"),
    )
    .limit(1)
)
_ROTATE = Query(
    update(sessions)
    .where(
        sessions.c.session_id == bindparam("wanted"),
        sessions.c.token_digest == bindparam("old"),
        sessions.c.revoked == false(),
    )
    .values(
        token_digest=bindparam("new"),
        expires_at=bindparam("until"),
        used_digest=bindparam("old"),
        rotated_at=bindparam("at"),
    )
)
_RACED = Query(
    select(sessions.c.session_id).where(
        sessions.c.session_id == bindparam("wanted"),
        sessions.c.used_digest == bindparam("old"),
        sessions.c.token_digest == bindparam("new"),
        sessions.c.rotated_at > bindparam("came"),
        sessions.c.revoked == false(),
    )
)
"""The turn was made while this request was on its way: both of the client's requests are given the same token."""
_CONFIRM = Query(
    update(sessions)
    .where(sessions.c.session_id == bindparam("wanted"))
    .values(
        confirmed_at=bindparam("at"), second_factor=or_(sessions.c.second_factor == true(), bindparam("strong") == 1)
    )
)
_REVOKE = Query(update(sessions).where(sessions.c.session_id == bindparam("wanted")).values(revoked=true()))
_REVOKE_ALL = Query(
    update(sessions)
    .where(
        sessions.c.user_id == bindparam("user"),
        sessions.c.session_id != bindparam("but"),
        sessions.c.revoked == false(),
    )
    .values(revoked=true())
)
_END_ACTING = Query(
    update(sessions)
    .where(sessions.c.impersonator == bindparam("who"), sessions.c.impersonator != literal_column("''"))
    .values(revoked=true())
)


class SqlSessions:
    """`ports.accounts.Sessions`. Writes are durable on return."""

    def __init__(self, writer: Writing, readers: Reading, clock: Clock) -> None:
        self._writer = writer
        self._readers = readers
        self._clock = clock

    async def open(self, session: Session) -> None:
        """Store a new session."""
        await self._writer.perform(partial(change, _OPEN, _row(session)))

    async def find(self, session_id: str) -> Session | None:
        """One session."""
        row = await self._readers.read(lambda transaction: transaction.row(_FIND, {"wanted": session_id}))
        return None if row is None else _session(row)

    async def of_user(self, user_id: str, at: datetime) -> Sequence[Session]:
        """A person's sessions that have not ended, newest first."""
        wanted: Parameters = {"user": user_id, "at": to_micros(at)}
        return [
            _session(row) for row in await self._readers.read(lambda transaction: transaction.rows(_OF_USER, wanted))
        ]

    async def seen_from(self, email: str, address: str, since: datetime) -> bool:
        """Whether the person of an e-mail address has logged in from a network address since then."""
        wanted: Parameters = {"folded": email.strip().casefold(), "where": address, "since": to_micros(since)}
        return await self._readers.read(lambda transaction: transaction.row(_SEEN, wanted)) is not None

    async def rotate(self, session_id: str, turn: Rotation) -> bool:
        """Swap the token digest; False, and the family revoked, when the old token was used up before it came."""
        return await self._writer.perform(partial(_rotate, session_id, turn, self._clock))

    async def confirm(self, session_id: str, at: datetime, *, second_factor: bool) -> None:
        """Note that the person has just proved again that it is them."""
        values: Parameters = {"wanted": session_id, "at": to_micros(at), "strong": int(second_factor)}
        await self._writer.perform(partial(change, _CONFIRM, values))

    async def revoke(self, session_id: str) -> None:
        """End a session; harmless when ended."""
        await self._writer.perform(partial(change, _REVOKE, {"wanted": session_id}))

    async def revoke_all(self, user_id: str, *, but: str = "") -> int:
        """End every session of a person, but for one; how many that were.

        Those in which they act for others as an operator end as well.
        """
        return await self._writer.perform(partial(_revoke_all, user_id, but))


def _revoke_all(user_id: str, but: str, transaction: Transaction) -> int:
    end_acting(user_id, transaction)
    return transaction.change(_REVOKE_ALL, {"user": user_id, "but": but})


def end_acting(user_id: str, transaction: Transaction) -> None:
    """End the sessions in which a person acts for others as an operator."""
    transaction.change(_END_ACTING, {"who": acting_name(user_id)})


def _rotate(session_id: str, turn: Rotation, clock: Clock, transaction: Transaction) -> bool:
    values: Parameters = {
        "wanted": session_id,
        "old": turn.old,
        "new": turn.new,
        "until": to_micros(turn.expires_at),
    }
    if transaction.change(_ROTATE, {**values, "at": to_micros(clock.now())}):
        return True
    raced = {name: values[name] for name in ("wanted", "old", "new")}
    if transaction.row(_RACED, {**raced, "came": to_micros(turn.came)}) is not None:
        return True
    transaction.change(_REVOKE, {"wanted": session_id})
    return False


def _row(session: Session) -> Parameters:
    values = asdict(session)
    return {**values, **{name: None if values[name] is None else to_micros(values[name]) for name in _TIMES}}


def _session(row: Row) -> Session:
    values: dict[str, Any] = dict(zip((column.name for column in _COLUMNS), row, strict=True))
    times = {name: None if values[name] is None else from_micros(values[name]) for name in _TIMES}
    flags = {name: bool(values[name]) for name in ("revoked", "second_factor")}
    return Session(**{**values, **times, **flags})
