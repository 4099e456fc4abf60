"""Endings the books could not take: kept, so that nothing is forgotten and the audit speaks of them."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from monkey_coder_server.adapters.storage import shipping
from monkey_coder_server.adapters.storage.lease_tables import unbooked
from monkey_coder_server.adapters.storage.moments import from_micros
from monkey_coder_server.adapters.storage.operations import Reading, Writing
from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction
from monkey_coder_server.domain.errors import Conflict, GatewayError, NotFound
from monkey_coder_server.ports.books import Resolved
from monkey_coder_server.ports.ledger import FailedRequest
from monkey_coder_server.ports.signing import ReceiptSigner
from monkey_coder_server.ports.unbooked import KeptEnding

WRITTEN_OFF = "written_off"
_KEEP = Query(insert(unbooked).on_conflict_do_nothing())
_COLUMNS = (unbooked.c.request_id, unbooked.c.account_id, unbooked.c.reason, unbooked.c.at, unbooked.c.ending)
_ALL = Query(select(*_COLUMNS).order_by(unbooked.c.at, unbooked.c.request_id))
_ONE = Query(select(*_COLUMNS).where(unbooked.c.request_id == bindparam("request")))
_DROP = Query(delete(unbooked).where(unbooked.c.request_id == bindparam("request")))


def keep(resolved: Resolved, reason: str, now: int, transaction: Transaction) -> None:
    """Keep an ending as it was shipped, once; `now` in microseconds."""
    transaction.change(
        _KEEP,
        {
            "request_id": resolved.hold.request_id,
            "account_id": resolved.hold.account_id,
            "reason": reason,
            "ending": msgspec.json.encode(resolved, enc_hook=_plain),
            "at": now,
        },
    )


class SqlUnbooked:
    """`ports.unbooked.Unbooked`."""

    def __init__(self, writer: Writing, readers: Reading, *, signer: ReceiptSigner) -> None:
        self._writer = writer
        self._readers = readers
        self._signer = signer

    async def kept(self) -> Sequence[KeptEnding]:
        """All of them, oldest first."""
        return await self._readers.read(lambda transaction: [_read(row) for row in transaction.rows(_ALL, {})])

    async def retry(self, request_id: str) -> None:
        """Book it as it was told. Raises `NotFound`, `Conflict`."""
        try:
            await self._writer.perform(partial(_book, request_id, self._signer))
        except GatewayError:
            raise
        except Exception as error:
            message = f"{request_id} still cannot be booked: {type(error).__name__}: {error}"
            raise Conflict(message) from error

    async def write_off(self, request_id: str) -> bool:
        """End the request without a charge; False when nothing of it can be booked. Raises `NotFound`."""
        try:
            await self._writer.perform(partial(_write_off, request_id, self._signer))
        except GatewayError:
            raise
        except Exception:  # noqa: BLE001 - whatever the books have against it, somebody decided that it ends here
            await self._writer.perform(partial(_drop, request_id))
            return False
        return True


def _book(request_id: str, signer: ReceiptSigner, transaction: Transaction) -> None:
    shipping.ship([_resolved(request_id, transaction)], signer, transaction)
    _drop(request_id, transaction)


def _write_off(request_id: str, signer: ReceiptSigner, transaction: Transaction) -> None:
    resolved = _resolved(request_id, transaction)
    asked, ending = resolved.hold, resolved.ending
    failed = FailedRequest(
        request_id=asked.request_id,
        account_id=asked.account_id,
        key_id=asked.key_id,
        at=ending.at,
        error_code=WRITTEN_OFF,
        message="An operator wrote this request off: the books could not take its ending.",
        provider=ending.provider,
        model=ending.model,
        provider_cost=max(ending.provider_cost, 0),
        stream=ending.stream,
    )
    shipping.ship([Resolved(asked, resolved.lease_id, failed)], signer, transaction)
    _drop(request_id, transaction)


def _drop(request_id: str, transaction: Transaction) -> None:
    transaction.change(_DROP, {"request": request_id})


def _resolved(request_id: str, transaction: Transaction) -> Resolved:
    row = transaction.row(_ONE, {"request": request_id})
    if row is None:
        message = f"There is no ending of {request_id} that waits to be booked."
        raise NotFound(message)
    resolved = _read(row).resolved
    if resolved is None:
        raise ValueError("What was kept of it cannot be read.")
    return resolved


def _read(row: Row) -> KeptEnding:
    request_id, account_id, reason, at, ending = row
    try:
        resolved = msgspec.json.decode(ending, type=Resolved)
    except msgspec.MsgspecError:
        resolved = None
    return KeptEnding(request_id, account_id, reason, from_micros(at), resolved)


def _plain(value: Any) -> dict[str, int]:
    """Counts of units, which stand in a read-only view."""
    return dict(value)
