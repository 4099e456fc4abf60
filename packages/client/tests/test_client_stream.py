"""Streams of both clients: typed events, text, the whole response, and every way to break."""

from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from monkey_coder import (
    AsyncClient,
    Client,
    InvalidRequestError,
    ProviderError,
    RequestTimeoutError,
    ResponseFormatError,
    StreamInterruptedError,
)
from packages.client.tests.driver import BASE
from packages.client.tests.fake_gateway import (
    ANSWER,
    KEY,
    Answer,
    FakeGateway,
    error,
    event,
    events,
)


def test_a_stream_gives_typed_events_text_and_the_whole_response(connect: Callable[..., Any]) -> None:
    stream = connect().stream("x")
    kinds = [event.type for event in stream]
    assert kinds[:2] == ["start", "progress"]
    assert set(kinds[2:-1]) == {"delta"}
    assert kinds[-1] == "complete"
    assert stream.text == ANSWER
    assert stream.request_id == "req_1"
    final = stream.final()
    assert (final.text, final.cost_usd, final.receipt_id) == (ANSWER, Decimal("0.00123"), "rcpt_1")


def test_an_unknown_event_is_passed_over(connect: Callable[..., Any], gateway: FakeGateway) -> None:
    usual = events()
    pieces = (usual.pieces[0], event(type="of_tomorrow", data=1), *usual.pieces[1:])
    gateway.on("/v1/execute/stream", Answer(200, usual.headers, pieces))
    assert connect().stream("x").final().text == ANSWER


def test_a_stream_is_opened_again_until_its_first_event(connect: Callable[..., Any], gateway: FakeGateway) -> None:
    headers = {"content-type": "text/event-stream"}
    gateway.on(
        "/v1/execute/stream",
        error(503, "unavailable"),
        Answer(200, headers, (b": keep-alive\n\n",), cut=True),
    )
    assert connect().stream("x").final().text == ANSWER
    assert len(gateway.seen) == 3


@pytest.mark.parametrize("cut", [True, False])
def test_a_stream_cut_after_its_first_event_is_never_repeated(
    connect: Callable[..., Any], gateway: FakeGateway, cut: bool
) -> None:
    gateway.on("/v1/execute/stream", events("half an", ending=b"", cut=cut))
    stream = connect().stream("x")
    with pytest.raises(StreamInterruptedError) as caught:
        stream.final()
    assert caught.value.partial_text == "half an"
    assert caught.value.request_id == "req_1"
    assert len(gateway.seen) == 1


def test_an_error_event_is_its_typed_error(connect: Callable[..., Any], gateway: FakeGateway) -> None:
    failing = event(type="error", error={"message": "It fell over.", "code": "provider_error"})
    gateway.on("/v1/execute/stream", events("some text", ending=failing))
    stream = connect().stream("x")
    with pytest.raises(ProviderError, match="It fell over"):
        stream.final()
    assert stream.text == "some text"


@pytest.mark.parametrize(
    "piece",
    [b"data: {broken\n\n", event(type="complete", data={"status": 7}), event(type="progress", progress="x")],
)
def test_an_unreadable_event_is_a_format_error(connect: Callable[..., Any], gateway: FakeGateway, piece: bytes) -> None:
    gateway.on("/v1/execute/stream", events(ending=piece))
    with pytest.raises(ResponseFormatError):
        connect().stream("x").final()


def test_a_page_instead_of_a_stream_is_a_format_error(connect: Callable[..., Any], gateway: FakeGateway) -> None:
    gateway.on("/v1/execute/stream", Answer(200, {"content-type": "text/html"}, (b"<html>",)))
    with pytest.raises(ResponseFormatError, match="text/html came"):
        connect().stream("x")


def test_a_refused_stream_is_the_typed_error(connect: Callable[..., Any], gateway: FakeGateway) -> None:
    gateway.on("/v1/execute/stream", error(400, "invalid_request"))
    with pytest.raises(InvalidRequestError):
        connect().stream("x")


def test_a_closed_stream_has_no_final_response(connect: Callable[..., Any]) -> None:
    stream = connect().stream("x")
    stream.close()
    with pytest.raises(StreamInterruptedError):
        stream.final()


async def test_async_closing_and_iteration_by_their_own_words(gateway: FakeGateway) -> None:
    http = httpx2.AsyncClient(transport=gateway.transport())
    async with http, AsyncClient(api_key=KEY, base_url=BASE, http_client=http) as client:
        async with await client.stream("x") as stream:
            assert isinstance(stream, AsyncIterator)
            async for first in stream:
                assert first.type == "start"
                break
        with pytest.raises(StreamInterruptedError):
            await stream.final()
    async with AsyncClient(api_key=KEY, base_url=BASE):
        pass


def test_sync_closing_by_the_with_block(client: Client) -> None:
    with client.stream("x") as stream:
        assert next(stream).type == "start"
    with pytest.raises(StreamInterruptedError):
        stream.final()


@pytest.mark.parametrize("before_first", [True, False])
def test_every_connection_is_let_go(connect: Callable[..., Any], gateway: FakeGateway, before_first: bool) -> None:
    page = Answer(200, {"content-type": "text/html"}, (b"<html>",))
    gateway.on("/v1/execute/stream", page if before_first else events())
    try:
        connect().stream("x").close()
    except ResponseFormatError:
        assert before_first
    assert len(gateway.closed) == 1


def test_a_stream_that_goes_on_beyond_the_total_time_is_ended(
    connect: Callable[..., Any], gateway: FakeGateway
) -> None:
    gateway.on("/v1/execute/stream", events("a b c d e f g h", pause=0.02))
    stream = connect(timeout=0.06).stream("x")
    with pytest.raises(RequestTimeoutError, match="longer timeout"):
        stream.final()
    assert len(gateway.seen) == 1
