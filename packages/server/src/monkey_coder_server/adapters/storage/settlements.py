"""How a hold ends: charged, voided, or expired. Each ending is one transaction with all that belongs to it."""

from sqlalchemy import bindparam, literal_column, select

from monkey_coder_server.adapters.storage import books, holds, idempotency, provider_costs, receipt_chain, usage_rows
from monkey_coder_server.adapters.storage.moments import from_micros, to_micros
from monkey_coder_server.adapters.storage.spending import Used
from monkey_coder_server.adapters.storage.tables import holds as holds_table
from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction
from monkey_coder_server.domain.errors import NotFound
from monkey_coder_server.domain.ledger import HoldState, settle_entries, void_entries
from monkey_coder_server.domain.receipts import receipt_id_of
from monkey_coder_server.ports.ledger import Charge, FailedRequest, Remember, Settlement
from monkey_coder_server.ports.signing import ReceiptSigner

EXPIRED_AT_ONCE = 20
HOLD_EXPIRED = "hold_expired"

_ONE_OPEN = Query(
    select(holds_table.c.request_id, holds_table.c.account_id, holds_table.c.key_id).where(
        holds_table.c.request_id == bindparam("request"), holds_table.c.state == literal_column("'open'")
    )
)
_OVERDUE = Query(
    select(holds_table.c.request_id, holds_table.c.account_id, holds_table.c.key_id)
    .where(holds_table.c.state == literal_column("'open'"), holds_table.c.expires_at < bindparam("now"))
    .order_by(holds_table.c.expires_at)
    .limit(bindparam("most"))
)


def settle(
    settlement: Settlement, remember: Remember | None, signer: ReceiptSigner, transaction: Transaction
) -> Charge:
    """Charge a served request: at most its hold, the rest is the house's loss. A repeat returns the first charge.

    Raises `NotFound` when nothing was held, `ValueError` for amounts or owners that cannot be.
    """
    if settlement.price < 0 or settlement.provider_cost < 0:
        message = f"{settlement.request_id}: a price is never negative"
        raise ValueError(message)
    now = to_micros(settlement.at)
    used = Used(f"{settlement.provider}/{settlement.model}", settlement.usage.total)
    resolved = holds.resolve(
        transaction, settlement.request_id, HoldState.SETTLED, price=settlement.price, now=now, used=used
    )
    if resolved is None:
        return _settled_before(settlement, now, transaction)
    if (resolved.account_id, resolved.key_id) != (settlement.account_id, settlement.key_id):
        message = f"{settlement.request_id}: settled for another account or key than it was held for"
        raise ValueError(message)
    charge = _charge(transaction, settlement, resolved, now=now, signer=signer)
    if resolved.idempotency_key is not None:
        result = remember(charge) if remember else b""
        idempotency.remember(transaction, resolved.account_id, resolved.idempotency_key, result)
    return charge


def void(failed: FailedRequest, transaction: Transaction) -> None:
    """Give a hold back; what the provider bills all the same is the house's loss. Nothing when it is not open."""
    _end_uncharged(transaction, failed, HoldState.VOIDED, now=to_micros(failed.at))


def abandon(request_id: str, now: int, transaction: Transaction) -> None:
    """Give back the hold of a caller who left before hearing of it."""
    held = transaction.row(_ONE_OPEN, {"request": request_id})
    if held is not None:
        failed = _gone(held, now, "cancelled", "The caller left before the request began.")
        _end_uncharged(transaction, failed, HoldState.VOIDED, now=now)


def expire(now: int, before: int, transaction: Transaction) -> int:
    """End some of the open holds whose time is over `before` a moment; how many."""
    overdue = transaction.rows(_OVERDUE, {"now": before, "most": EXPIRED_AT_ONCE})
    for held in sorted(overdue, key=_account):
        failed = _gone(held, now, HOLD_EXPIRED, "The process that served this request ended before settling it.")
        _end_uncharged(transaction, failed, HoldState.EXPIRED, now=now)
    return len(overdue)


def _charge(
    transaction: Transaction, settlement: Settlement, resolved: holds.Resolved, *, now: int, signer: ReceiptSigner
) -> Charge:
    """Book, sign and record the charge of a hold that has just become `settled`."""
    loss = settlement.price - resolved.charged
    lines = settle_entries(
        resolved.account_id,
        price=settlement.price,
        charged=resolved.charged,
        provider=settlement.provider,
        cost=settlement.provider_cost,
        elsewhere=settlement.elsewhere,
    )
    movement = _movement("settle", settlement, now)
    books.post(transaction, movement, lines)
    provider_costs.write(transaction, [provider_costs.Booking(settlement, movement.transaction_id, now)])
    receipt_chain.issue(transaction, [receipt_chain.Issue(settlement, resolved.amount, resolved.charged)], signer)
    receipt_id = receipt_id_of(settlement.request_id)
    charge = Charge(
        settlement.request_id, receipt_id, resolved.charged, settlement.provider_cost, loss, resolved.balance
    )
    usage_rows.write(transaction, settlement, usage_rows.Outcome("served", now, resolved.balance, charge))
    return charge


def _settled_before(settlement: Settlement, now: int, transaction: Transaction) -> Charge:
    """The first charge of a settled hold. A hold that was given up costs its account nothing: the house bears it."""
    charge = usage_rows.charge_of(transaction, settlement.request_id)
    if charge is not None:
        return charge
    wallet = holds.lock_wallet(transaction, settlement.account_id)
    if holds.state_of(transaction, settlement.request_id) is None:
        message = f"Nothing was held for {settlement.request_id}, so nothing can be settled."
        raise NotFound(message)
    lines = void_entries(settlement.provider, settlement.provider_cost, settlement.elsewhere)
    movement = _movement("late", settlement, now)
    if books.post(transaction, movement, lines):
        provider_costs.write(transaction, [provider_costs.Booking(settlement, movement.transaction_id, now)])
        usage_rows.add_cost(transaction, settlement)
    return Charge(settlement.request_id, "", 0, settlement.provider_cost, settlement.price, wallet.balance)


def _end_uncharged(transaction: Transaction, failed: FailedRequest, outcome: HoldState, *, now: int) -> None:
    resolved = holds.resolve(transaction, failed.request_id, outcome, price=0, now=now)
    if resolved is None:
        return
    if failed.provider_cost:
        lines = void_entries(failed.provider, failed.provider_cost, failed.elsewhere)
        movement = _movement("void", failed, now)
        books.post(transaction, movement, lines)
        provider_costs.write(transaction, [provider_costs.Booking(failed, movement.transaction_id, now)])
    status = "expired" if outcome is HoldState.EXPIRED else "failed"
    row = usage_rows.Outcome(status, now, resolved.balance, error_code=failed.error_code)
    usage_rows.write(transaction, failed, row)
    if resolved.idempotency_key is not None:
        idempotency.release(transaction, resolved.account_id, resolved.idempotency_key)


def _account(held: Row) -> str:
    """What wallets are locked in the order of, so that two sweepers never wait for each other."""
    return str(held[1])


def _gone(held: Row, now: int, error_code: str, message: str) -> FailedRequest:
    """The failure of a request whose owner can no longer say anything about it."""
    request_id, account_id, key_id = held
    return FailedRequest(request_id, account_id, key_id, from_micros(now), error_code, message)


def _movement(kind: str, request: Settlement | FailedRequest, now: int) -> books.Movement:
    return books.Movement(f"{kind}:{request.request_id}", kind, request.account_id, now, request.request_id)
