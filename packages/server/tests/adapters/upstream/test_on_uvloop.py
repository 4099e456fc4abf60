"""The loop of a served gateway is uvloop's: its sockets, and TLS over them, from the first byte to the last."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvloop

from monkey_coder_server.adapters.upstream import HttpUpstream, UpstreamLimits, connecting
from monkey_coder_server.domain.errors import FailureKind
from monkey_coder_server.ports.provider import WireRequest
from monkey_coder_server.ports.upstream import Deadlines, UpstreamFailed
from packages.server.tests.adapters.upstream.conftest import Script, read_request
from packages.server.tests.adapters.upstream.doors import self_signed

pytestmark = pytest.mark.system

WHOLE = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
REQUEST = WireRequest("/chat", {}, b"{}")
BODY = b"x" * 3_000_000


class Stage:
    """A server by plain TCP or TLS, and a client that trusts it."""

    def __init__(self, tls: bool, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._served: ssl.SSLContext | None = None
        if tls:
            certificate = self_signed(folder)
            self._served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._served.load_cert_chain(certificate)
            trusting = ssl.create_default_context(cafile=str(certificate))
            monkeypatch.setattr(connecting, "trusted", lambda: trusting)

    def play(self, script: Script, scene: Callable[[HttpUpstream, str], Coroutine[Any, Any, None]]) -> int:
        """How many connections came."""

        async def played() -> int:
            async with self._opened(script) as (client, url, came), asyncio.timeout(20):
                await scene(client, url)
            return len(came)

        return uvloop.run(played())

    @asynccontextmanager
    async def _opened(self, script: Script) -> AsyncIterator[tuple[HttpUpstream, str, list[object]]]:
        came: list[object] = []

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            came.append(writer)
            try:
                await script(reader, writer)
            except ConnectionError:
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=self._served)
        host, port = server.sockets[0].getsockname()
        client = HttpUpstream(UpstreamLimits(unread_bytes=100_000))
        try:
            yield client, f"http{'s' if self._served else ''}://{host}:{port}", came
        finally:
            await client.close()
            server.close()


@pytest.fixture(params=[False, True], ids=["plain", "TLS"])
def stage(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(request.param, tmp_path, monkeypatch)


def test_a_connection_carries_small_and_large_requests_one_after_the_other(stage: Stage) -> None:
    seen: list[int] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await read_request(reader):
            seen.append(len(request.partition(b"\r\n\r\n")[2]))
            writer.write(WHOLE)

    async def scene(client: HttpUpstream, url: str) -> None:
        for body in (b"{}", BODY, b"{}"):
            reply = await client.send("openai", url, WireRequest("/", {}, body), Deadlines())
            assert await reply.read() == b"{}"

    assert stage.play(script, scene) == 1
    assert seen == [2, len(BODY), 2]


def test_a_stream_faster_than_its_reader_waits_in_the_providers_socket(stage: Stage) -> None:
    sent: list[int] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(CHUNKED)
        for _ in range(600):
            writer.write(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
            await writer.drain()
            sent.append(65_536)
        writer.write(b"0\r\n\r\n")
        await reader.read()

    async def scene(client: HttpUpstream, url: str) -> None:
        reply = await client.send("openai", url, REQUEST, Deadlines())
        before = -1
        while before < len(sent):  # until it stands still
            before = len(sent)
            await asyncio.sleep(0.3)
        assert len(sent) < 600
        assert sum([len(piece) async for piece in reply.pieces()]) == 600 * 65_536

    stage.play(script, scene)


def test_an_answer_without_length_is_whole_when_the_provider_closes(stage: Stage) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nabc")
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.write(b"def")

    async def scene(client: HttpUpstream, url: str) -> None:
        for _ in range(2):
            assert await (await client.send("openai", url, REQUEST, Deadlines())).read() == b"abcdef"

    assert stage.play(script, scene) == 2


def test_an_answer_given_up_hangs_up_on_the_provider(stage: Stage) -> None:
    left = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(CHUNKED + b"2\r\n{}\r\n")
        try:
            await reader.read()
        finally:
            left.set()

    async def scene(client: HttpUpstream, url: str) -> None:
        reply = await client.send("openai", url, REQUEST, Deadlines())
        async for piece in reply.pieces():
            assert piece == b"{}"
            break
        reply.close()
        await left.wait()

    stage.play(script, scene)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (b"", FailureKind.CONNECTION),
        (b"HTTP/1.1 20", FailureKind.CONNECTION),
        (b"nonsense\r\n\r\n", FailureKind.MALFORMED),
        (CHUNKED + b"5\r\nab", FailureKind.CUT_SHORT),
    ],
)
def test_a_failure_is_told_as_what_it_is(stage: Stage, said: bytes, kind: FailureKind) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(said)

    async def scene(client: HttpUpstream, url: str) -> None:
        for _ in range(2):
            with pytest.raises(UpstreamFailed) as caught:
                await (await client.send("openai", url, REQUEST, Deadlines())).read()
            assert caught.value.failure.kind is kind

    assert stage.play(script, scene) == 2


def test_a_connection_closed_since_its_last_answer_is_not_used(stage: Stage) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(WHOLE)

    async def scene(client: HttpUpstream, url: str) -> None:
        for _ in range(3):
            assert await (await client.send("openai", url, REQUEST, Deadlines())).read() == b"{}"
            await asyncio.sleep(0.1)

    assert stage.play(script, scene) == 3
