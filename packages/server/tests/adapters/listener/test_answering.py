"""How an answer is put on the wire: head and beginning at once, framing right, no header that could forge another."""

import asyncio
from typing import Any

import pytest
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from monkey_coder_server.adapters.listener.answering import Answering
from monkey_coder_server.adapters.listener.leaving import Leaving

STARTED = "http.response.start"
BODY = "http.response.body"


class Wire(asyncio.Transport):
    """Keeps what is written, one item a write."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def close(self) -> None:
        self.closed = True


def cycle_on(wire: Wire, method: str = "GET", *, keep_alive: bool = True) -> RequestResponseCycle:
    scope: Any = {"type": "http", "method": method}
    return RequestResponseCycle(
        scope=scope,
        transport=wire,
        flow=FlowControl(wire),
        logger=None,  # type: ignore[arg-type] # not used by an answer
        access_logger=None,  # type: ignore[arg-type] # not used by an answer
        access_log=False,
        default_headers=[(b"date", b"now")],
        message_event=asyncio.Event(),
        expect_100_continue=False,
        keep_alive=keep_alive,
        on_response=lambda: None,
    )


async def send(cycle: RequestResponseCycle, *messages: dict[str, Any]) -> None:
    answering = Answering(cycle, Leaving())
    for message in messages:
        await answering(message)


async def test_a_short_answer_is_one_write() -> None:
    wire = Wire()
    cycle = cycle_on(wire)
    start = {"type": STARTED, "status": 200, "headers": [(b"content-length", b"2")]}
    await send(cycle, start, {"type": BODY, "body": b"hi"})
    assert wire.written == [b"HTTP/1.1 200 OK\r\ndate: now\r\ncontent-length: 2\r\n\r\nhi"]
    assert cycle.response_complete
    assert not wire.closed


async def test_a_stream_goes_out_in_chunks_and_ends_with_an_empty_one() -> None:
    wire = Wire()
    pieces = [{"type": BODY, "body": piece, "more_body": True} for piece in (b"one", b"", b"three")]
    await send(cycle_on(wire), {"type": STARTED, "status": 200, "headers": []}, *pieces, {"type": BODY})
    head = b"HTTP/1.1 200 OK\r\ndate: now\r\ntransfer-encoding: chunked\r\n\r\n"
    assert wire.written == [head + b"3\r\none\r\n", b"", b"5\r\nthree\r\n", b"0\r\n\r\n"]


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
async def test_an_answer_that_has_no_body_has_no_framing_either(method: str, status: int) -> None:
    wire = Wire()
    await send(cycle_on(wire, method), {"type": STARTED, "status": status, "headers": []}, {"type": BODY})
    assert wire.written[0].endswith(b"date: now\r\n\r\n")


async def test_a_connection_that_ends_says_so_and_is_closed() -> None:
    wire = Wire()
    start = {"type": STARTED, "status": 200, "headers": [(b"content-length", b"0")]}
    await send(cycle_on(wire, keep_alive=False), start, {"type": BODY})
    assert b"connection: close\r\n" in wire.written[0]
    assert wire.closed


@pytest.mark.parametrize("forged", [b"1\r\nset-cookie: a=b", b"1\n", b"1\r"])
async def test_a_header_that_would_forge_another_is_refused(forged: bytes) -> None:
    wire = Wire()
    with pytest.raises(RuntimeError):
        await send(cycle_on(wire), {"type": STARTED, "status": 200, "headers": [(b"x-note", forged)]})
    assert not wire.written


@pytest.mark.parametrize("body", [b"short", b"too long a body"])
async def test_a_body_of_another_length_than_announced_is_refused(body: bytes) -> None:
    wire = Wire()
    start = {"type": STARTED, "status": 200, "headers": [(b"content-length", b"9")]}
    with pytest.raises(RuntimeError):
        await send(cycle_on(wire), start, {"type": BODY, "body": body})
    assert not wire.written


async def test_messages_out_of_order_are_refused() -> None:
    with pytest.raises(RuntimeError):
        await send(cycle_on(Wire()), {"type": BODY, "body": b"early"})


async def test_nothing_is_written_for_a_caller_who_is_gone() -> None:
    wire = Wire()
    cycle = cycle_on(wire)
    cycle.disconnected = True
    await send(cycle, {"type": STARTED, "status": 200, "headers": []}, {"type": BODY, "body": b"late"})
    assert not wire.written


async def test_more_of_a_body_is_written_without_a_message_where_nothing_has_to_be_waited_for() -> None:
    wire = Wire()
    cycle = cycle_on(wire)
    answering = Answering(cycle, Leaving())
    assert not answering.straight.free
    await answering({"type": STARTED, "status": 200, "headers": []})
    assert answering.straight.free
    answering.straight.write(b"data: 1")
    answering.straight.write(b"data: 22")
    assert wire.written[0].endswith(b"\r\n\r\n7\r\ndata: 1\r\n")
    assert wire.written[1:] == [b"8\r\ndata: 22\r\n"]
    cycle.flow.pause_writing()
    assert not answering.straight.free
    cycle.flow.resume_writing()
    await answering({"type": BODY, "body": b"", "more_body": False})
    assert not answering.straight.free


async def test_nothing_is_written_straight_to_a_caller_who_is_gone() -> None:
    wire = Wire()
    cycle = cycle_on(wire)
    answering = Answering(cycle, Leaving())
    await answering({"type": STARTED, "status": 200, "headers": []})
    cycle.disconnected = True
    answering.write(b"data: 1")
    assert not wire.written


async def test_a_body_of_announced_length_is_not_written_straight() -> None:
    answering = Answering(cycle_on(Wire()), Leaving())
    await answering({"type": STARTED, "status": 200, "headers": [(b"content-length", b"7")]})
    assert not answering.free
