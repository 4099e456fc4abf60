"""Booking what came of requests: a batch in one transaction, each request exactly once by its id.

The cost of a statement is paid once for many requests: what a batch needs is read together and written table by table.
"""

from collections.abc import Iterator, Sequence

from sqlalchemy import bindparam, insert, update

from monkey_coder_server.adapters.storage import books, idempotency, provider_costs, receipt_chain, usage_rows
from monkey_coder_server.adapters.storage.moments import to_micros
from monkey_coder_server.adapters.storage.spending import kept_models
from monkey_coder_server.adapters.storage.tables import holds
from monkey_coder_server.adapters.storage.till import Taken, Till
from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction
from monkey_coder_server.domain.ledger import Entry, HoldState, settle_entries, void_entries
from monkey_coder_server.domain.receipts import receipt_id_of
from monkey_coder_server.ports.books import Resolved
from monkey_coder_server.ports.ledger import FailedRequest, Settlement
from monkey_coder_server.ports.signing import ReceiptSigner

HOLD_EXPIRED = "hold_expired"
"""The error code of requests whose hold was given up. Their true ends may still come, and count then."""
_STATUS = {HoldState.SETTLED: "served", HoldState.VOIDED: "failed", HoldState.EXPIRED: "expired"}
_ENDED = Query(insert(holds))
_END = Query(
    update(holds)
    .where(holds.c.request_id == bindparam("request"), holds.c.state == bindparam("was"))
    .values(state=bindparam("becomes"), charged=bindparam("charge"), resolved_at=bindparam("now"))
)


def ship(batch: Sequence[Resolved], signer: ReceiptSigner, transaction: Transaction) -> None:
    """Book endings; those of requests that have ended in the books before change nothing.

    Raises `ValueError` when one of them contradicts the books or itself, `Unavailable` when a receipt chain moved on.
    """
    for _ in steps(batch, signer, transaction):
        pass


def steps(batch: Sequence[Resolved], signer: ReceiptSigner, transaction: Transaction) -> Iterator[None]:
    """The same in steps, of which the longest takes a millisecond for 128 endings."""
    for resolved in batch:
        _check(resolved)
    till = Till.open(transaction, batch)
    first = {resolved.hold.request_id: resolved for resolved in reversed(batch)}
    taken = [each for resolved in reversed(first.values()) if (each := till.take(resolved)) is not None]
    if taken:
        till.settle_up()
        yield
        _end_holds(transaction, taken)
        yield
        posts = [(each.resolved.ending, post) for each in taken if (post := _movement(each)) is not None]
        books.post_each(transaction, [post for _, post in posts])
        yield
        bookings = [provider_costs.Booking(ending, moved.transaction_id, moved.at) for ending, (moved, _) in posts]
        provider_costs.write(transaction, bookings)
        yield
        yield from _write_receipts(transaction, taken, signer)
        yield
        _write_usage(transaction, taken)
        _answer_repeats(transaction, taken)


def _check(resolved: Resolved) -> None:
    """Raises `ValueError` for figures or owners that cannot be."""
    asked, ending, charged = resolved.hold, resolved.ending, resolved.charged
    if (ending.request_id, ending.account_id, ending.key_id) != (asked.request_id, asked.account_id, asked.key_id):
        message = f"{asked.request_id}: ended for another request, account or key than it was held for"
        raise ValueError(message)
    most = min(ending.price, asked.amount) if isinstance(ending, Settlement) else 0
    if ending.provider_cost < 0 or not 0 <= charged <= most:
        message = f"{asked.request_id}: charged {charged} of at most {most} at a cost of {ending.provider_cost}"
        raise ValueError(message)


def _end_holds(transaction: Transaction, taken: Sequence[Taken]) -> None:
    """Write the finished holds of leases, and finish those that stand in the books. This is what is done once."""
    new = [_ended(each) for each in taken if each.known is None]
    if new:
        transaction.insert_each(_ENDED, new)
    known = [
        {
            "request": each.resolved.hold.request_id,
            "was": each.known.state,
            "becomes": str(_state(each)),
            "charge": each.charged,
            "now": each.ended_at,
        }
        for each in taken
        if each.known is not None
    ]
    if known and transaction.change_each(_END, known) != len(known):
        raise ValueError("One of these holds is not what it was when it was read.")


def _ended(each: Taken) -> Row:
    """The row of `holds`."""
    asked = each.resolved.hold
    return (
        asked.request_id,
        asked.account_id,
        asked.key_id,
        each.hold,
        each.charged,
        str(_state(each)),
        each.spender.day,
        each.spender.month,
        to_micros(asked.at),
        to_micros(asked.expires_at),
        each.ended_at,
        asked.idempotency.key if asked.idempotency else None,
        asked.tokens,
        kept_models(asked.models),
        each.lease_id,
    )


def _state(each: Taken) -> HoldState:
    ending = each.resolved.ending
    if isinstance(ending, Settlement):
        return HoldState.SETTLED
    return HoldState.EXPIRED if ending.error_code == HOLD_EXPIRED else HoldState.VOIDED


def _movement(each: Taken) -> tuple[books.Movement, Sequence[Entry]] | None:
    """What an ending moves; a failure that cost nothing moves nothing."""
    ending = each.resolved.ending
    if isinstance(ending, FailedRequest):
        kind, lines = "void", void_entries(ending.provider, ending.provider_cost, ending.elsewhere)
        if not ending.provider_cost:
            return None
    else:
        kind = "settle"
        lines = settle_entries(
            ending.account_id,
            price=ending.price,
            charged=each.charged,
            provider=ending.provider,
            cost=ending.provider_cost,
            elsewhere=ending.elsewhere,
        )
    request_id = ending.request_id
    movement = books.Movement(f"{kind}:{request_id}", kind, ending.account_id, each.ended_at, request_id)
    return movement, lines


def _write_receipts(transaction: Transaction, taken: Sequence[Taken], signer: ReceiptSigner) -> Iterator[None]:
    issues = [
        receipt_chain.Issue(each.resolved.ending, each.hold, each.charged)
        for each in taken
        if isinstance(each.resolved.ending, Settlement)
    ]
    if issues:
        yield from receipt_chain.issue(transaction, issues, signer)


def _write_usage(transaction: Transaction, taken: Sequence[Taken]) -> None:
    for each in taken:
        known = each.known
        if known is not None and known.resolved_at is not None:
            usage_rows.forget(transaction, known.account_id, known.request_id, known.resolved_at)
    usage_rows.write_each(transaction, [(each.resolved.ending, _outcome(each)) for each in taken])


def _outcome(each: Taken) -> usage_rows.Outcome:
    ending = each.resolved.ending
    now, status = each.ended_at, _STATUS[_state(each)]
    if isinstance(ending, FailedRequest):
        return usage_rows.Outcome(status, now, each.balance, error_code=ending.error_code)
    receipt_id, loss = receipt_id_of(ending.request_id), ending.price - each.charged
    return usage_rows.Outcome(status, now, each.balance, each.charged, loss, receipt_id)


def _answer_repeats(transaction: Transaction, taken: Sequence[Taken]) -> None:
    """Keep the results of idempotency keys, and give back the keys of failures."""
    results, failed = [], []
    for each in taken:
        if each.answers is None:
            continue
        if isinstance(each.resolved.ending, Settlement):
            results.append((each.resolved.hold.account_id, each.answers, each.resolved.result or b""))
        else:
            failed.append((each.resolved.hold.account_id, each.answers))
    if results:
        idempotency.remember_each(transaction, results)
    if failed:
        idempotency.release_each(transaction, failed)
