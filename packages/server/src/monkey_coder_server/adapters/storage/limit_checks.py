"""The audit of limits: every counter against what the books tell."""

from sqlalchemy import select

from monkey_coder_server.adapters.storage.counting import begins, read_holder
from monkey_coder_server.adapters.storage.limit_tables import counters
from monkey_coder_server.adapters.storage.recounting import recount
from monkey_coder_server.adapters.storage.retention import kept_from
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
    """The counters that do not stand as their requests say.

    Those of periods whose usage rows are not all kept may have counted more than is left to be read.
    """
    kept = kept_from(transaction)
    return [" ".join(row[:5]) for row in transaction.rows(_COUNTERS, {}) if not _agrees(transaction, row, kept)]


def _agrees(transaction: Transaction, counter: Row, kept: int) -> bool:
    account_id, holder, model, unit, within, spent, held = counter
    period = Period.TOTAL if within == TOTAL else Period.DAY  # which of them does not matter: the name says it all
    start = begins(within)
    limit = Limit(read_holder(holder, account_id), period, Unit(unit), 0, model)
    told = recount(transaction, account_id, limit, within, start)
    whole = start >= kept
    return bool(held == told.held and (spent == told.spent or (not whole and spent > told.spent)))
