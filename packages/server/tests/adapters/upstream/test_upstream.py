"""A well-behaved provider: what is sent, what comes back, and what the connection does afterwards."""

import asyncio
import socket

import pytest

from monkey_coder_server.adapters.upstream import HttpUpstream
from monkey_coder_server.ports.provider import WireRequest
from monkey_coder_server.ports.upstream import Deadlines
from packages.server.tests.adapters.upstream.conftest import Script, Start, read_request
from packages.server.tests.garbage import garbage_of

pytestmark = pytest.mark.system

REQUEST = WireRequest(
    "/v1/chat/completions?alt=sse", {"authorization": "Bearer sk-1", "content-type": "application/json"}, b'{"a":1}'
)
ANSWER = b"HTTP/1.1 200 OK\r\nX-Request-Id: 7\r\nset-cookie: track=me\r\ncontent-length: 2\r\n\r\n{}"


def answers(seen: list[bytes], reply: bytes = ANSWER) -> Script:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await read_request(reader):
            seen.append(request)
            writer.write(reply)
            await writer.drain()

    return script


async def test_the_request_arrives_as_it_was_written_and_asks_for_plain_bytes(
    serve: Start, upstream: HttpUpstream
) -> None:
    seen: list[bytes] = []
    reply = await upstream.send("openai", await serve(answers(seen)) + "/base/", REQUEST, Deadlines())
    assert reply.status == 200
    assert reply.headers["x-request-id"] == "7"
    assert await reply.read() == b"{}"
    head, body = seen[0].split(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    assert head.startswith(b"POST /base/v1/chat/completions?alt=sse HTTP/1.1\r\n")
    assert {b"authorization: bearer sk-1", b"accept-encoding: identity", b"content-length: 7"} <= set(lines)
    assert body == b'{"a":1}'


async def test_cookies_are_never_sent_back(serve: Start, upstream: HttpUpstream) -> None:
    seen: list[bytes] = []
    url = await serve(answers(seen))
    for _ in range(2):
        await (await upstream.send("openai", url, REQUEST, Deadlines())).read()
    assert b"cookie" not in seen[1].lower()


async def test_a_connection_is_used_again(serve: Start, upstream: HttpUpstream) -> None:
    peers: set[object] = set()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peers.add(writer.get_extra_info("peername"))
        await answers([])(reader, writer)

    url = await serve(script)
    for _ in range(3):
        await (await upstream.send("openai", url, REQUEST, Deadlines())).read()
    assert len(peers) == 1


async def test_every_new_connection_has_no_delay_set(serve: Start, upstream: HttpUpstream) -> None:
    opening = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n"
    reply = await upstream.send("openai", await serve(answers([], opening)), REQUEST, Deadlines())
    connection = reply.source  # type: ignore[attr-defined]  # still held: the body is not over
    raw = connection.transport.get_extra_info("socket")
    assert raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
    reply.close()


async def test_pieces_come_as_they_are_sent(serve: Start, upstream: HttpUpstream) -> None:
    go_on = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n")
        await writer.drain()
        await go_on.wait()
        writer.write(b"3\r\ntwo\r\n0\r\n\r\n")
        await writer.drain()

    reply = await upstream.send("openai", await serve(script), REQUEST, Deadlines())
    got = []
    async for piece in reply.pieces():
        got.append(piece)
        go_on.set()
    assert got == [b"one", b"two"]


async def test_an_abandoned_answer_gives_its_connection_up(serve: Start, upstream: HttpUpstream) -> None:
    hung_up = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n")
        await writer.drain()
        await reader.read()
        hung_up.set()

    reply = await upstream.send("openai", await serve(script), REQUEST, Deadlines())
    reply.close()
    reply.close()
    async with asyncio.timeout(2):
        await hung_up.wait()


async def test_a_large_prompt_is_sent_whole(serve: Start, upstream: HttpUpstream) -> None:
    seen: list[bytes] = []
    prompt = b"x" * 3_000_000
    reply = await upstream.send("openai", await serve(answers(seen)), WireRequest("/", {}, prompt), Deadlines())
    await reply.read()
    assert seen[0].endswith(b"\r\n\r\n" + prompt)


async def test_after_closing_no_pool_is_left(serve: Start) -> None:
    client = HttpUpstream()
    reply = await client.send("openai", await serve(answers([])), REQUEST, Deadlines())
    await reply.read()
    pool = client._pools["openai"]
    await client.close()
    assert pool.closed
    assert client._pools == {}


@pytest.mark.parametrize("streamed", [False, True])
async def test_nothing_of_a_finished_call_is_left_to_the_garbage_collector(
    serve: Start, upstream: HttpUpstream, streamed: bool
) -> None:
    url = await serve(answers([], b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"))

    async def call() -> None:
        reply = await upstream.send("openai", url, REQUEST, Deadlines())
        assert (b"".join([piece async for piece in reply.pieces()]) if streamed else await reply.read()) == b"{}"
        reply.close()

    await call()
    with garbage_of("monkey_coder_server.adapters.upstream") as left:
        await call()
    assert left == []
