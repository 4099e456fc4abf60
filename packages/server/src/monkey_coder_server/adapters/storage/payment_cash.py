"""The cash account by payment: what the books hold of each, as the entries say and nothing else."""

from collections.abc import Mapping, Sequence

from sqlalchemy import func, literal_column, select

from monkey_coder_server.adapters.storage.operations import Reading
from monkey_coder_server.adapters.storage.several import Several
from monkey_coder_server.adapters.storage.tables import entries

_CASH: Several = Several(
    lambda ids: (
        select(entries.c.owner, -func.sum(entries.c.amount))
        .where(entries.c.kind == literal_column("'cash'"), entries.c.owner.in_(ids))
        .group_by(entries.c.owner)
    )
)


class SqlPaymentCash:
    """Reads for reconciliation."""

    def __init__(self, readers: Reading) -> None:
        self._readers = readers

    async def of(self, payment_ids: Sequence[str]) -> Mapping[str, int]:
        """Nano-dollars of those that moved any cash."""
        if not payment_ids:
            return {}
        rows = await self._readers.report(lambda transaction: _CASH.rows(transaction, list(payment_ids)))
        return {owner: int(amount) for owner, amount in rows}
