"""Put answers on the socket: pacing, chunk splitting and the faults that happen on the way."""

import asyncio
import re
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from aiohttp import web

from monkey_coder_server.sandbox.directives import Directive
from monkey_coder_server.sandbox.exchange import Frame
from monkey_coder_server.sandbox.tally import Outcome

GARBAGE = b"\x00\xff<!doctype html>\xc3\x28 this is no answer at all"
GARBAGE_FRAME = b'data: {"id": "broken", "choices": [{"delta": {"cont\n\n'
_CRLF = re.compile(rb"\r?\n")
_SLOW_FIRST_BYTE = 2.0
_SLOW_DRIP = 0.05
_HANG_POLL = 0.05
_HUGE_WRITE = 64 * 1_024


@dataclass(frozen=True, slots=True)
class Delivered:
    """How a delivery ended: `generated` output tokens were made by then."""

    outcome: Outcome
    generated: int


def is_gone(request: web.Request) -> bool:
    """Whether the caller hung up."""
    return request.transport is None or request.transport.is_closing()


def reset_connection(request: web.Request) -> None:
    """Close the connection with a TCP reset, as a crashed peer would."""
    transport = request.transport
    if transport is None:
        return
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def hang(request: web.Request) -> None:
    """Wait until the caller gives up."""
    while not is_gone(request):  # noqa: ASYNC110 - a transport has no event that tells of its closing
        await asyncio.sleep(_HANG_POLL)


def before_first_byte(directive: Directive) -> float:
    """Seconds to wait before anything is sent."""
    seconds = directive.first_token_ms / 1_000
    if directive.fault == "slow_first_byte":
        seconds += _SLOW_FIRST_BYTE if directive.delay is None else directive.delay
    return seconds


async def huge(request: web.Request, directive: Directive, content_type: str) -> web.StreamResponse:
    """A body that does not end before `size` bytes: one JSON string, or one SSE line."""
    response = web.StreamResponse(headers={"content-type": content_type})
    await response.prepare(request)
    try:
        await response.write(b'data: {"padding": "' if "event-stream" in content_type else b'{"padding": "')
        for _ in range(0, directive.size, _HUGE_WRITE):
            await response.write(b"x" * _HUGE_WRITE)
        await response.write(b'"}\n\n')
    except ConnectionResetError:
        return response
    await response.write_eof()
    return response


async def cut_whole(request: web.Request, body: bytes, headers: dict[str, str]) -> web.StreamResponse:
    """Announce a whole body, send half of it and reset the connection."""
    response = web.StreamResponse(headers=headers | {"content-length": str(len(body))})
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    await asyncio.sleep(0.01)
    reset_connection(request)
    return response


def bent(frames: Iterator[Frame], fault: str) -> Iterator[Frame]:
    """The frames as the faults that lie in them want it: without the last one, or with other line ends."""
    if fault == "no_end":
        return (frame for frame, _ in pairwise(frames))
    if fault == "crlf":
        return (Frame(_CRLF.sub(b"\r\n", frame.data), frame.generated) for frame in frames)
    return frames


async def stream(
    request: web.Request,
    response: web.StreamResponse,
    frames: Iterator[Frame],
    directive: Directive,
    error_event: bytes,
) -> Delivered:
    """Send the frames, paced and possibly broken as the directive says."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    generated = 0
    try:
        for number, frame in enumerate(frames):
            if number == directive.after and directive.fault in {"cut", "eof", "error_event", "garbage_frame"}:
                broken = await _break(request, response, directive, error_event)
                if broken:
                    return Delivered("faulted", generated)
            pause = _pause(directive, frame.generated, loop.time() - began)
            if pause > 0:
                await asyncio.sleep(pause)
            if is_gone(request):
                return Delivered("abandoned", generated)
            await _write(response, frame.data, directive.split)
            generated = frame.generated
        if directive.fault in {"cut", "error_event"} and directive.after > number:
            await _break(request, response, directive, error_event)
        else:
            await response.write_eof()
    except ConnectionResetError:
        return Delivered("abandoned", generated)
    return Delivered("served", generated)


def _pause(directive: Directive, generated: int, elapsed: float) -> float:
    if directive.fault == "slow_drip":
        return _SLOW_DRIP if directive.delay is None else directive.delay
    if directive.tokens_per_second:
        return generated / directive.tokens_per_second - elapsed
    return 0.0


async def _write(response: web.StreamResponse, data: bytes, split: int) -> None:
    if not split:
        await response.write(data)
        return
    for start in range(0, len(data), split):
        await response.write(data[start : start + split])
        await asyncio.sleep(0)


async def _break(request: web.Request, response: web.StreamResponse, directive: Directive, error_event: bytes) -> bool:
    """Do what the fault says in mid-stream; False where the stream goes on after it."""
    if directive.fault == "garbage_frame":
        await response.write(GARBAGE_FRAME)
        return False
    if directive.fault == "error_event":
        await response.write(error_event)
    if directive.fault == "cut":
        await asyncio.sleep(0.01)
        reset_connection(request)
    else:
        await response.write_eof()
    return True
