"""Several processes on one database: together they grant exactly what a wallet or a cap is good for."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from monkey_coder_server.adapters.signing.ed25519 import load_or_create_signer
from monkey_coder_server.adapters.storage.open import Storage, open_storage
from monkey_coder_server.domain.errors import BudgetExceeded, InsufficientCredit
from monkey_coder_server.ports.accounts import Caps
from packages.server.tests.contract.booking import ACCOUNT, StillClock, lease_wish, resolved
from packages.server.tests.contract.booking import hold_request as request
from packages.server.tests.contract.test_caps import key

AMOUNT = 1_000
WORKER = """
import asyncio, sys
from pathlib import Path
from monkey_coder_server.adapters.signing.ed25519 import load_or_create_signer
from monkey_coder_server.adapters.storage.open import open_storage
from packages.server.tests.contract.booking import StillClock
from packages.server.tests.contract.test_processes import spend

async def main(url, directory, name, clients):
    store = await open_storage(url, signer=load_or_create_signer(Path(directory)), clock=StillClock())
    sys.stdin.read(1)
    granted = await asyncio.gather(*[spend(store, f"{name}x{number}") for number in range(int(clients))])
    print(sum(granted))
    await store.close()

asyncio.run(main(*sys.argv[1:]))
"""


async def spend(store: Storage, name: str) -> int:
    """Take leases while there are any, then hold directly, until nothing is left; how many requests were granted."""
    granted = 0
    while lease := await store.books.lease(
        lease_wish(5 * AMOUNT, lease_id=f"lease_{name}x{granted}", instance=name, least=AMOUNT)
    ):
        most = lease.amount // AMOUNT
        asked = [request(AMOUNT, request_id=f"req_{name}x{granted + number}") for number in range(most)]
        await store.books.ship([resolved(each, lease.lease_id, AMOUNT) for each in asked])
        await store.books.give_back(lease.lease_id, lease.amount - most * AMOUNT)
        granted += most
    while True:
        asked = [request(AMOUNT, request_id=f"req_{name}x{granted}")]
        try:
            await store.books.place(asked[0])
        except (InsufficientCredit, BudgetExceeded):
            return granted
        await store.books.ship([resolved(asked[0], None, AMOUNT)])
        granted += 1


@pytest.mark.system
@pytest.mark.parametrize("capped", [False, True])
@pytest.mark.parametrize(("processes", "clients"), [(1, 64), (4, 8)])
async def test_exactly_what_is_affordable_is_granted(
    database: str, tmp_path: Path, processes: int, clients: int, *, capped: bool
) -> None:
    affordable = 150
    store = await open_storage(database, signer=load_or_create_signer(tmp_path), clock=StillClock())
    await store.ledger.open_wallet(ACCOUNT)
    await store.ledger.grant(ACCOUNT, affordable * AMOUNT * (7 if capped else 1), reason="test", idempotency_key="1")
    await store.keys.create(key(Caps(total=affordable * AMOUNT) if capped else Caps()))
    granted = await asyncio.to_thread(run, database, tmp_path, processes, clients)
    wallet, report = await store.books.wallet(ACCOUNT), await store.ledger.verify()
    await store.close()
    assert report.sound, report.details
    assert sum(granted) == affordable
    assert (wallet.balance, wallet.held) == (6 * affordable * AMOUNT if capped else 0, 0)


def run(url: str, directory: Path, processes: int, clients: int) -> list[int]:
    """Let so many workers begin together; what each granted."""
    started = [
        subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-c", WORKER, url, str(directory), str(number), str(clients)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(processes)
    ]
    return [int(process.communicate("\n", timeout=100)[0]) for process in started]


@pytest.mark.parametrize("copies", [4])
async def test_what_several_processes_ship_at_once_is_booked_once(database: str, tmp_path: Path, copies: int) -> None:
    """A dead process's journal may be shipped by its heir while its own last call is still on the way."""
    signer = load_or_create_signer(tmp_path)
    stores = [await open_storage(database, signer=signer, clock=StillClock()) for _ in range(copies)]
    for account in ("acc_1", "acc_2"):
        await stores[0].ledger.open_wallet(account)
        await stores[0].ledger.grant(account, 100 * AMOUNT, reason="test", idempotency_key="1")
    batch = []
    for number in range(20):
        of = {"account_id": f"acc_{number % 2 + 1}", "key_id": f"key_{number % 4}"}
        lease = await stores[number % copies].books.lease(lease_wish(AMOUNT, **of))
        assert lease is not None
        batch += [resolved(request(AMOUNT, **of), lease.lease_id, AMOUNT) for _ in range(2)]
    backwards = batch[::-1]
    refused = await asyncio.gather(
        *[store.books.ship(batch if number % 2 else backwards) for number, store in enumerate(stores)]
    )
    assert refused == [{}] * copies
    wallets = [await stores[0].books.wallet(account) for account in ("acc_1", "acc_2")]
    assert [(wallet.balance, wallet.held) for wallet in wallets] == [(80 * AMOUNT, 0)] * 2
    assert (await stores[0].ledger.verify()).sound
    for store in stores:
        await store.close()
