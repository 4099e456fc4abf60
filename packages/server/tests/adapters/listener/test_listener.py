"""The listener on real loopback sockets: nothing hangs, hangs up or is swallowed."""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from monkey_coder_server.adapters.listener import Listener, ListenerOptions, bind
from monkey_coder_server.adapters.listener.protocol import HEADER_BYTES, HttpProtocol
from packages.server.tests.garbage import garbage_of

pytestmark = pytest.mark.system
Message = MutableMapping[str, Any]
GONE = asyncio.Event()
"""Whether the caller of an endless answer has left it."""
GOOD = b"GET / HTTP/1.1\r\nhost: here\r\n\r\n"


async def application(scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[..., Any]) -> None:
    size = 0
    if scope["method"] == "POST":
        while True:
            message = await receive()
            size += len(message.get("body", b""))
            if not message.get("more_body"):
                break
    if scope["path"] == "/slow":
        await asyncio.sleep(0.1)
    if scope["path"] == "/broken":
        raise ValueError("an application that fails")
    if scope["path"] == "/never":
        await asyncio.Event().wait()
    if scope["path"] == "/endless":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
            if GONE.is_set():
                return
            await asyncio.sleep(0)
    told = {"size": size, "path": scope["path"], "query": scope["query_string"].decode()}
    body = json.dumps(told if scope["path"] == "/told" else {"size": size}).encode()
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def listening() -> AsyncIterator[int]:
    listener = Listener(application, ListenerOptions("127.0.0.1", 0, keep_alive=1, cut_off=1))
    await listener.start()
    try:
        yield listener.port
    finally:
        await listener.stop()


