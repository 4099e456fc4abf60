"""Requests that two servers could read differently: refused, and nothing behind them is served."""

import json

import pytest

from packages.server.tests.attacks.sockets import CHUNKED, GET, POST, SMUGGLED, door, say

pytestmark = pytest.mark.system
END = b"0\r\n\r\n"

BEFORE_THE_APPLICATION = {
    "a length and chunks": POST + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n" + END,
    "chunks and a length": POST + b"transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n" + END,
    "two equal lengths": POST + b"content-length: 3\r\ncontent-length: 3\r\n\r\nabc",
    "two different lengths": POST + b"content-length: 3\r\ncontent-length: 4\r\n\r\nabc",
    "no length and a length": POST + b"content-length: 0\r\ncontent-length: 5\r\n\r\n",
    "a list of lengths": POST + b"content-length: 3, 3\r\n\r\nabc",
    "a signed length": POST + b"content-length: +3\r\n\r\nabc",
    "a negative length": POST + b"content-length: -3\r\n\r\nabc",
    "a hexadecimal length": POST + b"content-length: 0x3\r\n\r\nabc",
    "an empty length": POST + b"content-length: \r\n\r\nabc",
    "a length with a line through it": POST + b"content-length: 1_0\r\n\r\nabc",
    "a length in two words": POST + b"content-length: 3 3\r\n\r\nabc",
    "a length beyond all integers": POST + b"content-length: 99999999999999999999999\r\n\r\nabc",
    "chunked, then identity": POST + b"transfer-encoding: chunked, identity\r\n\r\n" + END,
    "identity": POST + b"transfer-encoding: identity\r\n\r\n" + END,
    "gzip, then chunked": POST + b"transfer-encoding: gzip, chunked\r\n\r\n" + END,
    "a word like chunked": POST + b"transfer-encoding: xchunked\r\n\r\n" + END,
    "chunked in quotes": POST + b'transfer-encoding: "chunked"\r\n\r\n' + END,
    "a vertical tab before chunked": POST + b"transfer-encoding: \x0bchunked\r\n\r\n" + END,
    "chunked twice": POST + b"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n" + END,
    "chunked and identity": POST + b"transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n" + END,
    "chunks for HTTP/1.0": b"POST / HTTP/1.0\r\nhost: here\r\ntransfer-encoding: chunked\r\n\r\n" + END,
    "a blank before the colon": POST + b"transfer-encoding : chunked\r\n\r\n" + END,
    "a blank before the colon of a length": POST + b"content-length : 5\r\n\r\nabcde",
    "identity, then a list": POST + b"transfer-encoding: identity\r\ntransfer-encoding: chunked, x\r\n\r\n" + END,
    "an encoding in a folded line": POST + b"x: one\r\n transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\nabcde",
    "an encoding behind a CR": POST + b"x: a\rtransfer-encoding: chunked\r\n\r\n" + END,
    "a folded encoding": POST + b"transfer-encoding:\r\n chunked\r\n\r\n" + END,
    "a folded line": GET + b"x: a\r\n b\r\n\r\n",
    "lines that end in LF": b"GET / HTTP/1.1\nhost: here\n\n",
    "one line that ends in LF": GET + b"x: y\nz: y\r\n\r\n",
    "a CR inside a value": GET + b"x: a\rauthorization: b\r\n\r\n",
    "a NUL inside a value": GET + b"x: a\x00b\r\n\r\n",
    "a NUL before a name": GET + b"\x00x: a\r\n\r\n",
    "a NUL inside a name": GET + b"x\x00: a\r\n\r\n",
    "a NUL inside the path": b"GET /a\x00b HTTP/1.1\r\nhost: here\r\n\r\n",
    "a control character": GET + b"x: a\x01b\r\n\r\n",
    "a name of two words": GET + b"x y: a\r\n\r\n",
    "a first line that is folded": b"GET / HTTP/1.1\r\n x: a\r\nhost: here\r\n\r\n",
    "a line without a colon": GET + b"nothing\r\n\r\n",
    "a header without a name": GET + b": a\r\n\r\n",
    "a whole address": b"GET http://evil.example/v1/models HTTP/1.1\r\nhost: here\r\n\r\n",
    "a whole address without a path": b"GET http://evil.example HTTP/1.1\r\nhost: here\r\n\r\n",
    "a host and a port": b"GET evil.example:80 HTTP/1.1\r\nhost: here\r\n\r\n",
    "a tunnel": b"CONNECT evil.example:80 HTTP/1.1\r\nhost: here\r\n\r\n",
    "a path without its slash": b"GET health HTTP/1.1\r\nhost: here\r\n\r\n",
    "a path inside the host": b"GET / HTTP/1.1\r\nhost: a/health?x=\r\n\r\n",
    "a user inside the host": b"GET / HTTP/1.1\r\nhost: a@b\r\n\r\n",
    "a host of two words": b"GET / HTTP/1.1\r\nhost: a b\r\n\r\n",
    "a port that is none": b"GET / HTTP/1.1\r\nhost: a:b\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "an empty host": b"GET / HTTP/1.1\r\nhost:\r\n\r\n",
    "a line break in the path": b"GET /a\r\nb HTTP/1.1\r\nhost: here\r\n\r\n",
    "a blank in the path": b"GET /a b HTTP/1.1\r\nhost: here\r\n\r\n",
    "a byte above ASCII in the path": b"GET /\xff HTTP/1.1\r\nhost: here\r\n\r\n",
    "HTTP/2 without asking": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a version there is none of": b"GET / HTTP/1.2\r\nhost: here\r\n\r\n",
    "a blank behind the version": b"GET / HTTP/1.1 \r\nhost: here\r\n\r\n",
    "no version": b"GET /\r\n\r\n",
    "a version in small letters": b"GET / http/1.1\r\nhost: here\r\n\r\n",
    "a method that is none": b"G<T / HTTP/1.1\r\nhost: here\r\n\r\n",
}
IN_THE_BODY = {
    "a chunk beyond all integers": b"fffffffffffffffff\r\nabc",
    "a chunk of a few more digits": b"ffffffffffffffffff\r\nabc",
    "a chunk that is no number": b"xyz\r\nabc",
    "an empty extension that ends in LF": b"3;\nabc\r\n" + END,
    "a negative chunk": b"-1\r\nabc",
    "a chunk in C's notation": b"0x3\r\nabc\r\n" + END,
    "a blank after a chunk's size": b"3 \r\nabc\r\n" + END,
    "a chunk longer than it says": b"3\r\nabcd\r\n" + END,
    "chunks that end in LF": b"3\nabc\n0\n\n",
    "an extension that ends in LF": b"3;a\nabc\r\n" + END,
    "extensions without end": (b"1;" + b"a" * 60_000 + b"\r\nb\r\n") * 4 + END,
    "a trailer without end": b"0\r\nx: " + b"y" * 200_000 + b"\r\n\r\n",
}


