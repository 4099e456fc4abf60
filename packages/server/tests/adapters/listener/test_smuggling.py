"""Bytes on a socket that two readers could take for different requests are no request here."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import pytest

from monkey_coder_server.adapters.listener import Listener, ListenerOptions
from packages.server.tests.adapters.listener.test_listener import say

pytestmark = pytest.mark.system
Message = MutableMapping[str, Any]
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nhost: here\r\n\r\n"


async def telling(scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[..., Any]) -> None:
    """Answers with what it was asked, one line a request."""
    size = 0
    while True:
        message = await receive()
        size += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    query = scope["query_string"].decode()
    told = json.dumps({"path": scope["path"], "query": query, "size": size}).encode() + b"\n"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(told))]})
    await send({"type": "http.response.body", "body": told})


async def asked(*pieces: bytes) -> tuple[list[str], list[str]]:
    """The paths that reached the application, and the first lines of all answers."""
    listener = Listener(telling, ListenerOptions("127.0.0.1", 0, keep_alive=1, cut_off=1))
    await listener.start()
    try:
        lines = (await say(listener.port, *pieces)).decode().splitlines()
    finally:
        await listener.stop()
    paths = [json.loads(line)["path"] for line in lines if line.startswith('{"path"')]
    return paths, [line for line in lines if line.startswith("HTTP/1.1")]


def post(*headers: bytes, body: bytes = b"") -> bytes:
    return b"POST /first HTTP/1.1\r\nhost: here\r\n" + b"".join(each + b"\r\n" for each in headers) + b"\r\n" + body


@pytest.mark.parametrize(
    "request_bytes",
    [
        post(b"content-length: 5", b"transfer-encoding: chunked", body=b"0\r\n\r\n" + SMUGGLED),
        post(b"transfer-encoding: chunked", b"content-length: 5", body=b"0\r\n\r\n" + SMUGGLED),
        post(b"content-length: 0", b"content-length: 5", body=SMUGGLED),
        post(b"content-length: 5", b"content-length: 5", body=b"abcde"),
        post(b"content-length: 5, 5", body=b"abcde"),
        post(b"content-length: +5", body=b"abcde"),
        post(b"content-length: -1", body=SMUGGLED),
        post(b"content-length: 0x5", body=b"abcde"),
        post(b"content-length: 99999999999999999999999", body=SMUGGLED),
        post(b"content-length : 5", body=b"abcde" + SMUGGLED),
        post(b"transfer-encoding : chunked", body=b"0\r\n\r\n" + SMUGGLED),
        post(b"transfer-encoding: xchunked", body=b"0\r\n\r\n" + SMUGGLED),
        post(b"transfer-encoding: chunked, identity", body=b"0\r\n\r\n" + SMUGGLED),
        post(b"transfer-encoding: identity", b"transfer-encoding: chunked, x", body=b"0\r\n\r\n" + SMUGGLED),
        post(b"transfer-encoding: chunked", body=b"5;\nabcde\r\n0\r\n\r\n" + SMUGGLED),
        post(b"transfer-encoding: chunked", body=b"xyz\r\n" + SMUGGLED),
        post(b"transfer-encoding: chunked", body=b"ffffffffffffffffff\r\n" + SMUGGLED),
        post(b"x-folded: one", b" transfer-encoding: chunked", b"content-length: 5", body=b"abcde"),
        post(b"\x00x: 1", body=SMUGGLED),
        post(b"x y: 1", body=SMUGGLED),
        post(b"x: a\rtransfer-encoding: chunked", body=b"0\r\n\r\n" + SMUGGLED),
        post(b"x: a\x00b", body=SMUGGLED),
        b"GET /first HTTP/1.1\nhost: here\n\n" + SMUGGLED,
        b"GET /first HTTP/1.1 \r\nhost: here\r\n\r\n" + SMUGGLED,
        b"GET /first\r\n\r\n" + SMUGGLED,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SMUGGLED,
    ],
)
async def test_what_can_be_read_in_two_ways_never_becomes_a_second_request(request_bytes: bytes) -> None:
    paths, answers = await asked(request_bytes)
    assert "/smuggled" not in paths
    assert len(answers) <= 1
    if answers and "400" not in answers[0]:  # read as one request only, whose bytes are all its own
        assert paths == ["/first"]


async def test_two_honest_requests_on_one_connection_are_two() -> None:
    paths, answers = await asked(post(b"content-length: 5", body=b"abcde") + SMUGGLED)
    assert paths == ["/first", "/smuggled"]
    assert len(answers) == 2


@pytest.mark.parametrize("host", [b"here/health?x=", b"here#", b"a b", b"user@here", b"[::1", b"here:99999", b""])
async def test_what_a_caller_calls_the_host_does_not_change_the_path(host: bytes) -> None:
    paths, _ = await asked(b"GET /first?a=1 HTTP/1.1\r\nhost: " + host + b"\r\n\r\n")
    assert paths in ([], ["/first"])


@pytest.mark.parametrize(
    ("target", "paths"),
    [(b"http://elsewhere/first?x=/health", []), (b"//elsewhere/health", ["//elsewhere/health"])],
)
async def test_an_absolute_target_is_refused(target: bytes, paths: list[str]) -> None:
    assert (await asked(b"GET " + target + b" HTTP/1.1\r\nhost: here\r\n\r\n"))[0] == paths
