import asyncio
import json
from collections.abc import MutableMapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monkey_coder_server.web.sse import EventStream, EventWriter, data_frame


class Caller:
    """Records what is sent; hangs up when told."""

    def __init__(self) -> None:
        self.sent: list[MutableMapping[str, Any]] = []
        self.left = asyncio.Event()

    async def receive(self) -> MutableMapping[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        self.sent.append(message)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)


class Straight:
    """A `send` that takes more of a body without a message, too."""

    free = True

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self.straight = self

    async def __call__(self, message: MutableMapping[str, Any]) -> None:
        await self._caller.send(message)

    def write(self, body: bytes) -> None:
        self._caller.sent.append({"type": "straight", "body": body})


@settings(max_examples=100)
@given(st.text())
def test_a_frame_is_ascii_and_reads_back(text: str) -> None:
    frame = data_frame({"data": text})
    assert frame.isascii()
    assert frame.startswith(b"data: ")
    assert frame.endswith(b"\n\n")
    assert b"\n" not in frame[:-2]
    assert json.loads(frame[6:]) == {"data": text}


async def test_a_stream_has_the_headers_clients_need_and_a_clean_end() -> None:
    caller = Caller()

    async def run(writer: EventWriter) -> None:
        await writer.write(b"data: 1\n\n")

    await EventStream(run)({"method": "POST"}, caller.receive, caller.send)
    headers = dict(caller.sent[0]["headers"])
    assert headers[b"content-type"] == b"text/event-stream; charset=utf-8"
    assert caller.body == b"data: 1\n\n"
    assert caller.sent[-1]["more_body"] is False


async def test_silence_is_filled_with_comments() -> None:
    caller = Caller()

    async def run(_writer: EventWriter) -> None:
        await asyncio.sleep(0.1)

    await EventStream(run, seconds=0.01)({"method": "POST"}, caller.receive, caller.send)
    assert caller.body.count(b": keep-alive\n\n") >= 2


async def test_a_busy_stream_gets_no_comments() -> None:
    caller = Caller()

    async def run(writer: EventWriter) -> None:
        for _ in range(20):
            await writer.write(b"data: 1\n\n")
            await asyncio.sleep(0.002)

    await EventStream(run, seconds=0.03)({"method": "POST"}, caller.receive, caller.send)
    assert b"keep-alive" not in caller.body


async def test_a_hang_up_is_noticed_and_ends_the_writing() -> None:
    caller = Caller()
    told: list[bool] = []

    async def run(writer: EventWriter) -> None:
        writer.when_gone(lambda: told.append(True))
        caller.left.set()
        await asyncio.sleep(0.01)
        assert writer.gone
        await writer.write(b"data: late\n\n")

    await EventStream(run)({"method": "POST"}, caller.receive, caller.send)
    assert told == [True]
    assert caller.body == b""
    assert [message["type"] for message in caller.sent] == ["http.response.start"]


async def test_a_stream_that_fails_is_never_ended_cleanly() -> None:
    caller = Caller()

    async def run(_writer: EventWriter) -> None:
        message = "broken"
        raise RuntimeError(message)

    with pytest.raises(RuntimeError):
        await EventStream(run)({"method": "POST"}, caller.receive, caller.send)
    assert all(message.get("more_body", True) for message in caller.sent)


async def test_frames_are_written_without_a_wait_where_the_server_can_and_count_against_the_silence() -> None:
    caller = Caller()
    wrote: list[bool] = []

    async def run(writer: EventWriter) -> None:
        wrote.append(writer.free)
        for _ in range(20):
            writer.write_now(b"data: 1\n\n")
            await asyncio.sleep(0.002)
        writer.leave()
        writer.write_now(b"data: 2\n\n")

    await EventStream(run, seconds=0.03)({"method": "POST"}, caller.receive, Straight(caller))
    assert wrote == [True]
    assert caller.body == b"data: 1\n\n" * 20


async def test_frames_are_not_written_without_a_wait_where_the_server_cannot() -> None:
    writer = EventWriter(Caller().send)
    assert not writer.free
    with pytest.raises(RuntimeError, match="without waiting"):
        writer.write_now(b"data: 1\n\n")