@pytest.mark.parametrize("name", BEFORE_THE_APPLICATION)
async def test_what_could_be_read_in_two_ways_is_refused_before_anything_is_done(name: str) -> None:
    async with door() as there:
        answer = await say(there.port, BEFORE_THE_APPLICATION[name] + SMUGGLED)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1 ") == 1
    head, _, body = answer.partition(b"\r\n\r\n")
    assert json.loads(body)["error_code"] == "invalid_request"
    assert {b"connection: close", b"x-content-type-options: nosniff", b"cache-control: no-store"} <= set(
        head.split(b"\r\n")
    )
    assert there.reached.begun == 0


@pytest.mark.parametrize("name", IN_THE_BODY)
async def test_a_body_that_is_wrapped_wrongly_is_never_a_request(name: str) -> None:
    async with door() as there:
        answer = await say(there.port, CHUNKED + IN_THE_BODY[name] + SMUGGLED)
    assert answer.startswith(b"HTTP/1.1 400 ") or not answer
    assert there.reached.requests == []


async def test_what_trails_a_body_is_dropped_and_never_taken_for_a_header() -> None:
    trailers = b"0\r\nauthorization: evil\r\nx-forwarded-for: 6.6.6.6\r\n\r\n"
    async with door() as there:
        await say(there.port, CHUNKED + b"3\r\nabc\r\n" + trailers + GET + b"\r\n", seconds=0.3)
    assert there.reached.requests == [("POST", "/", b"abc"), ("GET", "/", b"")]
    assert [sorted(headers) for headers in there.reached.headers] == [[b"host", b"transfer-encoding"], [b"host"]]


