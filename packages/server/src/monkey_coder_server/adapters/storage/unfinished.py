"""What is unfinished at the payment processor as far as the rows know: see `ports.unfinished`."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, literal_column, or_, select, union

from monkey_coder_server.adapters.storage.invoice_tables import invoices
from monkey_coder_server.adapters.storage.moments import to_micros
from monkey_coder_server.adapters.storage.operations import Reading
from monkey_coder_server.adapters.storage.payment_tables import payment_disputes, payment_refunds, payments
from monkey_coder_server.adapters.storage.plan_tables import subscriptions
from monkey_coder_server.adapters.storage.transaction import Query

_PAYMENTS = Query(
    union(
        select(payment_disputes.c.payment_id).where(
            or_(
                payment_disputes.c.state == literal_column("'open'"),
                payment_disputes.c.at >= bindparam("since"),
            )
        ),
        select(payment_refunds.c.payment_id).where(payment_refunds.c.state == literal_column("'pending'")),
        select(payments.c.payment_id).where(
            or_(
                payments.c.state == literal_column("'pending'"),
                payments.c.state == literal_column("'needs_action'"),
            ),
            payments.c.at >= bindparam("since"),
        ),
    )
)
_INVOICES = Query(
    select(invoices.c.ref)
    .where(
        or_(
            invoices.c.state == literal_column("'open'"),
            invoices.c.state == literal_column("'uncollectible'"),
        ),
        invoices.c.ref != literal_column("''"),
    )
    .order_by(invoices.c.ref)
)
_SUBSCRIPTIONS = Query(
    select(subscriptions.c.subscription_id)
    .where(subscriptions.c.state != literal_column("'canceled'"))
    .order_by(subscriptions.c.subscription_id)
)


class SqlUnfinished:
    """`ports.unfinished.Unfinished`."""

    def __init__(self, readers: Reading) -> None:
        self._readers = readers

    async def payments(self, since: datetime) -> Sequence[str]:
        """Those with a dispute or refund nobody decided, and those since then that may still be paid, or won back."""
        return sorted(await self._ids(_PAYMENTS, {"since": to_micros(since)}))

    async def invoices(self) -> Sequence[str]:
        """Invoices of ours that may still be paid or taken back."""
        return await self._ids(_INVOICES, {})

    async def subscriptions(self) -> Sequence[str]:
        """Subscriptions that have not ended."""
        return await self._ids(_SUBSCRIPTIONS, {})

    async def _ids(self, query: Query, wanted: dict[str, int]) -> list[str]:
        rows = await self._readers.report(lambda transaction: transaction.rows(query, wanted))
        return [str(row[0]) for row in rows]
