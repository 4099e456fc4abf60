"""A gateway whose clock is far from the database's says so, and ends nothing that others hold."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from monkey_coder_server.adapters.signing.ed25519 import signer_of
from monkey_coder_server.adapters.storage.following import MOST_APART
from monkey_coder_server.adapters.storage.open import open_storage
from monkey_coder_server.bootstrap.sweeper import Sweeper
from packages.server.tests.contract.booking import ACCOUNT, StillClock, hold_request, lease_wish

pytestmark = pytest.mark.system
HOUR = timedelta(hours=1)
LITTLE = MOST_APART // 2


@pytest.mark.parametrize("off", [HOUR, -HOUR, LITTLE])
async def test_who_starts_with_a_clock_that_is_wrong_takes_nothing_back_until_it_is_right(
    postgresql_database: str, caplog: pytest.LogCaptureFixture, off: timedelta
) -> None:
    right = datetime.now(UTC)
    clock = StillClock(right + off)
    store = await open_storage(postgresql_database, signer=signer_of(Ed25519PrivateKey.generate()), clock=clock)
    await store.ledger.open_wallet(ACCOUNT)
    await store.ledger.grant(ACCOUNT, 10_000, reason="test", idempotency_key="first")
    await store.books.place(hold_request(1_000, at=right))
    assert await store.books.lease(lease_wish(2_000, at=right))
    await Sweeper(store, clock).sweep()
    assert (await store.books.wallet(ACCOUNT)).held == 3_000
    told = [line.message for line in caplog.records if line.levelno == logging.ERROR]
    assert len(told) == (abs(off) > LITTLE)
    assert all(f"3600 seconds {'ahead of' if off > timedelta(0) else 'behind'} that of the" in each for each in told)
    clock.moment = datetime.now(UTC)
    async with asyncio.timeout(30):
        while abs(store.watching.apart) > MOST_APART:  # noqa: ASYNC110 - a figure rings no bell
            await asyncio.sleep(0.05)
    await Sweeper(store, StillClock(right + HOUR)).sweep()
    assert (await store.books.wallet(ACCOUNT)).held == 0
    await store.close()
