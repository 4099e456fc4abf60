"""How an answer is put on the wire: head and beginning at once, framing right, no header that could forge another."""

import asyncio
from typing import Any

import pytest

from monkey_coder_server.adapters.listener.exchange import Exchange

STARTED = "http.response.start"
BODY = "http.response.body"
GONE = {"type": "http.disconnect"}


class Wire:
    """A connection that keeps what is written, one item a write."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.leaving = False
        self.write_paused = False
        self.resumed = 0
        self.kept_alive: bool | None = None
        self.room = asyncio.Event()

    def write(self, data: bytes) -> None:
        self.written.append(data)

    async def drained(self) -> None:
        await self.room.wait()

    def resume_reading(self) -> None:
        self.resumed += 1

    def answered(self, *, keep_alive: bool) -> None:
        self.kept_alive = keep_alive


def exchange_on(wire: Wire, method: str = "GET", *, keep_alive: bool = True, to_continue: bool = False) -> Exchange:
    scope = {"type": "http", "method": method}
    return Exchange(wire, scope, lambda: b"date: now\r\n", keep_alive=keep_alive, to_continue=to_continue)


async def send(exchange: Exchange, *messages: dict[str, Any]) -> None:
    for message in messages:
        await exchange(message)


async def test_a_short_answer_is_one_write() -> None:
    wire = Wire()
    exchange = exchange_on(wire)
    start = {"type": STARTED, "status": 200, "headers": [(b"content-length", b"2")]}
    await send(exchange, start, {"type": BODY, "body": b"hi"})
    assert wire.written == [b"HTTP/1.1 200 OK\r\ndate: now\r\ncontent-length: 2\r\n\r\nhi"]
    assert exchange.over
    assert wire.kept_alive


async def test_a_stream_goes_out_in_chunks_and_ends_with_an_empty_one() -> None:
    wire = Wire()
    pieces = [{"type": BODY, "body": piece, "more_body": True} for piece in (b"one", b"", b"three")]
    await send(exchange_on(wire), {"type": STARTED, "status": 200, "headers": []}, *pieces, {"type": BODY})
    head = b"HTTP/1.1 200 OK\r\ndate: now\r\ntransfer-encoding: chunked\r\n\r\n"
    assert wire.written == [head + b"3\r\none\r\n", b"", b"5\r\nthree\r\n", b"0\r\n\r\n"]


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
async def test_an_answer_that_has_no_body_has_no_framing_either(method: str, status: int) -> None:
    wire = Wire()
    await send(exchange_on(wire, method), {"type": STARTED, "status": status, "headers": []}, {"type": BODY})
    assert wire.written[0].endswith(b"date: now\r\n\r\n")


async def test_a_connection_that_ends_says_so_and_is_closed() -> None:
    wire = Wire()
    start = {"type": STARTED, "status": 200, "headers": [(b"content-length", b"0")]}
    await send(exchange_on(wire, keep_alive=False), start, {"type": BODY})
    assert b"connection: close\r\n" in wire.written[0]
    assert wire.kept_alive is False


@pytest.mark.parametrize("forged", [b"1\r\nset-cookie: a=b", b"1\n", b"1\r"])
async def test_a_header_that_would_forge_another_is_refused(forged: bytes) -> None:
    wire = Wire()
    with pytest.raises(RuntimeError):
        await send(exchange_on(wire), {"type": STARTED, "status": 200, "headers": [(b"x-note", forged)]})
    assert not wire.written


@pytest.mark.parametrize("body", [b"short", b"too long a body"])
async def test_a_body_of_another_length_than_announced_is_refused(body: bytes) -> None:
    wire = Wire()
    start = {"type": STARTED, "status": 200, "headers": [(b"content-length", b"9")]}
    with pytest.raises(RuntimeError):
        await send(exchange_on(wire), start, {"type": BODY, "body": body})
    assert not wire.written


async def test_messages_out_of_order_are_refused() -> None:
    with pytest.raises(RuntimeError):
        await send(exchange_on(Wire()), {"type": BODY, "body": b"early"})


async def test_nothing_is_written_for_a_caller_who_is_gone() -> None:
    wire = Wire()
    exchange = exchange_on(wire)
    exchange.lost()
    await send(exchange, {"type": STARTED, "status": 200, "headers": []}, {"type": BODY, "body": b"late"})
    assert not wire.written


async def test_more_of_a_body_is_written_without_a_message_where_nothing_has_to_be_waited_for() -> None:
    wire = Wire()
    exchange = exchange_on(wire)
    free = [exchange.straight.free]
    await exchange({"type": STARTED, "status": 200, "headers": []})
    free.append(exchange.straight.free)
    exchange.straight.write(b"data: 1")
    exchange.straight.write(b"data: 22")
    assert wire.written[0].endswith(b"\r\n\r\n7\r\ndata: 1\r\n")
    assert wire.written[1:] == [b"8\r\ndata: 22\r\n"]
    wire.write_paused = True
    free.append(exchange.straight.free)
    wire.write_paused = False
    await exchange({"type": BODY, "body": b"", "more_body": False})
    free.append(exchange.straight.free)
    assert free == [False, True, False, False]


async def test_nothing_is_written_straight_to_a_caller_who_is_gone() -> None:
    wire = Wire()
    exchange = exchange_on(wire)
    await exchange({"type": STARTED, "status": 200, "headers": []})
    exchange.lost()
    exchange.write(b"data: 1")
    assert not wire.written


async def test_a_body_of_announced_length_is_not_written_straight() -> None:
    exchange = exchange_on(Wire())
    await exchange({"type": STARTED, "status": 200, "headers": [(b"content-length", b"7")]})
    assert not exchange.free


async def test_a_whole_answer_is_one_write_without_a_wait() -> None:
    wire = Wire()
    exchange = exchange_on(wire)
    assert exchange.answer(200, [(b"content-length", b"2"), (b"x-a", b"b")], b"hi")
    assert wire.written == [b"HTTP/1.1 200 OK\r\ndate: now\r\ncontent-length: 2\r\nx-a: b\r\n\r\nhi"]
    assert (exchange.over, wire.kept_alive) == (True, True)
    assert not exchange.answer(200, [(b"content-length", b"2")], b"hi")
    assert len(wire.written) == 1


@pytest.mark.parametrize("header", [(b"x-a", b"b\r\nx-c: d"), (b"x-a", b"b\n"), (b"x-\ra", b"b")])
async def test_a_whole_answer_with_a_header_that_holds_a_line_break_is_none(header: tuple[bytes, bytes]) -> None:
    wire = Wire()
    with pytest.raises(RuntimeError, match="line break"):
        exchange_on(wire).answer(200, [(b"content-length", b"2"), header], b"hi")
    assert not wire.written


async def test_a_whole_answer_is_not_written_before_the_one_before_it_was_read() -> None:
    wire = Wire()
    wire.write_paused = True
    exchange = exchange_on(wire)
    assert not exchange.answer(200, [(b"content-length", b"2")], b"hi")
    assert (wire.written, exchange.begun) == ([], False)


async def test_a_whole_answer_to_a_caller_who_is_gone_is_dropped() -> None:
    wire = Wire()
    exchange = exchange_on(wire)
    exchange.lost()
    wire.write_paused = True
    assert exchange.answer(200, [(b"content-length", b"2")], b"hi")
    assert not wire.written


async def test_an_answer_waits_for_a_caller_who_does_not_read() -> None:
    wire = Wire()
    exchange = exchange_on(wire)
    await exchange({"type": STARTED, "status": 200, "headers": []})
    wire.write_paused = True
    sending = asyncio.create_task(send(exchange, {"type": BODY, "body": b"more", "more_body": True}))
    await asyncio.sleep(0)
    assert not wire.written
    wire.write_paused = False
    wire.room.set()
    await sending
    assert wire.written[0].endswith(b"4\r\nmore\r\n")


async def test_where_the_connection_is_left_the_answer_says_so() -> None:
    wire = Wire()
    wire.leaving = True
    await send(exchange_on(wire), {"type": STARTED, "status": 200, "headers": []}, {"type": BODY})
    assert b"connection: close\r\n" in wire.written[0]
    assert wire.kept_alive is False


async def test_a_status_that_has_no_name_is_told_by_its_number() -> None:
    wire = Wire()
    await send(exchange_on(wire), {"type": STARTED, "status": 529, "headers": []}, {"type": BODY})
    assert wire.written[0].startswith(b"HTTP/1.1 529 \r\n")


async def test_a_body_is_received_as_it_comes_and_then_the_end_of_it_all() -> None:
    wire = Wire()
    exchange = exchange_on(wire)
    receiving = asyncio.create_task(exchange.receive())
    await asyncio.sleep(0)
    assert not receiving.done()
    assert wire.resumed == 1
    exchange.arrived(b"one")
    assert await receiving == {"type": "http.request", "body": b"one", "more_body": True}
    assert exchange.arrived(b"two") == 3
    assert exchange.arrived(b"three") == 8
    exchange.whole()
    assert await exchange.receive() == {"type": "http.request", "body": b"twothree", "more_body": False}
    last = asyncio.create_task(exchange.receive())
    await asyncio.sleep(0)
    assert not last.done()
    exchange.lost()
    assert await last == await exchange.receive() == GONE


async def test_who_stops_waiting_for_more_may_ask_again() -> None:
    exchange = exchange_on(Wire())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.001):
            await exchange.receive()
    exchange.whole()
    assert (await exchange.receive())["more_body"] is False


async def test_after_its_answer_nothing_is_received_any_more() -> None:
    exchange = exchange_on(Wire())
    watching = asyncio.create_task(exchange.receive())
    await asyncio.sleep(0)
    await send(exchange, {"type": STARTED, "status": 200, "headers": []}, {"type": BODY})
    assert await watching == GONE
    exchange.lost()
    assert not exchange.gone, "the answer was over before its caller left"


async def test_who_waits_to_be_asked_for_a_body_is_asked_once_it_is_wanted() -> None:
    wire = Wire()
    exchange = exchange_on(wire, "POST", to_continue=True)
    exchange.arrived(b"all")
    exchange.whole()
    assert (await exchange.receive())["body"] == b"all"
    assert wire.written == [b"HTTP/1.1 100 Continue\r\n\r\n"]


async def test_who_is_refused_before_the_body_is_not_asked_for_it() -> None:
    wire = Wire()
    exchange = exchange_on(wire, "POST", to_continue=True)
    await send(exchange, {"type": STARTED, "status": 413, "headers": []}, {"type": BODY})
    assert b"100 Continue" not in b"".join(wire.written)
