"""Endings the books could not take: kept, so that nothing is forgotten and the audit speaks of them."""

from typing import Any

import msgspec
from sqlalchemy.dialects.postgresql import insert

from monkey_coder_server.adapters.storage.lease_tables import unbooked
from monkey_coder_server.adapters.storage.transaction import Query, Transaction
from monkey_coder_server.ports.books import Resolved

_KEEP = Query(insert(unbooked).on_conflict_do_nothing())


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


def _plain(value: Any) -> dict[str, int]:
    """Counts of units, which stand in a read-only view."""
    return dict(value)
