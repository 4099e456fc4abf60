"""Provider-cost books: one row for each answer a provider bills us, beside the entry that owes it the money."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sqlalchemy import insert

from monkey_coder_server.adapters.storage.reporting_tables import provider_costs
from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction
from monkey_coder_server.domain.pricing import FEE_OF_UNIT
from monkey_coder_server.domain.usage import Usage
from monkey_coder_server.ports.ledger import Bill, FailedRequest, Settlement

SEARCHES = "web_searches"
UNKNOWN = "unknown"
_WRITE = Query(insert(provider_costs))


class Booking(NamedTuple):
    """A request whose cost was booked at a moment (microseconds) by a transaction that owes it to its providers."""

    request: Settlement | FailedRequest
    transaction_id: str
    at: int


def write(transaction: Transaction, bookings: Iterable[Booking]) -> None:
    """Write what requests cost us, answer by answer."""
    rows = [_row(booking, line, bill) for booking in bookings for line, bill in enumerate(_bills(booking.request))]
    if rows:
        transaction.insert_each(_WRITE, rows)


def _row(booking: Booking, line: int, bill: Bill) -> Row:
    """A row of the table, in the order of its columns."""
    used = bill.usage
    return (
        bill.provider,
        booking.at,
        booking.transaction_id,
        line,
        booking.request.request_id,
        bill.provider_request_id,
        bill.model,
        used.uncached_input,
        used.cache_read,
        used.cache_write_5m,
        used.cache_write_1h,
        used.output,
        used.reasoning,
        searches(used) if used.units else 0,
        bill.cost,
        used.cost_nano,
        used.estimated,
    )


def searches(usage: Usage) -> int:
    """How many web searches the provider bills, by whatever name it counts them."""
    return sum(number for unit, number in usage.units.items() if FEE_OF_UNIT.get(unit) == SEARCHES)


def _bills(request: Settlement | FailedRequest) -> Iterator[Bill]:
    """Those that say something. Where only sums are known, one for each provider."""
    bills = request.bills or _of_sums(request)
    return (bill for bill in bills if bill.cost or bill.usage.total or bill.usage.units)


def _of_sums(request: Settlement | FailedRequest) -> tuple[Bill, ...]:
    provider, elsewhere = request.provider or UNKNOWN, request.elsewhere
    others = [Bill(name, "", Usage(estimated=True), cost) for name, cost in elsewhere.items()]
    own = request.provider_cost - sum(elsewhere.values())
    return (Bill(provider, request.model or "", request.usage, own), *others)
