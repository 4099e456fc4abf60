"""A thousand accounts this process has never heard of ask at once: all are served, by books asked in turn."""

import asyncio

from monkey_coder_server.adapters.leasing import LeasedLedger
from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.ports.ledger import Hold
from packages.server.tests.contract.booking import hold_request, settlement

HERD = 1_000
CREDIT, HELD, PRICE = 1_000_000, 1_000, 600


async def test_every_one_of_a_cold_herd_is_held_for_and_charged(funded: Storage, ledger: LeasedLedger) -> None:
    names = [f"acc_herd_{number}" for number in range(HERD)]
    await asyncio.gather(*[funded.ledger.open_wallet(name) for name in names])
    grants = [funded.ledger.grant(name, CREDIT, reason="test", idempotency_key=name) for name in names]
    await asyncio.gather(*grants)
    asked = [hold_request(HELD, account_id=name, key_id=f"key_{name}") for name in names]
    held = await asyncio.gather(*[ledger.hold(one) for one in asked])
    assert all(isinstance(one, Hold) for one in held)
    charges = await asyncio.gather(*[ledger.settle(settlement(one, PRICE)) for one in asked])
    assert {(charge.charged, charge.balance) for charge in charges} == {(PRICE, CREDIT - PRICE)}
    await asyncio.gather(*[ledger.booked(name) for name in names])
    wallets = [await funded.ledger.wallet(name) for name in (names[0], names[-1])]
    assert {wallet.balance for wallet in wallets} == {CREDIT - PRICE}
    assert (await funded.ledger.verify()).sound
