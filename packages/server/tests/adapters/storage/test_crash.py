"""Killed in the middle of work, opened again: what was acknowledged is there, once, and the books are sound."""

import asyncio
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from monkey_coder_server.adapters.signing.ed25519 import load_or_create_signer
from monkey_coder_server.adapters.storage.open import open_storage
from packages.server.tests.contract.booking import ACCOUNT, StillClock

WORKER = """
import asyncio, sys
from pathlib import Path
from monkey_coder_server.adapters.signing.ed25519 import load_or_create_signer
from monkey_coder_server.adapters.storage.open import open_storage
from packages.server.tests.contract.booking import ACCOUNT, StillClock, hold_request, idempotent, settle

async def client(books, name, round):
    number = 0
    while True:
        number += 1
        request = hold_request(1_000, request_id=f"req_{round}x{name}x{number}",
                               idempotency=idempotent(f"{round} {name} {number}"))
        await books.place(request)
        charge = await settle(books, request, result=b"answer")
        sys.stdout.write(f"{request.request_id} {charge.charged}\\n")
        sys.stdout.flush()

async def main(directory, round, url):
    store = await open_storage(url, signer=load_or_create_signer(directory), clock=StillClock())
    await store.ledger.open_wallet(ACCOUNT)
    await store.ledger.grant(ACCOUNT, 10**12, reason="test", idempotency_key="first")
    await asyncio.gather(*[client(store.books, name, round) for name in range(32)])

asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
"""


@pytest.mark.system
@pytest.mark.parametrize(("kind", "rounds", "charges"), [("sqlite", 3, 150), ("postgresql", 3, 50)])
async def test_no_acknowledged_charge_is_lost_or_doubled(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str, rounds: int, charges: int
) -> None:
    url = f"sqlite:///{tmp_path}/books.db" if kind == "sqlite" else request.getfixturevalue("postgresql_database")
    acknowledged: dict[str, int] = {}
    for number in range(rounds):
        lines = await asyncio.to_thread(work_and_die, tmp_path, url, number, charges * (5 + 2 * number) // 5)
        acknowledged |= {request_id: int(charged) for request_id, charged in (line.split() for line in lines)}
    assert len(acknowledged) >= charges * rounds

    clock = StillClock()
    store = await open_storage(url, signer=load_or_create_signer(tmp_path), clock=clock)
    report = await store.ledger.verify()
    assert report.sound, report.details
    for request_id in acknowledged:
        assert await store.ledger.receipt(ACCOUNT, request_id) is not None
    spent = -(report.totals["promotions"] + report.totals["customer_credit"])
    assert spent >= sum(acknowledged.values())
    assert spent == report.totals["revenue"]

    clock.forward(timedelta(minutes=11))
    await store.ledger.expire_holds(clock.now())
    assert (await store.ledger.wallet(ACCOUNT)).held == 0
    assert (await store.ledger.verify()).sound
    await store.close()


def work_and_die(directory: Path, url: str, number: int, lines: int) -> list[str]:
    """Run the worker until it has acknowledged so many charges, kill it, and return every line it wrote whole."""
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", WORKER, str(directory), str(number), url], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    seen = [process.stdout.readline() for _ in range(lines)]
    time.sleep(0.003 * number)
    process.send_signal(signal.SIGKILL)
    seen += process.stdout.readlines()
    process.stdout.close()
    assert process.wait(10) == -signal.SIGKILL
    return [line for line in seen if line.endswith("\n")]
