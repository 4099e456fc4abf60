"""The audit of limits: every counter against what the books tell."""

from sqlalchemy import select

from monkey_coder_server.adapters.storage.counting import begins, read_holder
from monkey_coder_server.adapters.storage.limit_tables import counters
from monkey_coder_server.adapters.storage.recounting import recount
from monkey_coder_server.adapters.storage.spending import TOTAL
from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction
from monkey_coder_server.domain.limits import Limit, Period, Unit

_COUNTERS = Query(
    select(
        counters.c.account_id,
        counters.c.holder,
        counters.c.model,
        counters.c.unit,
        counters.c.period,
        counters.c.spent,
        counters.c.held,
    )
)


def differing_counters(transaction: Transaction) -> list[str]:
    """The counters that do not stand as their requests say."""
    return [" ".join(row[:5]) for row in transaction.rows(_COUNTERS, {}) if row[5:] != _told(transaction, row)]


def _told(transaction: Transaction, counter: Row) -> tuple[int, int]:
    """Spent and held of a counter by the books."""
    account_id, holder, model, unit, within, *_ = counter
    period = Period.TOTAL if within == TOTAL else Period.DAY  # which of them does not matter: the name says it all
    limit = Limit(read_holder(holder, account_id), period, Unit(unit), 0, model)
    standing = recount(transaction, account_id, limit, within, begins(within))
    return standing.spent, standing.held
