"""However many malformed requests come, the log tells of them in a line a minute, with their number."""

import asyncio
import logging
from collections.abc import Callable

import pytest

from monkey_coder_server.adapters.listener.complaints import Complaints
from packages.server.tests.attacks.sockets import GET, door, say

MALFORMED = b"G<T / HTTP/1.1\r\nhost: here\r\nx: the caller's words\r\n\r\n"
Lines = Callable[[], list[str]]


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Lines:
    """The warnings about requests so far, whoever writes them."""
    caplog.set_level(logging.DEBUG)
    return lambda: [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


async def send(times: int, port: int) -> None:
    for _ in range(times):
        assert (await say(port, MALFORMED)).startswith(b"HTTP/1.1 400 ")


@pytest.mark.system
async def test_the_first_is_told_and_the_others_are_counted(lines: Lines) -> None:
    async with door() as there:
        await say(there.port, GET + b"connection: close\r\n\r\n")
        assert lines() == []
        await send(1, there.port)
        [first] = lines()
        await send(30, there.port)
        assert lines() == [first]
    [_, more] = lines()
    assert first == "What is no valid request was refused, from 127.0.0.1 with 400: The request is not valid HTTP."
    assert more.startswith("Refused 30 more that are no valid requests, the last from 127.0.0.1 with 400: ")


def told(lines: list[str]) -> int:
    """Of how many requests the lines tell."""
    return sum(int(line.split()[1]) if line.startswith("Refused") else 1 for line in lines)


async def test_a_flood_is_told_of_once_in_a_while_and_its_end_is_silent(lines: Lines) -> None:
    now, heard, sent = asyncio.get_running_loop().time, Complaints(seconds=0.01), 0
    began = now()
    while now() < began + 0.05:
        for _ in range(100):
            heard.note("192.0.2.1", 400, "no")
        sent += 100
        await asyncio.sleep(0)
    assert len(lines()) <= (now() - began) / 0.01 + 1
    for _ in range(500):
        if told(lines()) == sent:
            break
        await asyncio.sleep(0.01)
    assert told(lines()) == sent
    await asyncio.sleep(0.03)
    heard.close()
    assert told(lines()) == sent
    heard.note("", 431, "no")
    assert lines()[-1].endswith("from an unknown address with 431: no")
    heard.close()
