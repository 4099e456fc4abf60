"""Connections of a pool: who gets one when there are no more, which are kept, and how long names are remembered."""

import asyncio
import socket

import pytest

from monkey_coder_server.adapters.upstream import connecting
from monkey_coder_server.adapters.upstream.answer import Answer
from monkey_coder_server.adapters.upstream.connecting import Names
from monkey_coder_server.adapters.upstream.failures import Broken, Unreachable
from monkey_coder_server.adapters.upstream.limits import UpstreamLimits
from monkey_coder_server.adapters.upstream.pool import Pool
from monkey_coder_server.adapters.upstream.request import Target
from monkey_coder_server.adapters.upstream.wire import Connection
from packages.server.tests.adapters.upstream.conftest import Start, read_request

pytestmark = pytest.mark.system

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await read_request(reader):
        writer.write(ANSWER)


async def opened(serve: Start, **limits: float) -> tuple[Pool, Target]:
    bounds = UpstreamLimits(**limits)  # type: ignore[arg-type]  # some of them are whole numbers
    port = (await serve(script)).rpartition(":")[2]
    return Pool(bounds, Names(60)), Target("127.0.0.1", int(port), tls=False)


def asked_of(connection: Connection) -> Answer:
    answer = Answer(connection, asyncio.get_running_loop())
    connection.ask(answer, b"POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\n", b"")
    return answer


async def used(connection: Connection) -> None:
    answer = asked_of(connection)
    while not answer.over:
        await answer
    assert answer.take() == b"{}"


async def lost(connection: Connection) -> None:
    async with asyncio.timeout(5):
        while connection.transport is not None:  # noqa: ASYNC110 - it tells nobody but its pool
            await asyncio.sleep(0.01)


async def test_who_waits_gets_a_connection_in_turn_and_the_one_that_was_freed(serve: Start) -> None:
    pool, target = await opened(serve, connections=1)
    first = await pool.connection(target)
    got: list[int] = []

    async def wait(number: int) -> None:
        connection = await pool.connection(target)
        got.append(number)
        assert connection is first
        await used(connection)

    waiting = [asyncio.create_task(wait(number)) for number in range(4)]
    await asyncio.sleep(0)
    waiting[1].cancel()
    await asyncio.sleep(0)
    assert pool.ready(target) is None
    await used(first)
    await asyncio.gather(*waiting, return_exceptions=True)
    assert got == [0, 2, 3]
    assert pool.ready(target) is first
    await pool.close()


async def test_a_turn_that_comes_to_one_who_leaves_is_passed_on(serve: Start) -> None:
    pool, target = await opened(serve, connections=1)
    first = await pool.connection(target)
    leaver, stayer = (asyncio.create_task(pool.connection(target)) for _ in range(2))
    await asyncio.sleep(0)
    await used(first)
    leaver.cancel()
    assert await stayer is first
    assert leaver.cancelled()
    await used(first)
    await pool.close()


async def test_a_connection_that_cannot_be_opened_takes_no_place(serve: Start) -> None:
    pool, target = await opened(serve, connections=1)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = Target("127.0.0.1", free.getsockname()[1], tls=False)
    for _ in range(2):
        with pytest.raises(Unreachable):
            await pool.connection(nobody)
    await used(await pool.connection(target))
    await pool.close()


async def test_a_connection_idle_for_long_is_closed_and_not_given_out(serve: Start) -> None:
    pool, target = await opened(serve, keep_alive=0.2)
    first, second = [await pool.connection(target) for _ in range(2)]
    await used(first)
    await used(second)
    assert pool.ready(target) is second
    await lost(first)
    await used(second)
    second.idle_since -= 1
    assert pool.ready(target) is None
    await lost(second)
    await pool.close()


async def test_a_connection_that_the_provider_closes_is_forgotten(serve: Start) -> None:
    closers: list[asyncio.StreamWriter] = []

    async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        closers.append(writer)
        await script(reader, writer)

    port = (await serve(closing)).rpartition(":")[2]
    pool, target = Pool(UpstreamLimits(), Names(60)), Target("127.0.0.1", int(port), tls=False)
    first = await pool.connection(target)
    await used(first)
    closers[0].close()
    await lost(first)
    assert pool.ready(target) is None
    assert await pool.connection(target) is not first
    await pool.close()


async def test_a_pool_that_closes_ends_what_waits_for_it(serve: Start) -> None:
    pool, target = await opened(serve, connections=1)
    connection = await pool.connection(target)
    answer = asked_of(connection)
    waiting = asyncio.create_task(pool.connection(target))
    await asyncio.sleep(0)
    await pool.close()
    assert answer.broken is not None
    assert connection.transport is None
    with pytest.raises(Broken):
        await waiting


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"192.0.2.{last}", 443)) for last in (1, 2)]

    async def look_up(_: object, host: str, *__: object, **___: object) -> list[object]:
        names.append(host)
        await asyncio.sleep(0.01)
        if host == "away.test":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [] if host == "empty.test" else list(found)

    monkeypatch.setattr(asyncio.base_events.BaseEventLoop, "getaddrinfo", look_up)
    return names


async def test_a_name_is_looked_up_once_and_its_addresses_take_turns(asked: list[str]) -> None:
    names = Names(60)
    both = await asyncio.gather(*(names.addresses("api.test", 443) for _ in range(2)))
    later = await names.addresses("api.test", 443)
    assert [found[0][4][0] for found in (*both, later)] == ["192.0.2.1", "192.0.2.2", "192.0.2.1"]
    assert asked == ["api.test"]


async def test_a_name_is_looked_up_again_when_it_was_kept_for_long_enough(asked: list[str]) -> None:
    names = Names(0)
    for _ in range(2):
        await names.addresses("api.test", 443)
    assert asked == ["api.test"] * 2


@pytest.mark.parametrize("name", ["away.test", "empty.test"])
async def test_a_name_without_an_address_is_asked_for_again(asked: list[str], name: str) -> None:
    names = Names(60)
    for _ in range(2):
        with pytest.raises(Unreachable) as caught:
            await names.addresses(name, 443)
        assert caught.value.looking_up
    assert asked == [name] * 2


async def test_who_leaves_a_look_up_does_not_end_it_for_the_others(asked: list[str]) -> None:
    names = Names(60)
    leaver, stayer = (asyncio.create_task(names.addresses("api.test", 443)) for _ in range(2))
    await asyncio.sleep(0)
    leaver.cancel()
    assert len(await stayer) == 2
    assert asked == ["api.test"]


@pytest.mark.parametrize(("host", "family"), [("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)])
async def test_an_address_is_not_looked_up(asked: list[str], host: str, family: int) -> None:
    ((found, *_),) = await Names(60).addresses(host, 443)
    assert (found, asked) == (family, [])


async def test_another_address_is_tried_when_the_first_one_refuses(
    serve: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool, target = await opened(serve)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        refusing = free.getsockname()
    places = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", place) for place in (refusing, (target.host, target.port))]

    async def addresses(*_: object) -> list[object]:
        return list(places)

    monkeypatch.setattr(connecting.Names, "addresses", addresses)
    await used(await pool.connection(target))
    await pool.close()
