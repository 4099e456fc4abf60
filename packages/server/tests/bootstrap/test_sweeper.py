"""What is past its time by a clock that was set is ended only when that clock has lasted."""

import logging
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from monkey_coder_server.adapters.signing.ed25519 import signer_of
from monkey_coder_server.adapters.storage.open import open_storage
from monkey_coder_server.bootstrap.sweeper import Sweeper
from monkey_coder_server.domain.lasting import BELIEVED_AFTER
from monkey_coder_server.ports.accounts import AuditEntry
from packages.server.tests.contract.booking import ACCOUNT, StillClock, hold_request, lease_wish

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize("by", [HOUR, -HOUR])
async def test_a_jump_of_the_clock_ends_nothing_at_once_and_nothing_is_held_for_ever(
    tmp_path: Path, by: timedelta
) -> None:
    clock = StillClock()
    store = await open_storage(
        f"sqlite:///{tmp_path}/books.db", signer=signer_of(Ed25519PrivateKey.generate()), clock=clock
    )
    await store.ledger.open_wallet(ACCOUNT)
    await store.ledger.grant(ACCOUNT, 10_000, reason="test", idempotency_key="first")
    await store.books.place(hold_request(1_000))
    assert await store.books.lease(lease_wish(2_000))
    sweeper = Sweeper(store, clock)
    await sweeper.sweep()
    clock.moment += by
    for _ in range(2):
        clock.forward(MINUTE)
        await sweeper.sweep()
        assert (await store.books.wallet(ACCOUNT)).held == 3_000
    clock.forward(timedelta(seconds=BELIEVED_AFTER))
    await sweeper.sweep()
    assert (await store.books.wallet(ACCOUNT)).held == (0 if by > timedelta(0) else 3_000)
    clock.forward(HOUR)
    await sweeper.sweep()
    assert (await store.books.wallet(ACCOUNT)).held == 0
    await store.close()


async def test_the_head_of_the_audit_trail_is_told_once_a_day(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clock = StillClock()
    signer = signer_of(Ed25519PrivateKey.generate())
    store = await open_storage(f"sqlite:///{tmp_path}/books.db", signer=signer, clock=clock)
    await store.audit.record(AuditEntry("operator", "users.list", target="every account", at=clock.now()))
    caplog.set_level(logging.INFO)
    sweeper = Sweeper(store, clock)
    for later in (MINUTE, MINUTE, timedelta(days=1)):
        await sweeper.sweep()
        clock.forward(later)
    head = (await store.audit.verify()).head.hex()
    assert [line for line in caplog.messages if "audit trail" in line] == [
        f"the audit trail has 1 entries, its head is {head}"
    ]
    await sweeper.sweep()
    assert len([line for line in caplog.messages if "audit trail" in line]) == 2
    await store.close()
