"""Receipts as they are issued: the next link of the key's chain, signed, in the charge's own transaction."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC
from typing import NamedTuple

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or_not

from monkey_coder_server.adapters.storage.several import Several
from monkey_coder_server.adapters.storage.tables import receipt_chains, receipts
from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction
from monkey_coder_server.domain.errors import Unavailable
from monkey_coder_server.domain.receipts import (
    FIRST_PREVIOUS,
    Attempt,
    Branch,
    Receipt,
    canonical_body,
    chain_hash,
    receipt_id_of,
)
from monkey_coder_server.ports.ledger import PaidBranch, Settlement, SignedReceipt
from monkey_coder_server.ports.record import Record
from monkey_coder_server.ports.signing import ReceiptSigner

_HEAD = Several(
    lambda keys: select(receipt_chains.c.key_id, receipt_chains.c.sequence, receipt_chains.c.chain_hash).where(
        receipt_chains.c.key_id.in_(keys)
    )
)
_BEGIN = Query(insert_or_not(receipt_chains).on_conflict_do_nothing())
_ADVANCE = Query(
    update(receipt_chains)
    .where(receipt_chains.c.key_id == bindparam("key"), receipt_chains.c.sequence == bindparam("seen"))
    .values(sequence=bindparam("reached"), chain_hash=bindparam("newest"))
)
_ISSUE = Query(insert(receipts))
SIGNED = (
    receipts.c.receipt_id,
    receipts.c.account_id,
    receipts.c.body,
    receipts.c.signature,
    receipts.c.signing_key_id,
    receipts.c.chain_hash,
)
"""The columns of a `SignedReceipt`, in its order."""
_FIND = Query(
    select(*SIGNED).where(receipts.c.receipt_id == bindparam("wanted"), receipts.c.account_id == bindparam("account"))
)


SIGNED_A_STEP = 8
"""About 0.4 ms of work."""


class _Head(NamedTuple):
    """The newest link of a key's chain."""

    key_id: str
    sequence: int
    chain_hash: str


class Issue(Record, frozen=True):
    """A charge to write a receipt of, with the hold it was within."""

    settlement: Settlement
    hold: int
    charged: int


def issue(transaction: Transaction, issues: Sequence[Issue], signer: ReceiptSigner) -> Iterator[None]:
    """Write the receipts of charges, each the next link of its key's chain in the order given; in steps."""
    heads = _heads_of(transaction, issues)
    seen = dict(heads)
    rows: list[Row] = []
    for number, each in enumerate(issues, start=1):
        head = heads[each.settlement.key_id]
        row, heads[head.key_id] = _signed(each, head, signer)
        rows.append(row)
        if number % SIGNED_A_STEP == 0:
            yield
    _advance(transaction, seen, heads)
    transaction.insert_each(_ISSUE, rows)


def _heads_of(transaction: Transaction, issues: Iterable[Issue]) -> dict[str, _Head]:
    """The newest link of each key; a chain that has none begins."""
    keys = dict.fromkeys([each.settlement.key_id for each in issues])
    known = {row[0]: _Head(*row) for row in _HEAD.rows(transaction, list(keys))}
    return {key_id: known.get(key_id) or _Head(key_id, 0, FIRST_PREVIOUS) for key_id in keys}


def _advance(transaction: Transaction, seen: dict[str, _Head], reached: dict[str, _Head]) -> None:
    """Store how far chains have come. Raises `Unavailable` when another was there first."""
    begun = [reached[key_id]._asdict() for key_id, head in seen.items() if not head.sequence]
    advanced = [
        {
            "key": key_id,
            "seen": head.sequence,
            "reached": reached[key_id].sequence,
            "newest": reached[key_id].chain_hash,
        }
        for key_id, head in seen.items()
        if head.sequence
    ]
    done = transaction.change_each(_BEGIN, begun) if begun else 0
    done += transaction.change_each(_ADVANCE, advanced) if advanced else 0
    if done != len(seen):
        message = f"The receipt chain of {', '.join(seen)} moved on; please try again."
        raise Unavailable(message, retry_after=1)


def _signed(issued: Issue, head: _Head, signer: ReceiptSigner) -> tuple[Row, _Head]:
    """The row of `receipts` behind the newest of its chain, and the newest then."""
    settlement = issued.settlement
    receipt = _receipt(settlement, hold=issued.hold, charged=issued.charged, previous=head.chain_hash)
    body = canonical_body(receipt)
    newest = _Head(head.key_id, head.sequence + 1, chain_hash(head.chain_hash, body))
    row = (
        receipt.receipt_id,
        settlement.request_id,
        settlement.account_id,
        settlement.key_id,
        newest.sequence,
        body,
        signer.sign(body),
        signer.key_id,
        newest.chain_hash,
    )
    return row, newest


def find(account_id: str, wanted: str, transaction: Transaction) -> SignedReceipt | None:
    """A receipt of this account, by its id or its request's."""
    row: Row | None = transaction.row(_FIND, {"wanted": receipt_id_of(wanted), "account": account_id})
    return None if row is None else SignedReceipt(*row)


def _receipt(settlement: Settlement, *, hold: int, charged: int, previous: str) -> Receipt:
    return Receipt(
        receipt_id=receipt_id_of(settlement.request_id),
        request_id=settlement.request_id,
        account_id=settlement.account_id,
        key_id=settlement.key_id,
        at=settlement.at.astimezone(UTC).isoformat(timespec="microseconds"),
        provider=settlement.provider,
        model=settlement.model,
        attempts=tuple([Attempt(each.provider, each.model, each.outcome) for each in settlement.attempts]),
        usage=settlement.usage,
        price_row=settlement.price_row,
        price_book=settlement.price_book,
        markup_basis_points=settlement.markup_basis_points,
        hold=hold,
        charge=charged,
        cache_saving=settlement.cache_saving,
        finish_reason=settlement.finish_reason,
        client_gone=settlement.client_gone,
        cancel_policy=settlement.cancel_policy,
        previous=previous,
        branches=tuple([_branch(each) for each in settlement.branches]) if settlement.branches else (),
    )


def _branch(branch: PaidBranch) -> Branch:
    return Branch(
        provider=branch.provider,
        model=branch.model,
        usage=branch.usage,
        price=branch.price,
        price_row=branch.price_row,
        price_book=branch.price_book,
        markup_basis_points=branch.markup_basis_points,
        kept=branch.kept,
        agent=branch.agent,
        role=branch.role,
    )
