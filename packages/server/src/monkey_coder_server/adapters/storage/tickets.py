"""Single-use tokens by their digests."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Select, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_not

from monkey_coder_server.adapters.storage.moments import from_micros, to_micros
from monkey_coder_server.adapters.storage.operations import Reading, Writing
from monkey_coder_server.adapters.storage.people import tickets
from monkey_coder_server.adapters.storage.transaction import Parameters, Query, Row, Transaction, change
from monkey_coder_server.domain.errors import Conflict
from monkey_coder_server.ports.tickets import Ticket

_ISSUE = Query(insert_or_not(tickets).on_conflict_do_nothing())
_USABLE: Select[Any] = select(
    tickets.c.digest, tickets.c.purpose, tickets.c.subject, tickets.c.expires_at, tickets.c.details
).where(tickets.c.purpose == bindparam("good_for"), tickets.c.expires_at > bindparam("at"))
_FIND = Query(_USABLE.where(tickets.c.digest == bindparam("wanted")))
_OF_SUBJECT = Query(
    _USABLE.where(tickets.c.subject == bindparam("whose")).order_by(tickets.c.expires_at, tickets.c.digest)
)
_HOW_MANY = Query(
    select(func.count()).where(
        tickets.c.purpose == bindparam("good_for"),
        tickets.c.subject == bindparam("whose"),
        tickets.c.expires_at > bindparam("at"),
    )
)
_BOUNDED = "bounded tickets"
"""One of those that are counted is issued at a time, so that of many issued at once none is beyond the most."""
_USE_UP = Query(
    delete(tickets).where(tickets.c.digest == bindparam("wanted"), tickets.c.purpose == bindparam("good_for"))
)
_AMEND = Query(
    update(tickets)
    .where(
        tickets.c.digest == bindparam("wanted"),
        tickets.c.purpose == bindparam("good_for"),
        tickets.c.details == bindparam("old"),
    )
    .values(details=bindparam("new"))
)
_WITHDRAW = Query(
    delete(tickets).where(tickets.c.purpose == bindparam("good_for"), tickets.c.subject == bindparam("whose"))
)
_DROP_EXPIRED = Query(delete(tickets).where(tickets.c.expires_at <= bindparam("at")))


class SqlTickets:
    """`ports.tickets.Tickets`. Writes are durable on return."""

    def __init__(self, writer: Writing, readers: Reading) -> None:
        self._writer = writer
        self._readers = readers

    async def issue(self, ticket: Ticket) -> None:
        """Store a ticket. Raises `Conflict` when there is one of the same digest."""
        await self._writer.perform(partial(_issue, ticket))

    async def issue_one_of(self, ticket: Ticket, most: int, at: datetime) -> bool:
        """Store a ticket unless its subject can use `most` of that purpose then, however many are issued at once."""
        return await self._writer.perform(partial(_issue_one_of, ticket, most, at))

    async def find(self, digest: bytes, purpose: str, at: datetime) -> Ticket | None:
        """A ticket of that purpose that can still be used at that time."""
        wanted = _wanted(digest, purpose, at)
        row = await self._readers.read(lambda transaction: transaction.row(_FIND, wanted))
        return None if row is None else _ticket(row)

    async def of_subject(self, purpose: str, subject: str, at: datetime) -> Sequence[Ticket]:
        """The tickets of a purpose that a subject can still use at that time, those that expire first first."""
        wanted: Parameters = {"good_for": purpose, "whose": subject, "at": to_micros(at)}
        return [
            _ticket(row) for row in await self._readers.read(lambda transaction: transaction.rows(_OF_SUBJECT, wanted))
        ]

    async def redeem(self, digest: bytes, purpose: str, at: datetime) -> Ticket | None:
        """Use a ticket up: of many who come with it at once, one gets it."""
        return await self._writer.perform(partial(_redeem, _wanted(digest, purpose, at)))

    async def amend(self, digest: bytes, purpose: str, *, old: str, new: str) -> bool:
        """Replace the details `old` by `new`; False when they are not `old` any more or the ticket is used."""
        values: Parameters = {"wanted": digest, "good_for": purpose, "old": old, "new": new}
        return bool(await self._writer.perform(partial(change, _AMEND, values)))

    async def withdraw(self, purpose: str, subject: str) -> None:
        """Make every ticket of a purpose useless that its subject still has."""
        await self._writer.perform(partial(withdraw, purpose, subject))

    async def drop_expired(self, at: datetime) -> None:
        """Forget what nobody can use any more."""
        await self._writer.perform(partial(change, _DROP_EXPIRED, {"at": to_micros(at)}))


def _wanted(digest: bytes, purpose: str, at: datetime) -> Parameters:
    return {"wanted": digest, "good_for": purpose, "at": to_micros(at)}


def withdraw(purpose: str, subject: str, transaction: Transaction) -> None:
    """Make every ticket of a purpose useless that its subject still has."""
    transaction.change(_WITHDRAW, {"good_for": purpose, "whose": subject})


def _issue(ticket: Ticket, transaction: Transaction) -> None:
    values: Parameters = {
        "digest": ticket.digest,
        "purpose": ticket.purpose,
        "subject": ticket.subject,
        "expires_at": to_micros(ticket.expires_at),
        "details": ticket.details,
    }
    if not transaction.change(_ISSUE, values):
        raise Conflict("There is such a ticket already.")


def _issue_one_of(ticket: Ticket, most: int, at: datetime, transaction: Transaction) -> bool:
    transaction.alone(_BOUNDED)
    wanted: Parameters = {"good_for": ticket.purpose, "whose": ticket.subject, "at": to_micros(at)}
    [(there,)] = transaction.rows(_HOW_MANY, wanted)
    if there >= most:
        return False
    _issue(ticket, transaction)
    return True


def _redeem(wanted: Parameters, transaction: Transaction) -> Ticket | None:
    row = transaction.row(_FIND, wanted)
    if row is None or not transaction.change(_USE_UP, {key: wanted[key] for key in ("wanted", "good_for")}):
        return None
    return _ticket(row)


def _ticket(row: Row) -> Ticket:
    digest, purpose, subject, expires_at, details = row
    return Ticket(bytes(digest), purpose, subject, from_micros(expires_at), details)
