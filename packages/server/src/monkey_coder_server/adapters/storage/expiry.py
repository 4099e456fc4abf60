"""Holds nobody will end: their time is over, their process died, or their caller left before hearing of them.

They end as every request does, by `shipping`, and cost nobody anything.
"""

from collections.abc import Sequence

from sqlalchemy import bindparam, literal_column, select

from monkey_coder_server.adapters.storage import holds, shipping
from monkey_coder_server.adapters.storage.moments import from_micros
from monkey_coder_server.adapters.storage.several import Several
from monkey_coder_server.adapters.storage.tables import holds as holds_table
from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction
from monkey_coder_server.ports.books import Resolved
from monkey_coder_server.ports.ledger import FailedRequest, HoldRequest
from monkey_coder_server.ports.signing import ReceiptSigner

EXPIRED_AT_ONCE = 20
_GONE = "The process that served this request ended before settling it."
_LEFT = "The caller left before the request began."

_HELD: Several = Several(
    lambda ids: select(
        holds_table.c.request_id,
        holds_table.c.account_id,
        holds_table.c.key_id,
        holds_table.c.amount,
        holds_table.c.at,
        holds_table.c.expires_at,
        holds_table.c.state,
    ).where(holds_table.c.request_id.in_(ids))
)
_OVERDUE = Query(
    select(holds_table.c.request_id, holds_table.c.account_id)
    .where(holds_table.c.state == literal_column("'open'"), holds_table.c.expires_at < bindparam("now"))
    .order_by(holds_table.c.expires_at)
    .limit(bindparam("most"))
)


def abandon(request: HoldRequest, now: int, signer: ReceiptSigner, transaction: Transaction) -> None:
    """Give back the hold of a caller who left before hearing of it."""
    _end(transaction, [(request.request_id, request.account_id)], "cancelled", _LEFT, now=now, signer=signer)


def expire(now: int, before: int, signer: ReceiptSigner, transaction: Transaction) -> int:
    """End some of the open holds whose time is over `before` a moment; how many nobody else did."""
    overdue = transaction.rows(_OVERDUE, {"now": before, "most": EXPIRED_AT_ONCE})
    return _end(transaction, overdue, shipping.HOLD_EXPIRED, _GONE, now=now, signer=signer)


def _end(  # noqa: PLR0913 - which holds, why and when
    transaction: Transaction, found: Sequence[Row], error_code: str, message: str, *, now: int, signer: ReceiptSigner
) -> int:
    """End those of some holds, each with its account, that are open when nobody else can end them; how many."""
    holds.lock_wallets(transaction, [account_id for _, account_id in found])
    at, endings = from_micros(now), []
    for request_id, account_id, key_id, amount, since, until, state in _HELD.rows(
        transaction, [row[0] for row in found]
    ):
        if state != "open":
            continue
        asked = HoldRequest(request_id, account_id, key_id, amount, from_micros(since), from_micros(until))
        endings.append(Resolved(asked, None, FailedRequest(request_id, account_id, key_id, at, error_code, message)))
    shipping.ship(endings, signer, transaction)
    return len(endings)
