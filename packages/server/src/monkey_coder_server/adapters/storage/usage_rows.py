"""Usage: one row for each resolved hold."""

from collections.abc import Iterable

from sqlalchemy import and_, bindparam, delete, func, insert, literal_column, select

from monkey_coder_server.adapters.storage import rollups
from monkey_coder_server.adapters.storage.tables import holds, usage
from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction
from monkey_coder_server.domain.usage import Usage
from monkey_coder_server.ports.ledger import Charge, FailedRequest, Settlement
from monkey_coder_server.ports.record import Record

_WRITE = Query(insert(usage))
_FORGET = Query(
    delete(usage).where(
        usage.c.account_id == bindparam("account"),
        usage.c.at == bindparam("ended"),
        usage.c.request_id == bindparam("request"),
    )
)
_WHOLE = Query(
    select(usage).where(
        usage.c.account_id == bindparam("account"),
        usage.c.at == bindparam("ended"),
        usage.c.request_id == bindparam("request"),
    )
)
_CHARGED = Query(
    select(func.coalesce(func.sum(usage.c.price), literal_column("0"))).where(
        usage.c.account_id == bindparam("account"), usage.c.at >= bindparam("start"), usage.c.at < bindparam("end")
    )
)
_CHARGE = Query(
    select(
        usage.c.request_id,
        usage.c.receipt_id,
        usage.c.price,
        usage.c.provider_cost,
        usage.c.loss,
        usage.c.balance_after,
    )
    .join(holds, and_(usage.c.account_id == holds.c.account_id, usage.c.at == holds.c.resolved_at))
    .where(
        holds.c.request_id == bindparam("request"),
        usage.c.request_id == bindparam("request"),
        usage.c.receipt_id.is_not(None),
    )
)


class Outcome(Record, frozen=True):
    """How a request ended: `status` is `served`, `failed` or `expired`; the balance after it; what was charged."""

    status: str
    at: int
    balance: int
    charged: int = 0
    loss: int = 0
    receipt_id: str | None = None
    error_code: str | None = None


def write_each(transaction: Transaction, ended: Iterable[tuple[Settlement | FailedRequest, Outcome]]) -> None:
    """Write the rows of requests, and count them in the sums of their days."""
    rows = [_written(request, outcome) for request, outcome in ended]
    transaction.insert_each(_WRITE, rows)
    rollups.add(transaction, rows)


def forget(transaction: Transaction, account_id: str, request_id: str, at: int) -> None:
    """Drop the row of a request that was given up, because its true end became known."""
    place = {"account": account_id, "request": request_id, "ended": at}
    row = transaction.row(_WHOLE, place)
    if row is not None:
        rollups.take_out(transaction, row)
        transaction.change(_FORGET, place)


def _written(request: Settlement | FailedRequest, outcome: Outcome) -> Row:
    """A row of the table, in the order of its columns."""
    used: Usage = request.usage
    return (
        request.account_id,
        outcome.at,
        request.request_id,
        request.key_id,
        outcome.status,
        outcome.error_code,
        request.provider or "",
        request.model or "",
        request.task_type,
        request.persona,
        request.stream,
        used.input,
        used.cache_read,
        used.output,
        used.reasoning,
        outcome.charged,
        outcome.loss,
        request.provider_cost,
        outcome.balance,
        outcome.receipt_id,
        request.latency_ms,
        used.estimated,
        used.cache_write_5m + used.cache_write_1h,
        request.cache_saving if isinstance(request, Settlement) else 0,
    )


def charge_of(transaction: Transaction, request_id: str) -> Charge | None:
    """The charge of a settled request, as it was first told."""
    row = transaction.row(_CHARGE, {"request": request_id})
    return None if row is None else Charge(*row)


def charged(account_id: str, start: int, end: int, transaction: Transaction) -> int:
    """What an account was charged with start ≤ at < end."""
    row = transaction.row(_CHARGED, {"account": account_id, "start": start, "end": end})
    return int(row[0]) if row else 0
