"""Whatever a provider's end of the line does, a call ends in bounded time and memory, with a failure that says why."""

import asyncio
import gzip
import socket
import time

import pytest

from monkey_coder_server.adapters.upstream import HttpUpstream, UpstreamLimits
from monkey_coder_server.domain.errors import FailureKind, ProviderFailure
from monkey_coder_server.ports.provider import WireRequest
from monkey_coder_server.ports.upstream import Deadlines, UpstreamFailed
from packages.server.tests.adapters.upstream.conftest import Script, Start, read_request

pytestmark = pytest.mark.system

REQUEST = WireRequest("/chat", {"content-type": "application/json"}, b"{}")
SHORT = Deadlines(connect=1.0, first_byte=0.3, idle=0.3, total=1.0)
LONG = Deadlines(connect=10.0, first_byte=10.0, idle=10.0, total=20.0)
"""Where a call is to end for another reason, well before them."""
OPENING = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def says(*lines: bytes, pause: float = 0.0, hang: bool = False) -> Script:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        for line in lines:
            writer.write(line)
            await writer.drain()
            await asyncio.sleep(pause)
        if hang:
            await asyncio.sleep(30)

    return script


async def call(client: HttpUpstream, url: str, deadlines: Deadlines, *, streamed: bool) -> None:
    reply = await client.send("groq", url, REQUEST, deadlines)
    if streamed:
        async for _ in reply.pieces():
            pass
    else:
        await reply.read()


async def failure_of(
    client: HttpUpstream, url: str, *, streamed: bool = False, deadlines: Deadlines = LONG
) -> ProviderFailure:
    started = time.monotonic()
    with pytest.raises(UpstreamFailed) as caught:
        await call(client, url, deadlines, streamed=streamed)
    assert time.monotonic() - started < 5
    failure = caught.value.failure
    assert failure.provider == "groq"
    assert "groq" in failure.message
    return failure


async def test_a_server_that_never_answers_runs_into_the_first_byte_deadline(
    serve: Start, upstream: HttpUpstream
) -> None:
    failure = await failure_of(upstream, await serve(says(hang=True)), deadlines=SHORT)
    assert failure.kind is FailureKind.TIMEOUT
    assert "did not begin to answer within 0.3 s" in failure.message
    assert failure.status is None


async def test_headers_sent_byte_by_byte_run_into_the_first_byte_deadline(serve: Start, upstream: HttpUpstream) -> None:
    slow = [OPENING[index : index + 1] for index in range(len(OPENING))]
    failure = await failure_of(upstream, await serve(says(*slow, pause=0.05)), deadlines=SHORT)
    assert failure.kind is FailureKind.TIMEOUT


async def test_silence_in_the_middle_of_a_stream_runs_into_the_idle_deadline(
    serve: Start, upstream: HttpUpstream
) -> None:
    failure = await failure_of(
        upstream, await serve(says(OPENING, b"3\r\nabc\r\n", hang=True)), streamed=True, deadlines=SHORT
    )
    assert failure.kind is FailureKind.TIMEOUT
    assert "sent nothing for 0.3 s" in failure.message
    assert failure.status == 200


async def test_a_drip_that_never_ends_runs_into_the_total_deadline(serve: Start, upstream: HttpUpstream) -> None:
    drip = [b"1\r\na\r\n"] * 100
    failure = await failure_of(upstream, await serve(says(OPENING, *drip, pause=0.05)), streamed=True, deadlines=SHORT)
    assert failure.kind is FailureKind.TIMEOUT
    assert "did not finish its answer within 1 s" in failure.message


async def test_the_time_a_slow_reader_takes_is_not_held_against_the_provider(
    serve: Start, upstream: HttpUpstream
) -> None:
    url = await serve(says(OPENING, b"3\r\nabc\r\n", b"3\r\ndef\r\n", b"0\r\n\r\n", pause=0.02))
    patient = Deadlines(connect=1.0, first_byte=1.0, idle=0.1, total=5.0)
    reply = await upstream.send("groq", url, REQUEST, patient)
    got = []
    async for piece in reply.pieces():
        got.append(piece)
        await asyncio.sleep(0.25)
    assert b"".join(got) == b"abcdef"


async def test_a_whole_body_beyond_the_bound_is_given_up(serve: Start, upstream: HttpUpstream) -> None:
    flood = b"HTTP/1.1 200 OK\r\n\r\n", *([b"x" * 65_536] * 16_384)  # 1 GiB without a length
    failure = await failure_of(upstream, await serve(says(*flood)))
    assert failure.kind is FailureKind.MALFORMED
    assert "larger than 200000 bytes" in failure.message


async def test_an_announced_length_beyond_the_bound_is_refused_before_reading(
    serve: Start, upstream: HttpUpstream
) -> None:
    failure = await failure_of(upstream, await serve(says(b"HTTP/1.1 200 OK\r\ncontent-length: 1073741824\r\n\r\n")))
    assert failure.kind is FailureKind.MALFORMED


