"""A webhook goes to the public address its name led to when it was judged, and nowhere else."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestServer

from monkey_coder_server.adapters.webhooks import WebhookPosting, posting
from monkey_coder_server.ports.webhooks import Undelivered

pytestmark = pytest.mark.system
NOBODY: frozenset[str] = frozenset()
HEADERS = {"webhook-id": "evt_1"}


@dataclass
class Names(AbstractResolver):
    """Finds what it is told to, one list of addresses at each look-up, and counts."""

    answers: Iterator[list[str]]
    asked: list[tuple[str, int]] = field(default_factory=list)

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_INET,  # noqa: ARG002 - a seam's signature
    ) -> list[ResolveResult]:
        self.asked.append((host, port))
        try:
            found = next(self.answers)
        except StopIteration:
            raise OSError("no such name") from None
        return [
            ResolveResult(hostname=host, host=each, port=port, family=_family(each), proto=0, flags=0) for each in found
        ]

    async def close(self) -> None:
        """Nothing is open."""


def _family(address: str) -> int:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


@dataclass
class There:
    """Counts requests, and answers as it is told."""

    answer: Callable[[], web.StreamResponse] = web.Response
    posted: list[tuple[str, bytes, dict[str, str]]] = field(default_factory=list)
    port: int = 0

    async def take(self, request: web.Request) -> web.StreamResponse:
        self.posted.append((request.path_qs, await request.read(), dict(request.headers)))
        return self.answer()


@pytest.fixture
async def there() -> AsyncIterator[There]:
    found = There()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", found.take)
    async with TestServer(application) as server:
        assert server.port is not None
        found.port = server.port
        yield found


@asynccontextmanager
async def way(*excepted: str, names: Names | None = None) -> AsyncIterator[WebhookPosting]:
    out = WebhookPosting(frozenset(excepted), resolver=names)
    try:
        yield out
    finally:
        await out.close()


async def refused(url: str, *excepted: str, names: Names | None = None) -> Undelivered:
    async with way(*excepted, names=names) as out:
        with pytest.raises(Undelivered) as caught:
            await out.post(url, HEADERS, b"{}")
    return caught.value


async def test_a_body_is_posted_as_it_is_with_its_headers(there: There) -> None:
    async with way(f"127.0.0.1:{there.port}") as out:
        await out.post(f"http://127.0.0.1:{there.port}/hook?a=b%2Fc", HEADERS, b'{"a": 1}')
    [(path, body, headers)] = there.posted
    assert (path, body) == ("/hook?a=b%2Fc", b'{"a": 1}')
    assert (headers["webhook-id"], headers["Content-Type"]) == ("evt_1", "application/json")
    assert headers["User-Agent"] == posting.AGENT


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 400, 404, 500, 503])
async def test_nothing_but_success_is_success_and_no_redirect_is_followed(there: There, status: int) -> None:
    there.answer = lambda: web.Response(status=status, headers={"location": f"http://127.0.0.1:{there.port}/other"})
    told = await refused(f"http://127.0.0.1:{there.port}/hook", f"127.0.0.1:{there.port}")
    assert (str(told), told.for_good) == (f"it answered with {status}", False)
    assert [path for path, *_ in there.posted] == ["/hook"]


async def test_gone_is_for_good(there: There) -> None:
    there.answer = lambda: web.Response(status=410)
    assert (await refused(f"http://127.0.0.1:{there.port}/", f"127.0.0.1:{there.port}")).for_good


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["::1"],
        ["10.0.0.7"],
        ["169.254.169.254"],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["fe80::1%lo"],
        ["93.184.215.14", "127.0.0.1"],
        ["127.0.0.1", "93.184.215.14"],
    ],
)
async def test_a_name_that_leads_inside_is_not_connected_to(there: There, addresses: list[str]) -> None:
    names = Names(iter([addresses]))
    told = await refused("https://hooks.example.com/", names=names)
    assert str(told) == "its name leads to an address that is not of the public Internet"
    assert not told.for_good
    assert there.posted == []


async def test_a_name_is_looked_up_once_and_the_connection_goes_where_that_led(
    there: There, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second look-up of a name that is bound anew would lead inside; there is none."""
    names, connected = Names(iter([["93.184.215.14"], ["127.0.0.1"]])), []

    async def connect(_loop: object, _sock: object, address: tuple[str, int]) -> None:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(asyncio.SelectorEventLoop, "sock_connect", connect)
    told = await refused("https://hooks.example.com:8443/", names=names)
    assert str(told) == "it cannot be reached, or does not speak HTTP"
    assert names.asked == [("hooks.example.com", 8443)]
    assert {address[:2] for address in connected} == {("93.184.215.14", 8443)}


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/", "http://example.com/", "https://[::1]/", "https://example.com:22/"]
)
async def test_an_address_that_was_allowed_once_and_is_not_now_is_given_up(url: str) -> None:
    names = Names(iter([]))
    told = await refused(url, names=names)
    assert told.for_good
    assert str(told).startswith("its address ")
    assert names.asked == []


async def test_a_name_nobody_knows() -> None:
    assert str(await refused("https://hooks.example.com/", names=Names(iter([])))) == "its name cannot be resolved"


async def test_one_without_tls_is_told_nothing(there: There) -> None:
    told = await refused(f"https://127.0.0.1:{there.port}/", f"127.0.0.1:{there.port}")
    assert str(told) == "its certificate or TLS is not valid"
    assert there.posted == []


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[None, None, None]]


@asynccontextmanager
async def speaking(serve: Serve) -> AsyncIterator[str]:
    """Whoever is on the other side of one connection; where."""
    over = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await serve(reader, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        over.set()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await over.wait()


async def test_one_who_answers_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "PATIENCE", 0.2)

    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with speaking(silent) as place:
        told = await refused(f"http://{place}/", place)
    assert str(told).startswith("it did not answer within")


async def test_an_endless_answer_is_not_read() -> None:
    sent = 0

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"{}")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n")
        while True:
            writer.write(b"x" * 65_536)
            await writer.drain()
            sent += 65_536

    async with speaking(endless) as place, way(place) as out:
        await out.post(f"http://{place}/", HEADERS, b"{}")
    assert sent < 50_000_000


async def test_what_speaks_no_http_is_undelivered() -> None:
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"-ERR unknown command\r\n\r\n")

    async with speaking(babble) as place:
        told = await refused(f"http://{place}/", place)
    assert str(told) == "it cannot be reached, or does not speak HTTP"


async def test_proxies_of_the_environment_are_not_asked(there: There, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{there.port}")
    told = await refused("https://hooks.example.com/", names=Names(iter([["10.0.0.1"]])))
    assert "not of the public" in str(told)
    assert there.posted == []
