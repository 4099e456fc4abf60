"""Provider-cost books as reconciliation reads and corrects them."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial

from sqlalchemy import text

from monkey_coder_server.adapters.storage import books
from monkey_coder_server.adapters.storage.moments import from_micros, to_micros
from monkey_coder_server.adapters.storage.operations import Reading, Writing
from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction
from monkey_coder_server.domain.errors import NotFound
from monkey_coder_server.domain.invoices import Booked, Tokens
from monkey_coder_server.domain.ledger import correction_entries
from monkey_coder_server.ports.invoices import IN_ANSWERS, Correction, Reconciliation

EPOCH = date(1970, 1, 1)
CORRECTION = "correct"
_SINGLE = Query(
    text("""
    SELECT c.transaction_id, c.line, c.request_id, c.at / 86400000000, c.model, c.uncached_input, c.cache_read,
        c.cache_write_5m, c.cache_write_1h, c.output, c.reasoning, c.searches, c.cost, c.provider_request_id,
        c.reported_cost, c.estimated, e.amount, 1
    FROM provider_costs c LEFT JOIN entries e
        ON e.transaction_id = 'correct:' || c.transaction_id || '/' || c.line AND e.kind = 'provider_payable'
    WHERE c.provider = :provider AND c.at >= :start AND c.at < :end AND (:every = 1 OR c.estimated)
    ORDER BY c.at, c.transaction_id, c.line
    """)
)
_SUMS = Query(
    text("""
    SELECT '', 0, '', at / 86400000000 AS day, model, SUM(uncached_input), SUM(cache_read), SUM(cache_write_5m),
        SUM(cache_write_1h), SUM(output), SUM(reasoning), SUM(searches), SUM(cost), NULL, NULL, 0, NULL, COUNT(*)
    FROM provider_costs WHERE provider = :provider AND at >= :start AND at < :end AND NOT estimated
    GROUP BY at / 86400000000, model ORDER BY day, model
    """)
)
_BOOKED_BY = Query(text("SELECT account_id, request_id FROM transactions WHERE transaction_id = :transaction"))
_NOTE = Query(
    text("""
    INSERT INTO reconciliations (reconciliation_id, provider, first_day, last_day, at, source, booked, invoiced,
        unexplained, findings, report)
    VALUES (:reconciliation_id, :provider, :first_day, :last_day, :at, :source, :booked, :invoiced, :unexplained,
        :findings, :report)
    ON CONFLICT (reconciliation_id) DO NOTHING
    """)
)
_NOTED = Query(text("SELECT 1 FROM reconciliations WHERE reconciliation_id = :wanted"))
_LATEST = Query(
    text("""
    SELECT r.reconciliation_id, r.provider, r.first_day, r.last_day, r.at, r.source, r.booked, r.invoiced,
        r.unexplained, r.findings, ''
    FROM reconciliations r WHERE NOT EXISTS (
        SELECT 1 FROM reconciliations n WHERE n.provider = r.provider AND n.at > r.at
        AND (n.source = :in_answers) = (r.source = :in_answers)
    )
    ORDER BY r.provider, r.at
    """)
)
_AT = 4


class SqlCostBooks:
    """Implements `ports.invoices.CostBooks`."""

    def __init__(self, writer: Writing, readers: Reading) -> None:
        self._writer = writer
        self._readers = readers

    async def costs(self, provider: str, first: date, last: date, *, by_request: bool) -> Sequence[Booked]:
        """What is booked of the UTC days from `first` to `last`, both included."""
        wanted = {
            "provider": provider,
            "start": _midnight(first),
            "end": _midnight(last + timedelta(days=1)),
            "every": int(by_request),
        }
        return await self._readers.read(partial(_booked, wanted))

    async def correct(self, correction: Correction) -> bool:
        """Book the difference; False when it was booked before. Raises `NotFound` for an entry that is none."""
        return await self._writer.perform(partial(_correct, correction))

    async def note(self, made: Reconciliation) -> None:
        """Keep what a comparison came to; harmless when it is kept already."""
        row = {name: getattr(made, name) for name in made.__struct_fields__} | {"at": to_micros(made.at)}
        await self._writer.perform(lambda transaction: transaction.change(_NOTE, row))

    async def noted(self, reconciliation_id: str) -> bool:
        """Whether that comparison is kept."""
        wanted = {"wanted": reconciliation_id}
        return await self._readers.read(lambda transaction: transaction.row(_NOTED, wanted)) is not None

    async def latest(self) -> Sequence[Reconciliation]:
        """The newest comparisons with each provider, without their reports: with its invoice, and with its answers."""
        told = {"in_answers": IN_ANSWERS}
        rows = await self._readers.read(lambda transaction: transaction.rows(_LATEST, told))
        return [_made(row) for row in rows]


def _booked(wanted: dict[str, object], transaction: Transaction) -> list[Booked]:
    sums = [] if wanted["every"] else transaction.rows(_SUMS, wanted)
    return [_row(row) for row in (*sums, *transaction.rows(_SINGLE, wanted))]


def _row(row: Row) -> Booked:
    transaction_id, line, request_id, day, model, *rest = row
    tokens, (cost, name, reported, estimated, corrected, requests) = rest[:7], rest[7:]
    return Booked(
        transaction_id=transaction_id,
        line=line,
        request_id=request_id,
        day=(EPOCH + timedelta(days=day)).isoformat(),
        model=model,
        tokens=Tokens(*map(int, tokens)),
        amount=int(cost) + int(corrected or 0),
        provider_request_id=name,
        reported=reported,
        estimated=bool(estimated),
        corrected=corrected is not None,
        requests=requests,
    )


def _made(row: Row) -> Reconciliation:
    values = list(row)
    values[_AT] = from_micros(values[_AT])
    return Reconciliation(*values)


def _correct(correction: Correction, transaction: Transaction) -> bool:
    entry = f"{correction.transaction_id}/{correction.line}"
    found = transaction.row(_BOOKED_BY, {"transaction": correction.transaction_id})
    if found is None:
        message = f"No transaction {correction.transaction_id} is in the books, so none can be corrected."
        raise NotFound(message)
    account_id, request_id = found
    movement = books.Movement(
        f"{CORRECTION}:{entry}",
        CORRECTION,
        account_id,
        to_micros(correction.at),
        request_id,
        reason=f"corrects {entry} by {correction.source}",
    )
    return books.post(transaction, movement, correction_entries(correction.provider, correction.difference))


def _midnight(day: date) -> int:
    return to_micros(datetime(day.year, day.month, day.day, tzinfo=UTC))