@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_honest_chunks_of_any_size_arrive(size: int) -> None:
    body = bytes(range(256)) * 100
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    chunks = b"".join(
        b"%04x;note=1\r\n%b\r\n" % (len(piece), piece) if size > 9 else b"%x\r\n%b\r\n" % (len(piece), piece)
        for piece in pieces
    )
    async with door() as there:
        await say(there.port, CHUNKED + chunks + END, seconds=0.5)
    assert there.reached.requests == [("POST", "/", body)]


async def test_a_body_of_a_get_is_its_body_and_no_second_request() -> None:
    async with door() as there:
        await say(there.port, GET + b"content-length: %d\r\n\r\n" % len(SMUGGLED) + SMUGGLED, seconds=0.3)
    assert there.reached.requests == [("GET", "/", SMUGGLED)]


async def test_two_honest_requests_on_one_connection_are_two() -> None:
    async with door() as there:
        answer = await say(there.port, POST + b"content-length: 5\r\n\r\nabcde" + SMUGGLED, seconds=0.3)
    assert there.reached.requests == [("POST", "/", b"abcde"), ("GET", "/smuggled", b"")]
    assert answer.count(b"HTTP/1.1 200 ") == 2


async def test_a_protocol_that_is_not_spoken_is_not_switched_to() -> None:
    upgrade = b"connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: x\r\n\r\n"
    async with door() as there:
        answer = await say(there.port, GET + upgrade + SMUGGLED, seconds=0.3)
    assert answer.count(b"HTTP/1.1 200 ") == 1
    assert there.reached.requests == [("GET", "/", b"")]


async def test_requests_sent_ahead_are_answered_one_by_one_in_their_order() -> None:
    ahead = b"".join(b"GET /%d HTTP/1.1\r\nhost: here\r\n\r\n" % number for number in range(50))
    async with door() as there:
        answer = await say(there.port, ahead, seconds=0.5)
    assert answer.count(b"HTTP/1.1 200 ") == 50
    assert [path for _, path, _ in there.reached.requests] == [f"/{number}" for number in range(50)]


@pytest.mark.parametrize("host", [b"here", b"here:8000", b"192.0.2.1:80", b"[2001:db8::1]:443", b"a-b.example."])
async def test_a_host_as_clients_write_it_is_taken(host: bytes) -> None:
    async with door() as there:
        answer = await say(there.port, b"GET / HTTP/1.1\r\nhost: " + host + b"\r\nconnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("host", [b"here/health?x=", b"here#", b"a b", b"user@here", b"[::1", b"here:99999", b""])
async def test_what_a_caller_calls_the_host_does_not_change_the_path(host: bytes) -> None:
    async with door() as there:
        await say(there.port, b"GET /first?a=1 HTTP/1.1\r\nhost: " + host + b"\r\n\r\n", seconds=0.3)
    assert there.reached.requests in ([], [("GET", "/first", b"")])


@pytest.mark.parametrize(
    ("target", "paths"),
    [(b"http://elsewhere/first?x=/health", []), (b"//elsewhere/health", ["//elsewhere/health"])],
)
async def test_a_target_that_names_a_host_is_refused_or_a_path(target: bytes, paths: list[str]) -> None:
    async with door() as there:
        await say(there.port, b"GET " + target + b" HTTP/1.1\r\nhost: here\r\n\r\n", seconds=0.3)
    assert [path for _, path, _ in there.reached.requests] == paths


async def test_an_old_health_check_needs_no_host() -> None:
    async with door() as there:
        assert (await say(there.port, b"GET / HTTP/1.0\r\n\r\n")).startswith(b"HTTP/1.1 200 ")


async def test_a_refusal_never_stands_in_the_midst_of_another_answer() -> None:
    async with door() as there:
        slow = b"GET /slow HTTP/1.1\r\nhost: here\r\n\r\n"
        answer = await say(there.port, slow, b"", b"GET http://evil.example/ HTTP/1.1\r\nhost: here\r\n\r\n", pause=0.1)
    assert answer.endswith(b"5\r\nfirst\r\n2\r\nok\r\n0\r\n\r\n"), "what was asked rightly is answered wholly"
    assert answer.count(b"HTTP/1.1 ") == 1
    assert [path for _, path, _ in there.reached.requests] == ["/slow"]
