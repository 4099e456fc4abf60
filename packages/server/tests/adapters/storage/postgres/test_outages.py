"""The server stopped, killed, restarted, paused, cut off: every call ends, nothing is booked twice, all comes back."""

import asyncio
import logging
import threading
import time
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import text

from monkey_coder_server.adapters.signing.ed25519 import Ed25519Signer
from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.adapters.storage.postgres.connection import Connection, Server
from monkey_coder_server.adapters.storage.postgres.problems import UnknownEnd
from monkey_coder_server.adapters.storage.postgres.readers import PgReaders
from monkey_coder_server.adapters.storage.transaction import Query
from monkey_coder_server.domain.errors import Unavailable
from packages.server.tests.adapters.storage.postgres.conftest import funded
from packages.server.tests.adapters.storage.postgres.proxy import Wire
from packages.server.tests.contract.booking import ACCOUNT, hold_request, settle
from tools.postgresql import Cluster

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("outages")]
Mortal = tuple[Cluster, str]
SLEEP = Query(text("SELECT pg_sleep(30)"))
ONE = Query(text("SELECT 1"))
COMMIT = b"COMMIT\0"
BOUND = 25.0
"""What `PgWriter` promises, with what a busy machine takes beside it."""


async def ask(store: Storage) -> int:
    """Anything that writes: the balance."""
    wallet = await store.ledger.grant(ACCOUNT, 1, reason="test", idempotency_key="first")
    return wallet.balance


async def recover(store: Storage) -> None:
    until = time.monotonic() + BOUND
    while time.monotonic() < until:
        try:
            await ask(store)
        except Unavailable:
            await asyncio.sleep(0.02)
        else:
            break
    assert store.healthy()
    while time.monotonic() < until:
        try:
            await store.ledger.wallet(ACCOUNT)
        except Unavailable:
            await asyncio.sleep(0.02)
        else:
            return


def connections(url: str) -> int:
    with psycopg.connect(url, autocommit=True) as connection:
        [(found,)] = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'monkey-coder%'"
        ).fetchall()
    return int(found)


def threads() -> int:
    """Those of readers and writer; the event loop's own come and go."""
    return sum(thread.name.startswith("ledger") for thread in threading.enumerate())


@pytest.mark.parametrize("end", ["fast", "immediate", "kill"])
async def test_a_server_that_goes_away_is_told_at_once_and_taken_again(
    mortal: Mortal, signer: Ed25519Signer, caplog: pytest.LogCaptureFixture, end: str
) -> None:
    server, url = mortal
    store = await funded(url, signer)
    await store.ledger.wallet(ACCOUNT)
    before = connections(url), threads()
    with caplog.at_level(logging.WARNING):
        await asyncio.to_thread(server.kill if end == "kill" else lambda: server.stop(end))
        with pytest.raises(Unavailable):
            await asyncio.wait_for(ask(store), BOUND)
        with pytest.raises(Unavailable):
            await asyncio.wait_for(store.ledger.wallet(ACCOUNT), BOUND)
        assert not store.healthy()
        await asyncio.sleep(1)
        await asyncio.to_thread(server.start)
        await recover(store)
    told = [record.message for record in caplog.records if record.name.endswith("postgres.link")]
    assert [line.split(": ")[0].split(" after ")[0] for line in told] == [
        f"the database {url.rpartition('/')[2]} on 127.0.0.1:{server.port} as postgres is away",
        "the database is back",
    ]
    await asyncio.gather(*[store.ledger.wallet(ACCOUNT) for _ in range(12)])
    assert connections(url) <= before[0] + 2
    assert threads() <= before[1] + 2
    assert (await store.ledger.verify()).sound
    await store.close()


async def test_a_restart_between_two_operations_is_not_even_noticed(mortal: Mortal, signer: Ed25519Signer) -> None:
    server, url = mortal
    store = await funded(url, signer)
    await store.ledger.wallet(ACCOUNT)
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'monkey-coder%'"
        )
    assert await ask(store) == 10_000
    assert (await store.ledger.wallet(ACCOUNT)).balance == 10_000
    await store.close()


async def test_an_idle_store_notices_that_the_server_has_gone(mortal: Mortal, signer: Ed25519Signer) -> None:
    server, url = mortal
    store = await funded(url, signer)
    await asyncio.to_thread(server.stop)
    until = time.monotonic() + BOUND
    while store.healthy():
        assert time.monotonic() < until
        await asyncio.sleep(0.05)
    await asyncio.to_thread(server.start)
    await recover(store)
    await store.close()


