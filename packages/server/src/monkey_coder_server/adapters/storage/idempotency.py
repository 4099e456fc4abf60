"""Idempotency keys: the first request under a key is served, repeats get its result, and nobody is charged twice."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Text, bindparam, delete, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from monkey_coder_server.adapters.storage.moments import MICROSECOND
from monkey_coder_server.adapters.storage.tables import idempotency
from monkey_coder_server.adapters.storage.transaction import Query, Transaction
from monkey_coder_server.domain.errors import IdempotencyConflict, RequestInProgress
from monkey_coder_server.ports.ledger import IdempotencyKey, Replay

KEPT = timedelta(hours=48)
"""How long a result can be replayed; at least the 24 hours that payment APIs promise."""
LONGEST_PAUSE = 30
"""Seconds. The official SDKs ask twice again after a 409, each time after as long as they are told."""
LOOKED_AT_ONCE = 200
FIRST = ("", "")

_OWN = (idempotency.c.account_id == bindparam("account"), idempotency.c.key == bindparam("given"))
_CLAIM = Query(insert(idempotency).on_conflict_do_nothing())
_FIND = Query(
    select(idempotency.c.fingerprint, idempotency.c.request_id, idempotency.c.body, idempotency.c.at).where(*_OWN)
)
_REMEMBER = Query(update(idempotency).where(*_OWN).values(body=bindparam("result")))
_RELEASE = Query(delete(idempotency).where(*_OWN))
_NEXT = Query(
    select(idempotency.c.account_id, idempotency.c.key, idempotency.c.at, idempotency.c.body.is_(None))
    .where(
        tuple_(idempotency.c.account_id, idempotency.c.key)
        > tuple_(bindparam("account", type_=Text), bindparam("given", type_=Text))
    )
    .order_by(idempotency.c.account_id, idempotency.c.key)
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
    if claimed:
        return None
    replay = earlier(transaction, idempotency_key, account_id=account_id, at=at)
    if replay is None:
        raise RequestInProgress("The same idempotency key was released this moment; please try again.", retry_after=1)
    return replay


def remember(transaction: Transaction, account_id: str, key: str, result: bytes) -> None:
    """Keep the result that repeats are given."""
    transaction.change(_REMEMBER, {"account": account_id, "given": key, "result": result})


def release(transaction: Transaction, account_id: str, key: str) -> None:
    """Give the key back: the request came to nothing and may be tried again."""
    transaction.change(_RELEASE, {"account": account_id, "given": key})


def remember_each(transaction: Transaction, results: Sequence[tuple[str, str, bytes]]) -> None:
    """Keep the results that repeats are given, each with its account and key."""
    transaction.change_each(
        _REMEMBER, [{"account": account, "given": key, "result": result} for account, key, result in results]
    )


def release_each(transaction: Transaction, keys: Sequence[tuple[str, str]]) -> None:
    """Give keys back, each named by its account and itself."""
    transaction.change_each(_RELEASE, [{"account": account, "given": key} for account, key in keys])


def claim_late(transaction: Transaction, given: IdempotencyKey, *, account_id: str, request_id: str, at: int) -> bool:
    """Take a key again for a request that had lost it; False when another has it now: that one is the one to pay."""
    try:
        return claim(transaction, given, account_id=account_id, request_id=request_id, at=at) is None
    except (IdempotencyConflict, RequestInProgress) as taken:
        return taken.facts.get("request_id") == request_id


def forget_old(transaction: Transaction, after: tuple[str, str], now: int) -> tuple[str, str]:
    """Look at the next keys `after` one and drop the results past their time; where to look on from next time.

    Walking the table a piece at a time spares every claim the upkeep of an index by age.
    """
    account, given = after
    seen = transaction.rows(_NEXT, {"account": account, "given": given, "most": LOOKED_AT_ONCE})
    before = now - KEPT // MICROSECOND
    for account_id, key, at, in_progress in seen:
        if at < before and not in_progress:
            release(transaction, account_id, key)
    return (seen[-1][0], seen[-1][1]) if len(seen) == LOOKED_AT_ONCE else FIRST


def earlier(transaction: Transaction, idempotency_key: IdempotencyKey, *, account_id: str, at: int) -> Replay | None:
    """The result of the request that had the key; None for a key nobody used. Raises as `claim`."""
    found = transaction.row(_FIND, {"account": account_id, "given": idempotency_key.key})
    if found is None:
        return None
    fingerprint, request_id, body, since = found
    facts = {"request_id": str(request_id)}
    if fingerprint != idempotency_key.fingerprint:
        message = "This idempotency key was used with another body; use a new key, or send the first body again."
        raise IdempotencyConflict(message, facts=facts)
    if body is None:
        message = "A request with this idempotency key is being served right now; its result can be had shortly."
        raise RequestInProgress(message, facts=facts, retry_after=_pause(at - since))
    return Replay(request_id, body)


def _pause(running: int) -> int:
    """Seconds to wait for a request that has run so many microseconds: as long again, so that two tries reach far."""
    return max(1, min(LONGEST_PAUSE, running // 1_000_000))
