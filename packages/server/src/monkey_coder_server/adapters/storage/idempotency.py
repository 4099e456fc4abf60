"""Idempotency keys: the first request under a key is served, repeats get its result, and nobody is charged twice."""

from datetime import timedelta

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects.sqlite import insert

from monkey_coder_server.adapters.storage.moments import MICROSECOND
from monkey_coder_server.adapters.storage.tables import idempotency
from monkey_coder_server.adapters.storage.transaction import Query, Transaction
from monkey_coder_server.domain.errors import IdempotencyConflict, RequestInProgress
from monkey_coder_server.ports.ledger import IdempotencyKey, Replay

KEPT = timedelta(hours=48)
"""How long a result can be replayed; at least the 24 hours that payment APIs promise."""
FORGOTTEN_AT_ONCE = 1_000

_OWN = (idempotency.c.account_id == bindparam("account"), idempotency.c.key == bindparam("given"))
_CLAIM = Query(insert(idempotency).on_conflict_do_nothing())
_FIND = Query(select(idempotency.c.fingerprint, idempotency.c.request_id, idempotency.c.body).where(*_OWN))
_REMEMBER = Query(update(idempotency).where(*_OWN).values(body=bindparam("result")))
_RELEASE = Query(delete(idempotency).where(*_OWN))
_OLD = Query(
    select(idempotency.c.account_id, idempotency.c.key)
    .where(idempotency.c.at < bindparam("before"), idempotency.c.body.is_not(None))
    .order_by(idempotency.c.at)
    .limit(bindparam("most"))
)


def claim(
    transaction: Transaction, idempotency_key: IdempotencyKey, *, account_id: str, request_id: str, at: int
) -> Replay | None:
    """Take the key for this request, or the result of the one that had it.

    Raises `IdempotencyConflict` for another body, `RequestInProgress` while the first is being served.
    """
    claimed = transaction.change(
        _CLAIM,
        {
            "account_id": account_id,
            "key": idempotency_key.key,
            "fingerprint": idempotency_key.fingerprint,
            "request_id": request_id,
            "body": None,
            "at": at,
        },
    )
    return None if claimed else _earlier(transaction, idempotency_key, account_id)


def remember(transaction: Transaction, account_id: str, key: str, result: bytes) -> None:
    """Keep the result that repeats are given."""
    transaction.change(_REMEMBER, {"account": account_id, "given": key, "result": result})


def release(transaction: Transaction, account_id: str, key: str) -> None:
    """Give the key back: the request came to nothing and may be tried again."""
    transaction.change(_RELEASE, {"account": account_id, "given": key})


def forget_old(transaction: Transaction, now: int) -> None:
    """Drop some results past their time."""
    before = now - KEPT // MICROSECOND
    for account_id, key in transaction.rows(_OLD, {"before": before, "most": FORGOTTEN_AT_ONCE}):
        release(transaction, account_id, key)


def _earlier(transaction: Transaction, idempotency_key: IdempotencyKey, account_id: str) -> Replay:
    found = transaction.row(_FIND, {"account": account_id, "given": idempotency_key.key})
    if found is None:
        raise RequestInProgress("The same idempotency key was released this moment; please try again.", retry_after=1)
    fingerprint, request_id, body = found
    facts = {"request_id": str(request_id)}
    if fingerprint != idempotency_key.fingerprint:
        message = "This idempotency key was used with another body; use a new key, or send the first body again."
        raise IdempotencyConflict(message, facts=facts)
    if body is None:
        message = "A request with this idempotency key is being served right now; its result can be had shortly."
        raise RequestInProgress(message, facts=facts, retry_after=1)
    return Replay(request_id, body)
