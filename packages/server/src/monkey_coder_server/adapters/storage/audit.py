"""The append-only record of operator and account actions, each entry chained to the one before."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import astuple, fields
from datetime import datetime
from functools import partial

from sqlalchemy import bindparam, func, insert, select

from monkey_coder_server.adapters.storage.moments import from_micros, to_micros
from monkey_coder_server.adapters.storage.operations import Reading, Writing
from monkey_coder_server.adapters.storage.people import audit
from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction
from monkey_coder_server.domain.audit_chain import FIRST_PREVIOUS, Link, Told, Walk, digest
from monkey_coder_server.domain.audit_damping import Damper, Kind
from monkey_coder_server.ports.accounts import REFUSED, AuditEntry
from monkey_coder_server.ports.audit_log import AuditRecord, AuditReport

PAGE = 1_000
MOST_BROKEN = 20
"""Wrong places that are told; one tells as much as a thousand."""
GATEWAY = "gateway"
_CHAIN = "audit chain"
_TOLD = [audit.c[field.name] for field in fields(AuditEntry)]
_PLACE = (audit.c.sequence, audit.c.previous, audit.c.digest)
_RECORD = select(audit.c.audit_id, *_PLACE, *_TOLD)
_APPEND = Query(
    insert(audit).values({column.name: bindparam(column.name) for column in audit.columns if column.name != "audit_id"})
)
_LAST = Query(
    select(audit.c.sequence, audit.c.digest)
    .where(audit.c.sequence.is_not(None))
    .order_by(audit.c.sequence.desc())
    .limit(1)
)
_FIRST = Query(select(func.min(audit.c.sequence)))
_NEWEST = Query(
    _RECORD.where(audit.c.account_id == bindparam("account"), audit.c.audit_id < bindparam("before"))
    .order_by(audit.c.audit_id.desc())
    .limit(bindparam("most"))
)
_ALL = Query(_RECORD.where(audit.c.audit_id > bindparam("after")).order_by(audit.c.audit_id).limit(PAGE))
_ITS_OWN = Query(
    _RECORD.where(audit.c.account_id == bindparam("account"), audit.c.audit_id > bindparam("after"))
    .order_by(audit.c.audit_id)
    .limit(PAGE)
)
_BEYOND = 2**62
"""Above every id."""


class SqlAudit:
    """`ports.accounts.Audit` and `ports.audit_log.AuditLog`; the table refuses changes."""

    def __init__(self, writer: Writing, readers: Reading) -> None:
        self._writer = writer
        self._readers = readers
        self._damper = Damper()

    async def record(self, entry: AuditEntry) -> None:
        """Append one entry, durable on return; of refusals the first of a kind, the others are counted."""
        if entry.outcome == REFUSED:
            kind = Kind(entry.account_id, entry.action, entry.address)
            if not self._damper.admit(kind, entry.at.timestamp()):
                return
        await self._writer.perform(partial(_append, entry))

    async def tell_counted(self, at: datetime) -> None:
        """Append how many refusals were counted of each kind whose time is over."""
        for counted in self._damper.due(at.timestamp()):
            kind = counted.kind
            entry = AuditEntry(
                GATEWAY,
                kind.action,
                target=kind.account_id,
                at=at,
                account_id=kind.account_id,
                details=f"{counted.times} more were refused since the last that is written here",
                address=kind.address,
                outcome=REFUSED,
            )
            await self._writer.perform(partial(_append, entry))

    async def newest(self, account_id: str, *, before: int | None, most: int) -> Sequence[AuditRecord]:
        """Entries of an account, newest first, older than the one of an id."""
        wanted = {"account": account_id, "before": _BEYOND if before is None else before, "most": most}
        return await self._readers.read_of(
            account_id, lambda transaction: [_read(row) for row in transaction.rows(_NEWEST, wanted)]
        )

    async def pages(self, account_id: str | None) -> AsyncIterator[Sequence[AuditRecord]]:
        """Every entry of an account, or of all, oldest first, some at a time."""
        after = 0
        while page := await self._readers.report(partial(_page, account_id, after)):
            yield page
            after = page[-1].audit_id

    async def head(self) -> tuple[int, bytes]:
        """How many entries the chain has, and the digest of the newest."""
        newest = await self._readers.read(lambda transaction: transaction.row(_LAST, {}))
        return (newest[0], newest[1]) if newest is not None else (0, FIRST_PREVIOUS)

    async def verify(self, noted: bytes | None = None) -> AuditReport:
        """Walk the whole chain; `noted` is the digest of an entry that must be in it."""
        return await self._readers.report(partial(_verified, noted))


def _append(entry: AuditEntry, transaction: Transaction) -> None:
    transaction.alone(_CHAIN)
    sequence, previous = transaction.row(_LAST, {}) or (0, FIRST_PREVIOUS)
    told = _told(entry)
    place = {"sequence": sequence + 1, "previous": previous, "digest": digest(previous, told)}
    transaction.change(_APPEND, dict(zip([column.name for column in _TOLD], told, strict=True)) | place)


def _told(entry: AuditEntry) -> Told:
    return [to_micros(value) if isinstance(value, datetime) else value for value in astuple(entry)]


def _page(account_id: str | None, after: int, transaction: Transaction) -> list[AuditRecord]:
    query = _ALL if account_id is None else _ITS_OWN
    return [_read(row) for row in transaction.rows(query, {"account": account_id, "after": after})]


def _read(row: Row) -> AuditRecord:
    audit_id, sequence, previous, written, *told = row
    named = dict(zip([column.name for column in _TOLD], told, strict=True))
    return AuditRecord(audit_id, AuditEntry(**{**named, "at": from_micros(named["at"])}), sequence, previous, written)


def _verified(noted: bytes | None, transaction: Transaction) -> AuditReport:
    (first,) = transaction.row(_FIRST, {}) or (None,)
    walk, broken, after, found = Walk(covered=(first or 1) - 1), [], 0, False
    while rows := transaction.rows(_ALL, {"after": after}):
        for audit_id, sequence, previous, written, *told in rows:
            broken.append(walk.take(Link(audit_id, told, sequence, previous, written)))
            found = found or (noted is not None and written == noted)
        after = rows[-1][0]
        broken = [each for each in broken if each][:MOST_BROKEN]
    return AuditReport(
        walk.chained, walk.covered, walk.beside, walk.head, tuple(broken), None if noted is None else found
    )