async def test_a_stream_beyond_the_bound_is_given_up(serve: Start, upstream: HttpUpstream) -> None:
    flood = [b"10000\r\n" + b"x" * 65_536 + b"\r\n"] * 1_000
    failure = await failure_of(upstream, await serve(says(OPENING, *flood)), streamed=True)
    assert failure.kind is FailureKind.MALFORMED
    assert "larger than 400000 bytes" in failure.message


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nx-long: " + b"a" * 100_000,
        b"HTTP/1.1 200 " + b"O" * 100_000,
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"x-%d: 1\r\n" % number for number in range(5_000)),
        b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
        b"\x00\xff\xfe garbage\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        OPENING + b"zz\r\nabc\r\n",
    ],
    ids=[
        "endless header",
        "endless status line",
        "too many headers",
        "another protocol",
        "binary",
        "no status",
        "broken chunk",
    ],
)
async def test_what_is_not_a_decent_http_head_is_malformed(serve: Start, upstream: HttpUpstream, head: bytes) -> None:
    failure = await failure_of(upstream, await serve(says(head, hang=True)))
    assert failure.kind is FailureKind.MALFORMED


async def test_a_switch_of_protocols_is_refused_and_holds_no_connection(serve: Start) -> None:
    client = HttpUpstream(UpstreamLimits(connections=1))
    switching = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n"
    url = await serve(says(switching, hang=True))
    failures = [await failure_of(client, url) for _ in range(2)]
    await client.close()
    assert [failure.kind for failure in failures] == [FailureKind.MALFORMED] * 2


async def test_an_empty_content_encoding_means_plain_bytes(serve: Start, upstream: HttpUpstream) -> None:
    url = await serve(says(b"HTTP/1.1 200 OK\r\ncontent-encoding: \r\ncontent-length: 2\r\n\r\n{}"))
    assert await (await upstream.send("groq", url, REQUEST, SHORT)).read() == b"{}"


@pytest.mark.parametrize(
    "start",
    [OPENING + b"5\r\nab", b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc"],
    ids=["inside a chunk", "before its length"],
)
@pytest.mark.parametrize("streamed", [True, False])
async def test_a_connection_cut_in_the_body_is_cut_short(
    serve: Start, upstream: HttpUpstream, start: bytes, streamed: bool
) -> None:
    failure = await failure_of(upstream, await serve(says(start)), streamed=streamed)
    assert failure.kind is FailureKind.CUT_SHORT
    assert failure.status == 200


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200"], ids=["at once", "in the status line"])
async def test_a_connection_closed_before_the_headers_is_a_connection_failure(
    serve: Start, upstream: HttpUpstream, start: bytes
) -> None:
    failure = await failure_of(upstream, await serve(says(start)))
    assert failure.kind is FailureKind.CONNECTION
    assert failure.status is None


async def test_a_port_where_nobody_listens_is_a_connection_failure(upstream: HttpUpstream) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    failure = await failure_of(upstream, f"http://127.0.0.1:{port}")
    assert failure.kind is FailureKind.CONNECTION
    assert "Cannot connect to groq" in failure.message


async def test_a_redirect_is_an_answer_and_is_not_followed(serve: Start, upstream: HttpUpstream) -> None:
    seen: list[bytes] = []

    async def redirects(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await read_request(reader))
        writer.write(b"HTTP/1.1 307 Moved\r\nlocation: http://127.0.0.1:1/steal\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()

    reply = await upstream.send("groq", await serve(redirects), REQUEST, SHORT)
    assert (reply.status, await reply.read(), len(seen)) == (307, b"", 1)


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd", "deflate"])
async def test_a_compressed_body_nobody_asked_for_is_refused_unread(
    serve: Start, upstream: HttpUpstream, encoding: str
) -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    head = b"HTTP/1.1 200 OK\r\ncontent-encoding: %s\r\ncontent-length: %d\r\n\r\n" % (encoding.encode(), len(bomb))
    failure = await failure_of(upstream, await serve(says(head, bomb)))
    assert failure.kind is FailureKind.MALFORMED
    assert encoding in failure.message


async def test_one_providers_exhausted_pool_leaves_the_others_alone(serve: Start) -> None:
    client = HttpUpstream(UpstreamLimits(connections=1))
    hanging = await serve(says(OPENING, hang=True))
    fine = await serve(says(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"))
    held = await client.send("groq", hanging, REQUEST, SHORT)
    impatient = Deadlines(connect=0.2, first_byte=1.0, idle=1.0, total=2.0)
    with pytest.raises(UpstreamFailed) as caught:
        await client.send("groq", hanging, REQUEST, impatient)
    assert caught.value.failure.kind is FailureKind.CONNECTION
    other = await client.send("xai", fine, REQUEST, impatient)
    assert await other.read() == b"{}"
    held.close()
    await client.close()