async def test_nobody_waits_to_read_from_a_database_that_is_known_to_be_away(postgresql_database: str) -> None:
    away = False
    readers = PgReaders(Server(postgresql_database), away=lambda: away)
    assert await readers.read(lambda transaction: transaction.rows(ONE, {})) == [(1,)]
    away = True
    with pytest.raises(Unavailable):
        await readers.read(lambda transaction: transaction.rows(ONE, {}))
    readers.close()


async def test_a_paused_server_is_given_up_and_taken_again(
    mortal: Mortal, signer: Ed25519Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, url = mortal
    store = await funded(url, signer)
    await store.ledger.wallet(ACCOUNT)
    monkeypatch.setattr(Connection, "patience", timedelta(seconds=1))
    server.pause()
    try:
        results = await asyncio.wait_for(
            asyncio.gather(*[ask(store) for _ in range(5)], store.ledger.wallet(ACCOUNT), return_exceptions=True), BOUND
        )
        assert all(isinstance(result, Unavailable) for result in results), results
        assert not store.healthy()
        with pytest.raises(Unavailable):
            await ask(store)
    finally:
        server.resume()
    await recover(store)
    assert (await store.ledger.verify()).sound
    await store.close()


async def test_a_statement_that_takes_too_long_ends_its_operation_alone(
    mortal: Mortal, signer: Ed25519Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, url = mortal
    store = await funded(url, signer)
    monkeypatch.setattr(Connection, "patience", timedelta(milliseconds=300))
    with pytest.raises(Unavailable):
        await asyncio.wait_for(store.writer.perform(lambda transaction: transaction.rows(SLEEP, {})), BOUND)
    monkeypatch.undo()
    await recover(store)
    await store.close()


@pytest.mark.parametrize("passes_on", [True, False], ids=["committed", "not committed"])
async def test_a_commit_whose_answer_is_lost_is_looked_up_and_booked_once(
    mortal: Mortal, signer: Ed25519Signer, passes_on: bool
) -> None:
    server, url = mortal
    wire = Wire(server.port, passes_on=passes_on)
    store = await funded(url.replace(f":{server.port}/", f":{wire.port}/"), signer)
    asked = hold_request(1_000)
    wire.cut_at = COMMIT
    await store.books.place(asked)
    assert wire.cuts == 1
    wire.cut_at = COMMIT
    assert (await settle(store.books, asked, price=600)).charged == 600
    assert wire.cuts == 2
    wallet = await store.ledger.wallet(ACCOUNT)
    assert (wallet.balance, wallet.held) == (9_400, 0)
    assert (await store.ledger.verify()).sound
    await store.close()
    wire.close()
    wire.join()


async def test_an_end_nobody_can_tell_is_said_to_be_unknown_and_may_be_repeated(
    mortal: Mortal, signer: Ed25519Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, url = mortal
    monkeypatch.setattr("monkey_coder_server.adapters.storage.postgres.link.ANSWER", timedelta(milliseconds=300))
    wire = Wire(server.port, ends=True)
    store = await funded(url.replace(f":{server.port}/", f":{wire.port}/"), signer)
    asked = hold_request(1_000)
    await store.books.place(asked)
    wire.cut_at = COMMIT
    settling = asyncio.create_task(settle(store.books, asked, price=600))
    with pytest.raises(UnknownEnd):
        await asyncio.wait_for(settling, BOUND)
    await store.close()
    wire.join()
    again = await funded(url, signer)
    assert (await settle(again.books, asked, price=600)).charged == 600
    assert (await again.ledger.wallet(ACCOUNT)).balance == 9_400
    assert (await again.ledger.verify()).sound
    await again.close()


async def test_what_was_told_as_booked_is_there_after_the_server_was_killed_under_load(
    mortal: Mortal, signer: Ed25519Signer
) -> None:
    server, url = mortal
    store = await funded(url, signer)
    told: list[str] = []
    over = asyncio.Event()

    async def client() -> None:
        while not over.is_set():
            asked = hold_request(1)
            try:
                await asyncio.wait_for(store.books.place(asked), BOUND)
                await asyncio.wait_for(settle(store.books, asked, price=1), BOUND)
            except Unavailable:
                await asyncio.sleep(0.05)
            else:
                told.append(asked.request_id)

    clients = [asyncio.create_task(client()) for _ in range(8)]
    for end in (server.kill, lambda: server.stop("immediate")):
        await asyncio.sleep(1)
        await asyncio.to_thread(end)
        await asyncio.sleep(0.3)
        await asyncio.to_thread(server.start)
        await recover(store)
    over.set()
    await asyncio.gather(*clients)
    assert len(told) > 20
    for request_id in told:
        assert await store.ledger.receipt(ACCOUNT, request_id) is not None
    report = await store.ledger.verify()
    assert report.sound, report.details
    await store.close()
