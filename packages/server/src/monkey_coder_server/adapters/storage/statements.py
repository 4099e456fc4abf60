"""Receipts of a period and their sums, read by way of the usage rows, which are kept in the order they are asked in."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import bindparam, func, literal_column, or_, select

from monkey_coder_server.adapters.storage import credit_sums
from monkey_coder_server.adapters.storage.moments import to_micros
from monkey_coder_server.adapters.storage.operations import Reading
from monkey_coder_server.adapters.storage.receipt_chain import SIGNED
from monkey_coder_server.adapters.storage.tables import receipts, usage
from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction
from monkey_coder_server.ports.ledger import SignedReceipt
from monkey_coder_server.ports.statements import CreditSums, Issued, Line, Place

_CHARGED = (
    usage.c.account_id == bindparam("account"),
    usage.c.at < bindparam("end"),
    usage.c.receipt_id.is_not(None),
)
_page = (
    select(
        *SIGNED,
        usage.c.at,
        usage.c.request_id,
        receipts.c.key_id,
        receipts.c.sequence,
    )
    .join(receipts, receipts.c.receipt_id == usage.c.receipt_id)
    .where(
        *_CHARGED,
        usage.c.at >= bindparam("start"),
        or_(usage.c.at > bindparam("start"), usage.c.request_id > bindparam("behind")),
    )
    .order_by(usage.c.at, usage.c.request_id)
    .limit(bindparam("most"))
)
_ISSUED = Query(_page)
_ISSUED_TO = Query(_page.where(usage.c.key_id == bindparam("key")))
_LINES = Query(
    select(
        usage.c.key_id,
        usage.c.provider,
        usage.c.model,
        func.count(),
        func.sum(usage.c.input_tokens),
        func.sum(usage.c.output_tokens),
        func.sum(usage.c.price),
    )
    .where(*_CHARGED, usage.c.at >= bindparam("start"))
    .group_by(usage.c.key_id, usage.c.provider, usage.c.model)
    .order_by(usage.c.key_id, usage.c.provider, usage.c.model)
)


_NEWEST = Query(select(receipts.c.signing_key_id).order_by(receipts.c.receipt_id.desc()).limit(literal_column("1")))


class SqlStatements:
    """`ports.statements.Statements`."""

    def __init__(self, readers: Reading) -> None:
        self._readers = readers

    async def issued(  # noqa: PLR0913 - what a page is chosen by, all named
        self, account_id: str, *, start: datetime, end: datetime, after: Place | None, key_id: str | None, most: int
    ) -> Sequence[Issued]:
        """The receipts of a period, oldest first, from behind a place; of one key or of all."""
        begin = Place(to_micros(start), "") if after is None else after
        wanted = {"account": account_id, "start": begin.at, "behind": begin.request_id, "end": to_micros(end)}
        if key_id is None:
            return await self._readers.read_of(account_id, partial(_read, _ISSUED, {**wanted, "most": most}))
        return await self._readers.read_of(
            account_id, partial(_read, _ISSUED_TO, {**wanted, "most": most, "key": key_id})
        )

    async def lines(self, account_id: str, *, start: datetime, end: datetime) -> Sequence[Line]:
        """The charges of a period by key and model."""
        wanted = {"account": account_id, "start": to_micros(start), "end": to_micros(end)}
        return await self._readers.read_of(
            account_id, lambda transaction: [_line(row) for row in transaction.rows(_LINES, wanted)]
        )

    async def credit(self, account_id: str, *, start: datetime, end: datetime, most: int) -> CreditSums:
        """What became of the credit between two midnights. Raises `NotFound`."""
        body = partial(credit_sums.between, account_id, to_micros(start), to_micros(end), most)
        return await self._readers.read_of(account_id, body)

    async def signed_by(self) -> str | None:
        """The id of the key the newest receipt was signed with; None when there is no receipt. Raises `Unavailable`."""
        row = await self._readers.read(lambda transaction: transaction.row(_NEWEST, {}))
        return None if row is None else str(row[0])


def _read(query: Query, wanted: dict[str, object], transaction: Transaction) -> list[Issued]:
    return [
        Issued(SignedReceipt(*row[:6]), Place(row[6], row[7]), row[8], row[9])
        for row in transaction.rows(query, wanted)
    ]


def _line(row: Row) -> Line:
    return Line(*row[:3], *map(int, row[3:]))