async def say(port: int, *pieces: bytes, pause: float = 0.0) -> bytes:
    """Send the pieces; everything that comes back until the server closes, or for two seconds."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)
        async with asyncio.timeout(2):
            return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


async def test_a_request_is_answered_and_the_idle_connection_closed() -> None:
    async with listening() as port:
        answer = await say(port, GOOD)
    assert answer.startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize(
    ("pieces", "answers"),
    [
        ([GOOD, GOOD, GOOD], 3),
        ([GOOD, b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 6\r\n\r\n", b"abc", b"def"], 2),
        ([GOOD, b"GET / HTTP/1.1\r\n", b"host: here\r\n", b"\r\n"], 2),
    ],
    ids=["used again", "a slow body", "a slow header"],
)
async def test_a_connection_in_use_is_not_closed_as_idle(pieces: list[bytes], answers: int) -> None:
    async with listening() as port:
        answer = await say(port, *pieces, pause=0.55)
    assert answer.count(b"HTTP/1.1 200 OK") == answers


async def test_a_body_in_pieces_arrives_whole() -> None:
    async with listening() as port:
        head = b"POST / HTTP/1.1\r\nhost: here\r\nconnection: close\r\ncontent-length: 6\r\n\r\n"
        answer = await say(port, head, b"abc", b"def", pause=0.02)
    assert answer.endswith(b'{"size": 6}')


@pytest.mark.parametrize(
    "header",
    [
        b"GET / HTTP/1.1\r\nx: " + b"a" * (HEADER_BYTES + 1) + b"\r\n\r\n",
        b"GET /" + b"a" * (HEADER_BYTES + 1) + b" HTTP/1.1\r\nhost: here\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"x: 1\r\n" * 101 + b"\r\n",
    ],
)
async def test_an_oversized_header_is_refused_with_431(header: bytes) -> None:
    async with listening() as port:
        answer = await say(port, header)
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["status_code"] == 431


async def test_a_header_without_end_is_cut_off_by_its_size() -> None:
    async with listening() as port:
        answer = await say(port, b"GET / HTTP/1.1\r\n", *[b"x: " + b"a" * 4096] * 9, pause=0.01)
    assert answer.startswith(b"HTTP/1.1 431 ")


async def test_what_is_not_http_is_refused_in_our_shape() -> None:
    async with listening() as port:
        answer = await say(port, b"\x16\x03\x01 hello\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error_code"] == "invalid_request"


async def test_two_lengths_are_refused() -> None:
    head = b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"
    async with listening() as port:
        answer = await say(port, head)
    assert answer.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("pieces", [[], [b"GET / HTTP/1.1\r\nhost: here\r\n"]])
async def test_a_slow_header_is_closed(pieces: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HttpProtocol, "header_seconds", 0.1)
    async with listening() as port, asyncio.timeout(1.5):
        assert await say(port, *pieces) == b""


@pytest.mark.parametrize("beginning", [b"GET / HTTP/1.1\r\n", b"\r\n", b"\n"])
async def test_a_slow_second_header_is_closed_too(beginning: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HttpProtocol, "header_seconds", 0.1)
    async with listening() as port, asyncio.timeout(0.9):
        answer = await say(port, GOOD, beginning, pause=0.05)
    assert answer.count(b"HTTP/1.1 200 OK") == 1


async def test_the_header_clock_stops_once_the_header_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HttpProtocol, "header_seconds", 0.1)
    head = b"POST / HTTP/1.1\r\nhost: here\r\nconnection: close\r\ncontent-length: 6\r\n\r\n"
    async with listening() as port:
        answer = await say(port, head, b"abc", b"def", pause=0.2)
    assert answer.endswith(b'{"size": 6}')


async def test_a_caller_who_stops_reading_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HttpProtocol, "stall_seconds", 0.2)
    GONE.clear()
    original = HttpProtocol.connection_lost

    def noticed(self: HttpProtocol, error: Exception | None) -> None:
        GONE.set()
        original(self, error)

    monkeypatch.setattr(HttpProtocol, "connection_lost", noticed)
    async with listening() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(b"GET /endless HTTP/1.1\r\nhost: here\r\n\r\n")
        await reader.read(10)
        async with asyncio.timeout(5):
            await GONE.wait()
        writer.close()


async def test_a_taken_port_is_an_error_at_start() -> None:
    async with listening() as port:
        with pytest.raises(OSError, match="in use"):
            await Listener(application, ListenerOptions("127.0.0.1", port)).start()


async def read_answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    return head + await reader.readexactly(length)


async def test_who_leaves_a_shared_socket_answers_on_open_connections_and_lets_others_have_the_new_ones() -> None:
    options = ListenerOptions("127.0.0.1", 0, keep_alive=1, leave_idle=0.3)
    with bind("127.0.0.1", 0) as shared:
        leaver, other = [Listener(application, options, bound=shared.dup()) for _ in range(2)]
        await leaver.start()
        reader, writer = await asyncio.open_connection(*shared.getsockname())
        writer.write(GOOD)
        assert b"connection: close" not in await read_answer(reader)
        idle, unused = await asyncio.open_connection(*shared.getsockname())
        await other.start()
        leaving = asyncio.create_task(leaver.leave())
        await asyncio.sleep(0.1)
        writer.write(GOOD)
        assert b"connection: close" in await read_answer(reader)
        assert await reader.read() == await idle.read() == b""
        async with asyncio.timeout(5):
            await leaving
        await leaver.stop()
        assert (await say(other.port, GOOD)).startswith(b"HTTP/1.1 200 OK")
        await other.stop()
    writer.close()
    unused.close()


async def test_who_leaves_ends_no_request_that_has_begun() -> None:
    listener = Listener(application, ListenerOptions("127.0.0.1", 0, leave_idle=0))
    await listener.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    writer.write(b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 6\r\n\r\nabc")
    await asyncio.sleep(0.05)
    leaving = asyncio.create_task(listener.leave())
    await asyncio.sleep(0.3)
    writer.write(b"def")
    assert (await reader.read()).endswith(b'{"size": 6}')
    await leaving
    await listener.stop()
    writer.close()


async def test_requests_that_come_together_are_answered_in_their_order() -> None:
    slow = b"GET /slow HTTP/1.1\r\nhost: here\r\n\r\n"
    with_body = b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 3\r\n\r\nabc"
    async with listening() as port:
        answer = await say(port, slow + with_body + GOOD)
    assert re.findall(rb'{"size": \d}', answer) == [b'{"size": 0}', b'{"size": 3}', b'{"size": 0}']


async def test_who_sends_nonsense_behind_a_request_still_gets_its_answer() -> None:
    async with listening() as port:
        answer = await say(port, b"GET /slow HTTP/1.1\r\nhost: here\r\n\r\n", b"\x16\x03\x01 hello\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"connection: close" in answer
    assert answer.count(b"HTTP/1.1") == 1


async def test_a_malformed_body_is_refused_and_its_reader_told() -> None:
    head = b"POST / HTTP/1.1\r\nhost: here\r\ntransfer-encoding: chunked\r\n\r\n"
    async with listening() as port:
        answer = await say(port, head + b"3\r\nabc\r\n", b"no length\r\n", pause=0.02)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1") == 1


async def test_another_protocol_is_not_spoken_and_what_follows_is_left_unread() -> None:
    asked = b"GET / HTTP/1.1\r\nhost: here\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"
    async with listening() as port:
        answer = await say(port, asked + b"\x81\x05hello")
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"connection: close" in answer


async def test_an_older_client_is_answered_once() -> None:
    async with listening() as port:
        answer = await say(port, b"GET / HTTP/1.0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b"connection: close" in answer


@pytest.mark.parametrize(
    ("asked", "path", "query"),
    [
        (b"/told", "/told", ""),
        (b"/tol%64?a=%64&b", "/told", "a=%64&b"),
        (b"/told?a#part", "/told", "a"),
    ],
)
async def test_a_path_is_told_from_its_query(asked: bytes, path: str, query: str) -> None:
    async with listening() as port:
        answer = await say(port, b"GET %b HTTP/1.1\r\nhost: here\r\n\r\n" % asked)
    assert json.loads(answer.partition(b"\r\n\r\n")[2]) == {"size": 0, "path": path, "query": query}


async def test_an_application_that_fails_ends_the_connection(caplog: pytest.LogCaptureFixture) -> None:
    async with listening() as port:
        assert await say(port, b"GET /broken HTTP/1.1\r\nhost: here\r\n\r\n") == b""
    assert "an application that fails" in caplog.text


async def test_what_does_not_end_is_cut_off_at_the_stop() -> None:
    listener = Listener(application, ListenerOptions("127.0.0.1", 0, cut_off=0))
    await listener.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    writer.write(b"GET /never HTTP/1.1\r\nhost: here\r\n\r\n")
    await asyncio.sleep(0.05)
    async with asyncio.timeout(5):
        await listener.stop()
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""
    writer.close()


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"GET / HTTP/1.1\r\n",
        GOOD,
        GOOD + GOOD,
        b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 6\r\n\r\nabc",
        b"nonsense\r\n\r\n",
        b"GET http://there/ HTTP/1.1\r\nhost: here\r\n\r\n",
    ],
    ids=["nothing", "some of a head", "a request", "two", "some of a body", "nonsense", "refused"],
)
async def test_nothing_of_a_closed_connection_is_left_to_the_garbage_collector(said: bytes) -> None:
    async with listening() as port:
        await called(port, said)  # what the first of a process makes is no connection's
        with garbage_of("monkey_coder_server.adapters.listener") as left:
            await called(port, said)
    assert left == []


async def called(port: int, said: bytes) -> None:
    """Connect, say that, and hang up; the server has seen it and ended what it did."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(said)
    await asyncio.sleep(0.02)
    writer.close()
    await asyncio.sleep(0.02)


async def test_a_body_is_taken_from_the_socket_as_it_is_read() -> None:
    size = 4 * 1024 * 1024
    head = b"POST / HTTP/1.1\r\nhost: here\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % size
    async with listening() as port:
        answer = await say(port, head, b"x" * size)
    assert answer.endswith(b'{"size": %d}' % size)
