"""The public keys of all signers are in the books, and receipts are checked with any of them."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from monkey_coder_server.adapters.signing.ed25519 import Ed25519Signer, signer_of
from monkey_coder_server.adapters.storage.open import Storage, open_storage
from monkey_coder_server.adapters.storage.receipt_keys import receipt_keys
from monkey_coder_server.adapters.storage.transaction import Query
from monkey_coder_server.ports.clock import Clock
from packages.server.tests.contract.booking import hold_request, settle

UNPUBLISHED = "receipts_signed_with_unpublished_key"


async def test_each_signer_adds_its_keys_once(
    database: str, store: Storage, signer: Ed25519Signer, clock: Clock
) -> None:
    former = Ed25519PrivateKey.generate().public_key()
    other = signer_of(Ed25519PrivateKey.generate(), former)
    assert await store.receipt_keys.published() == {}
    await store.receipt_keys.publish()
    beside = await open_storage(database, signer=other, clock=clock)
    for _ in range(2):
        await beside.receipt_keys.publish()
    await beside.close()
    assert await store.receipt_keys.published() == {**signer.public_keys(), **other.public_keys()}
    assert len(other.public_keys()) == 2


async def test_receipts_of_another_signer_are_sound_once_its_key_is_published(
    database: str, funded: Storage, clock: Clock
) -> None:
    asked = hold_request()
    await funded.books.place(asked)
    await settle(funded.books, asked)
    auditor = await open_storage(database, signer=signer_of(Ed25519PrivateKey.generate()), clock=clock)
    before = await auditor.ledger.verify()
    assert {name: count for name, count in before.checks.items() if count} == {UNPUBLISHED: 1}
    await funded.receipt_keys.publish()
    assert (await auditor.ledger.verify()).sound
    await auditor.close()


@pytest.mark.parametrize("content", ["of another name", "no base64!", "\u00e9"])
async def test_a_key_under_a_name_that_is_not_its_own_is_no_key(store: Storage, content: str) -> None:
    raw = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    public_key = base64.b64encode(raw).decode() if content == "of another name" else content
    row = {"key_id": "0123456789abcdef", "algorithm": "ed25519", "public_key": public_key, "first_seen_at": 1}
    await store.writer.perform(lambda transaction: transaction.change(Query(receipt_keys.insert()), row))
    assert await store.receipt_keys.published() == {}
