"""A request as its bytes, what is refused before it is sent, and which deadline ends the waiting for a connection."""

import asyncio
import gc

import pytest
from yarl import URL

from monkey_coder_server.adapters.upstream import HttpUpstream, UpstreamLimits
from monkey_coder_server.adapters.upstream.request import opening
from monkey_coder_server.domain.errors import FailureKind
from monkey_coder_server.ports.provider import WireRequest
from monkey_coder_server.ports.upstream import Deadlines, UpstreamFailed
from packages.server.tests.adapters.upstream.conftest import Start, read_request

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
REQUEST = WireRequest("/chat", {"authorization": "Bearer sk-1"}, b"{}")


@pytest.mark.parametrize("url", ["https://api.test/v1/chat?x=%2F", "https://[::1]:8443/v1/chat?x=%2F"])
async def test_a_request_is_its_line_the_host_and_the_headers_given(url: str) -> None:
    head, body = opening(URL(url, encoded=True), [("authorization", "Bearer é")]).head(3).split(b"\r\n\r\n")
    host = url.split("/")[2].encode()
    assert head.split(b"\r\n") == [
        b"POST /v1/chat?x=%2F HTTP/1.1",
        b"host: " + host,
        b"accept-encoding: identity",
        b"user-agent: monkey-coder",
        "authorization: Bearer é".encode(),
        b"content-length: 3",
    ]
    assert body == b""


@pytest.mark.parametrize("value", ["sk\r\nx: 1", "sk\n", "\rsk", "sk\x00"])
async def test_a_header_that_would_begin_another_line_is_refused(value: str) -> None:
    url = URL("http://api.test/")
    with pytest.raises(ValueError, match="line break"):
        opening(url, [("authorization", value)])
    with pytest.raises(ValueError, match="line break"):
        opening(url, [(value, "x")])


@pytest.mark.system
@pytest.mark.parametrize("base_url", ["ftp://127.0.0.1:1", "/v1", "http:///v1"])
async def test_a_base_url_that_leads_nowhere_is_a_failure_to_connect(upstream: HttpUpstream, base_url: str) -> None:
    with pytest.raises(UpstreamFailed, match="base URL of openai is not valid") as caught:
        await upstream.send("openai", base_url, REQUEST, Deadlines())
    assert caught.value.failure.kind is FailureKind.CONNECTION


@pytest.mark.system
async def test_a_name_and_a_password_in_the_base_url_are_sent(serve: Start, upstream: HttpUpstream) -> None:
    seen: list[bytes] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await read_request(reader))
        writer.write(ANSWER)

    url = (await serve(script)).replace("://", "://me:secret@")
    await (await upstream.send("openai", url, WireRequest("/", {}, b"{}"), Deadlines())).read()
    assert b"authorization: basic bwu6c2vjcmv0\r\n" in seen[0].lower()


@pytest.mark.system
async def test_interim_answers_are_passed_over(serve: Start, upstream: HttpUpstream) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: <a>\r\n\r\n" + ANSWER)

    reply = await upstream.send("openai", await serve(script), REQUEST, Deadlines())
    assert (reply.status, await reply.read()) == (200, b"{}")


@pytest.mark.system
async def test_an_answer_given_up_cannot_be_read(serve: Start, upstream: HttpUpstream) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(ANSWER)

    reply = await upstream.send("openai", await serve(script), REQUEST, Deadlines())
    reply.close()
    with pytest.raises(UpstreamFailed) as caught:
        await reply.read()
    assert caught.value.failure.kind is FailureKind.CUT_SHORT


@pytest.mark.system
@pytest.mark.parametrize(
    ("deadlines", "kind", "words"),
    [
        (Deadlines(connect=0.1, first_byte=5.0), FailureKind.CONNECTION, "No connection to openai within 0.1 s"),
        (Deadlines(connect=5.0, first_byte=0.1), FailureKind.TIMEOUT, "did not begin to answer within 0.1 s"),
        (Deadlines(connect=5.0, first_byte=5.0, total=0.1), FailureKind.TIMEOUT, "did not begin to answer"),
    ],
)
async def test_waiting_for_a_connection_ends_with_the_nearest_deadline(
    serve: Start, deadlines: Deadlines, kind: FailureKind, words: str
) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{")
        await asyncio.sleep(30)

    client = HttpUpstream(UpstreamLimits(connections=1))
    url = await serve(script)
    holding = await client.send("openai", url, REQUEST, Deadlines())
    with pytest.raises(UpstreamFailed, match=words) as caught:
        await client.send("openai", url, REQUEST, deadlines)
    assert caught.value.failure.kind is kind
    holding.close()
    await client.close()


@pytest.mark.system
async def test_each_call_on_a_connection_has_its_own_deadline(serve: Start) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for wait in (0.0, 0.4, 30.0):
            await read_request(reader)
            await asyncio.sleep(wait)
            writer.write(ANSWER)

    client = HttpUpstream(UpstreamLimits(connections=1))
    url, loop = await serve(script), asyncio.get_running_loop()
    short, long = Deadlines(first_byte=0.3, idle=0.3), Deadlines(first_byte=5.0, idle=0.3, total=5.0)
    for deadlines in (short, long):  # what watched the first call looks at the second, which may take longer
        assert await (await client.send("openai", url, REQUEST, deadlines)).read() == b"{}"
    began = loop.time()
    with pytest.raises(UpstreamFailed, match=r"did not begin to answer within 0\.1 s"):
        await client.send("openai", url, REQUEST, Deadlines(first_byte=0.1))
    assert 0.09 < loop.time() - began < 0.3
    await client.close()


@pytest.mark.system
async def test_an_answer_that_was_read_is_let_go_of_without_the_garbage_collector(
    serve: Start, upstream: HttpUpstream
) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(ANSWER)

    base_url = await serve(script)
    reply = await upstream.send("openai", base_url, REQUEST, Deadlines())
    assert await reply.read() == b"{}"
    reply.close()
    kept = [kind for kind in map(type, gc.get_referrers(reply)) if kind is not type(asyncio.current_task())]
    assert not [kind for kind in kept if "Watch" in kind.__name__ or "method" in kind.__name__]
