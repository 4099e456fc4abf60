"""A body that has come is taken as it is; any other is received within its bounds."""

import asyncio

import pytest

from monkey_coder_server.adapters.listener.exchange import Exchange
from monkey_coder_server.domain.errors import RequestTooLarge
from monkey_coder_server.web.problem import RequestTimeout
from monkey_coder_server.web.request import ClientGone, Request
from packages.server.tests.adapters.listener.test_exchange import Wire, exchange_on


def request_of(exchange: Exchange, *, limit: int = 8, seconds: float = 5.0) -> Request:
    scope = {"type": "http", "headers": []}
    return Request(
        scope,
        exchange.receive,
        request_id="req_1",
        body_limit=limit,
        body_seconds=seconds,
        straight=exchange.straight,
    )


async def test_a_body_that_has_come_is_taken_without_a_message_and_once() -> None:
    wire = Wire()
    exchange = exchange_on(wire, "POST")
    assert exchange.come() is None
    exchange.arrived(b"abc")
    assert exchange.come() is None
    exchange.arrived(b"def")
    exchange.whole()
    assert await request_of(exchange).body() == b"abcdef"
    assert wire.resumed == 1
    assert exchange.come() is None
    exchange.lost()
    assert await exchange.receive() == {"type": "http.disconnect"}


async def test_a_body_that_comes_in_pieces_is_received_to_its_end() -> None:
    exchange = exchange_on(Wire(), "POST")
    exchange.arrived(b"abc")
    reading = asyncio.create_task(request_of(exchange).body())
    await asyncio.sleep(0)
    exchange.arrived(b"def")
    await asyncio.sleep(0)
    exchange.whole()
    assert await reading == b"abcdef"


async def test_who_waits_to_be_asked_for_a_body_is_asked_though_it_has_come() -> None:
    wire = Wire()
    exchange = exchange_on(wire, "POST", to_continue=True)
    exchange.arrived(b"abc")
    exchange.whole()
    assert await request_of(exchange).body() == b"abc"
    assert wire.written == [b"HTTP/1.1 100 Continue\r\n\r\n"]


@pytest.mark.parametrize("pieces", [[b"abcdefghi"], [b"abcdefgh", b"i"]])
@pytest.mark.parametrize("whole", [True, False])
async def test_a_body_beyond_its_bound_is_refused_however_it_comes(pieces: list[bytes], whole: bool) -> None:
    exchange = exchange_on(Wire(), "POST")
    for piece in pieces:
        exchange.arrived(piece)
    if whole:
        exchange.whole()
    with pytest.raises(RequestTooLarge):
        await request_of(exchange).body()


async def test_whoever_left_or_dawdles_has_no_body() -> None:
    exchange = exchange_on(Wire(), "POST")
    with pytest.raises(RequestTimeout):
        await request_of(exchange, seconds=0.01).body()
    exchange.arrived(b"abc")
    exchange.whole()
    exchange.lost()
    with pytest.raises(ClientGone):
        await request_of(exchange).body()
