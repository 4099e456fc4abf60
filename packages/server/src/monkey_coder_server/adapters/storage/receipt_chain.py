"""Receipts as they are issued: the next link of the key's chain, signed, in the charge's own transaction."""

from datetime import UTC

from sqlalchemy import bindparam, insert, literal_column, select
from sqlalchemy.dialects.postgresql import insert as insert_or_update

from monkey_coder_server.adapters.storage.tables import receipt_chains, receipts
from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction
from monkey_coder_server.domain.errors import Unavailable
from monkey_coder_server.domain.receipts import FIRST_PREVIOUS, Attempt, Receipt, canonical_body, chain_hash
from monkey_coder_server.ports.ledger import Settlement, SignedReceipt
from monkey_coder_server.ports.signing import ReceiptSigner

_HEAD = Query(
    select(receipt_chains.c.sequence, receipt_chains.c.chain_hash).where(receipt_chains.c.key_id == bindparam("key"))
)
_heads = insert_or_update(receipt_chains)
_ADVANCE = Query(
    _heads.on_conflict_do_update(
        index_elements=[receipt_chains.c.key_id],
        set_={"sequence": _heads.excluded.sequence, "chain_hash": _heads.excluded.chain_hash},
        where=receipt_chains.c.sequence == _heads.excluded.sequence - literal_column("1"),
    )
)
_ISSUE = Query(insert(receipts))
_FIND = Query(
    select(
        receipts.c.receipt_id,
        receipts.c.account_id,
        receipts.c.body,
        receipts.c.signature,
        receipts.c.signing_key_id,
        receipts.c.chain_hash,
    ).where(receipts.c.receipt_id == bindparam("wanted"), receipts.c.account_id == bindparam("account"))
)


def receipt_id_of(request_id: str) -> str:
    """The receipt's id, known before the charge is, so that a reply's first bytes can name it."""
    return f"rcpt_{request_id.rpartition('_')[2]}"


def issue(transaction: Transaction, settlement: Settlement, *, hold: int, charged: int, signer: ReceiptSigner) -> str:
    """Write the receipt of a charge; its id."""
    head = transaction.row(_HEAD, {"key": settlement.key_id})
    sequence, previous = (head[0] + 1, head[1]) if head else (1, FIRST_PREVIOUS)
    receipt = _receipt(settlement, hold=hold, charged=charged, previous=previous)
    body = canonical_body(receipt)
    link = chain_hash(previous, body)
    if not transaction.change(_ADVANCE, {"key_id": settlement.key_id, "sequence": sequence, "chain_hash": link}):
        message = f"The receipt chain of {settlement.key_id} moved on; please try again."
        raise Unavailable(message, retry_after=1)
    transaction.change(
        _ISSUE,
        {
            "receipt_id": receipt.receipt_id,
            "request_id": settlement.request_id,
            "account_id": settlement.account_id,
            "key_id": settlement.key_id,
            "sequence": sequence,
            "body": body,
            "signature": signer.sign(body),
            "signing_key_id": signer.key_id,
            "chain_hash": link,
        },
    )
    return receipt.receipt_id


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
    )
