"""The append-only record of operator and account actions."""

from dataclasses import asdict
from functools import partial

from sqlalchemy import bindparam, insert

from monkey_coder_server.adapters.storage.moments import to_micros
from monkey_coder_server.adapters.storage.operations import Writing
from monkey_coder_server.adapters.storage.people import audit
from monkey_coder_server.adapters.storage.transaction import Parameters, Query, Transaction
from monkey_coder_server.ports.accounts import AuditEntry

_APPEND = Query(
    insert(audit).values({column.name: bindparam(column.name) for column in audit.columns if column.name != "audit_id"})
)


class SqlAudit:
    """`ports.accounts.Audit`; the table refuses changes."""

    def __init__(self, writer: Writing) -> None:
        self._writer = writer

    async def record(self, entry: AuditEntry) -> None:
        """Append one entry; durable on return."""
        await self._writer.perform(partial(_append, {**asdict(entry), "at": to_micros(entry.at)}))


def _append(entry: Parameters, transaction: Transaction) -> None:
    transaction.change(_APPEND, entry)
