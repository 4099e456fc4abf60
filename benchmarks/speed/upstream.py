"""A provider that costs next to nothing: one chat completion, whole or as a stream of timed chunks.

`python -m benchmarks.speed.upstream PORT` serves `POST /v1/chat/completions` on 127.0.0.1. A body that asks for a
stream is answered with `CHUNKS` events, the first after `FIRST_SECONDS`, each after `CHUNK_SECONDS` more; one in which
`LATER` stands is answered whole after `later_seconds` of the number that follows it, any other at once.
"""

import asyncio
import json
import sys
from typing import cast

import uvloop

CHUNKS = 50
FIRST_SECONDS = 0.02
CHUNK_SECONDS = 0.1
LATER = "[later] "
LATEST_SECONDS = 0.15
_LATER = LATER.encode()
_DIGITS = 9
_GOLDEN = 0.6180339887498949
_USAGE = {"prompt_tokens": 120, "completion_tokens": 50, "total_tokens": 170}
_TOLD = {"id": "chatcmpl-bench", "created": 1_790_000_000, "model": "gpt-4.1-mini"}
_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


def later_seconds(number: int) -> float:
    """From 50 to 150 ms, evenly: equal waits would bunch callers that once had to wait for one another."""
    return LATEST_SECONDS - 0.1 * (number * _GOLDEN % 1.0)


def _completion() -> bytes:
    message = {"role": "assistant", "content": "def fibonacci(n: int) -> int: ..." * 6}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    body = json.dumps(_TOLD | {"object": "chat.completion", "choices": [choice], "usage": _USAGE}).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


def _chunk(delta: dict[str, str], finish: str | None, **more: object) -> bytes:
    choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
    told = _TOLD | {"object": "chat.completion.chunk", "choices": choices} | more
    return _framed(b"data: %b\n\n" % json.dumps(told).encode())


def _framed(event: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(event), event)


WHOLE = _completion()
STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_FIRST, _WORD = _chunk({"role": "assistant", "content": "def"}, None), _chunk({"content": " word"}, None)
STREAM = [_FIRST, *[_WORD] * (CHUNKS - 1)]
STREAM_END = (
    _chunk({}, "stop") + _chunk({}, None, choices=[], usage=_USAGE) + _framed(b"data: [DONE]\n\n") + b"0\r\n\r\n"
)


class Provider(asyncio.Protocol):
    """One connection; requests come one after the other."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what replies are written to."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer when head and body are whole."""
        self._received += data
        end = self._received.find(_HEAD_END)
        if end < 0:
            return
        head = bytes(self._received[:end]).lower()
        length = int(head.partition(_LENGTH)[2].split(b"\r\n", 1)[0]) if _LENGTH in head else 0
        if len(self._received) < end + len(_HEAD_END) + length:
            return
        body = bytes(self._received[end:])
        self._received.clear()
        assert self._transport is not None
        if b'"stream":true' in body or b'"stream": true' in body:
            asyncio.get_running_loop().call_later(FIRST_SECONDS, self._next, 0)
        elif _LATER in body:
            asyncio.get_running_loop().call_later(later_seconds(_number(body)), self._transport.write, WHOLE)
        else:
            self._transport.write(WHOLE)

    def _next(self, number: int) -> None:
        assert self._transport is not None
        if self._transport.is_closing():
            return
        if number == len(STREAM):
            self._transport.write(STREAM_END)
            return
        self._transport.write(STREAM[number] if number else STREAM_HEAD + STREAM[0])
        asyncio.get_running_loop().call_later(CHUNK_SECONDS, self._next, number + 1)


def _number(body: bytes) -> int:
    start = body.index(_LATER) + len(_LATER)
    return int(body[start : start + _DIGITS])


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Provider, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(int(sys.argv[1])))
