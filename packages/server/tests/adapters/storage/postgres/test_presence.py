"""Who is alone on a database, and who comes while another clears up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from monkey_coder_server.adapters.storage.postgres import presence as module
from monkey_coder_server.adapters.storage.postgres.connection import Server, connect
from monkey_coder_server.adapters.storage.postgres.presence import presence


@pytest.fixture
def server(postgresql_database: str, monkeypatch: pytest.MonkeyPatch) -> Server:
    """A database on a server that has been there for long enough."""
    monkeypatch.setattr(module, "_ALONE", module._ALONE.replace(module.SETTLED_AFTER, "0 seconds"))
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.05)
    return Server(postgresql_database)


@asynccontextmanager
async def serving(server: Server, alone: list[str], name: str) -> AsyncIterator[None]:
    async def note() -> None:
        alone.append(name)

    async with presence(server, when_alone=note):
        yield


async def test_the_first_is_alone_and_the_second_is_not_until_the_first_has_gone(server: Server) -> None:
    alone: list[str] = []
    async with serving(server, alone, "first"), serving(server, alone, "second"):
        assert alone == ["first"]
    async with serving(server, alone, "third"):
        assert alone == ["first", "third"]


async def test_one_that_comes_while_the_first_clears_up_waits_for_it(server: Server) -> None:
    order: list[str] = []
    clearing = asyncio.Event()

    async def clear_up() -> None:
        clearing.set()
        await asyncio.sleep(0.3)
        order.append("cleared")

    async def first() -> None:
        async with presence(server, when_alone=clear_up):
            await asyncio.sleep(0.3)

    async def second() -> None:
        await clearing.wait()
        async with serving(server, order, "cleared twice"):
            order.append("second serves")

    await asyncio.gather(first(), second())
    assert order == ["cleared", "second serves"]


JOINED = """
    SELECT pid FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database
    WHERE locktype = 'advisory' AND mode = 'ShareLock' AND granted AND datname = current_database()
"""
END = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = 'monkey-coder presence' AND datname = current_database()
"""


async def test_a_lock_whose_connection_was_lost_is_taken_again(server: Server) -> None:
    alone: list[str] = []
    async with serving(server, alone, "first"):
        other = connect(server, "test")
        [lost] = other.execute(JOINED).fetchall()
        other.execute(END)
        while other.execute(JOINED).fetchall() in ([], [lost]):  # noqa: ASYNC110 - the server rings no bell
            await asyncio.sleep(0.05)
        other.close()
        async with serving(server, alone, "second"):
            assert alone == ["first"]


async def test_nobody_is_alone_on_a_server_that_has_just_started(
    postgresql_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_ALONE", module._ALONE.replace(module.SETTLED_AFTER, "10 days"))
    alone: list[str] = []
    async with serving(Server(postgresql_database), alone, "first"):
        assert not alone
