"""A gateway that starts after another died gives back what that one held; beside a living one it touches nothing."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

from monkey_coder_server.adapters.signing.ed25519 import Ed25519Signer
from monkey_coder_server.adapters.storage.open import Storage, open_storage
from monkey_coder_server.adapters.storage.presence import SUFFIX, presence
from monkey_coder_server.ports.ledger import Hold, Replay
from monkey_coder_server.ports.usage_reports import Wanted
from packages.server.tests.contract.booking import (
    ACCOUNT,
    StillClock,
    fail,
    hold_request,
    idempotent,
    settle,
)


async def opened(path: Path, signer: Ed25519Signer, clock: StillClock) -> Storage:
    store = await open_storage(path, signer=signer, clock=clock)
    await store.ledger.open_wallet(ACCOUNT)
    await store.ledger.grant(ACCOUNT, 10_000, reason="test", idempotency_key="first")
    return store


async def leave_a_hold(path: Path, signer: Ed25519Signer, clock: StillClock) -> None:
    """As a process does that is killed in the middle of a request."""
    store = await opened(path, signer, clock)
    async with store.serving(clock):
        assert isinstance(await store.books.place(hold_request(idempotency=idempotent())), Hold)
    await store.close()


async def test_the_next_process_voids_what_died_and_its_task_can_be_tried_again(
    tmp_path: Path, signer: Ed25519Signer
) -> None:
    path, clock = tmp_path / "books.db", StillClock()
    await leave_a_hold(path, signer, clock)
    store = await opened(path, signer, clock)
    assert (await store.ledger.wallet(ACCOUNT)).held > 0
    async with store.serving(clock):
        wallet = await store.ledger.wallet(ACCOUNT)
        assert (wallet.balance, wallet.held) == (10_000, 0)
        (row,) = await store.reports.newest(ACCOUNT, Wanted(clock.now(), clock.now().replace(year=2030)), most=9)
        assert (row.status, row.price) == ("expired", 0)
        assert not isinstance(await store.books.place(hold_request(idempotency=idempotent())), Replay)
        assert (await store.ledger.verify()).sound
    await store.close()


async def test_a_second_living_gateway_leaves_the_holds_of_the_first_alone(
    tmp_path: Path, signer: Ed25519Signer
) -> None:
    path, clock = tmp_path / "books.db", StillClock()
    first, second = await opened(path, signer, clock), await open_storage(path, signer=signer, clock=clock)
    async with first.serving(clock):
        asked = hold_request()
        assert isinstance(await first.books.place(asked), Hold)
        async with second.serving(clock):
            charge = await settle(first.books, asked)
            assert charge.charged == 600
            await fail(second.books, asked)
            assert (await second.ledger.wallet(ACCOUNT)).balance == 9_400
    await first.close()
    await second.close()


async def test_one_that_comes_while_the_first_clears_up_waits_for_it(tmp_path: Path) -> None:
    order: list[str] = []
    clearing = asyncio.Event()

    async def clear_up() -> None:
        clearing.set()
        await asyncio.sleep(0.05)
        order.append("cleared")

    async def never() -> None:
        order.append("cleared twice")

    async def first() -> None:
        async with presence(tmp_path / "books.db", when_alone=clear_up):
            await asyncio.sleep(0.2)

    async def second() -> None:
        await clearing.wait()
        async with presence(tmp_path / "books.db", when_alone=never):
            order.append("second serves")

    await asyncio.gather(first(), second())
    assert order == ["cleared", "second serves"]


HOLDER = "import fcntl, sys, time; f = open(sys.argv[1], 'ab'); fcntl.flock(f, fcntl.LOCK_SH); print(1); time.sleep(60)"


async def test_a_killed_process_no_longer_counts(tmp_path: Path) -> None:
    alone: list[bool] = []

    async def note() -> None:
        alone.append(True)

    path = tmp_path / "books.db"
    lock = path.with_name(path.name + SUFFIX)
    with subprocess.Popen(  # noqa: S603, ASYNC220 - our own interpreter; the test waits for it
        [sys.executable, "-c", HOLDER, str(lock)], stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        async with presence(path, when_alone=note):
            assert not alone
        os.kill(other.pid, signal.SIGKILL)
        other.wait()
    async with presence(path, when_alone=note):
        assert alone
