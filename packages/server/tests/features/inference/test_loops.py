"""An agent that goes in circles is stopped with a sentence; nobody else notices."""

import json
from typing import Any

import pytest

from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.features.inference.loops import REMEMBERED, Loops, LoopSettings
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import Answer, Gateway

TOOL = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
SESSION = {"x-session-id": "ses_1"}


class Clock:
    """Time by hand."""

    def __init__(self) -> None:
        self.time = 0.0

    def monotonic(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


def loops(clock: Clock, most: int = 3, seconds: float = 10.0) -> Loops:
    return Loops(LoopSettings(most, seconds), clock)  # type: ignore[arg-type] - it reads no wall clock


def test_a_request_may_come_so_often_and_no_more(clock: Clock) -> None:
    counted = loops(clock)
    for _ in range(3):
        counted.count("key", "chat", b"body")
    clock.time = 4.0
    with pytest.raises(InvalidRequest, match=r"came 4 times within 10 seconds.*wait 6 seconds"):
        counted.count("key", "chat", b"body")


@pytest.mark.parametrize("other", [("other", "chat", b"body"), ("key", "messages", b"body"), ("key", "chat", b"bod")])
def test_others_are_counted_apart(clock: Clock, other: tuple[str, str, bytes]) -> None:
    counted = loops(clock, most=1)
    counted.count("key", "chat", b"body")
    counted.count(*other)


def test_after_a_while_it_may_come_again(clock: Clock) -> None:
    counted = loops(clock, most=1)
    counted.count("key", "chat", b"body")
    clock.time = 10.0
    counted.count("key", "chat", b"body")


def test_without_a_limit_nothing_is_counted(clock: Clock) -> None:
    counted = loops(clock, most=0)
    for _ in range(100):
        counted.count("key", "chat", b"body")
    assert len(counted) == 0


def test_so_many_requests_are_remembered_at_most(clock: Clock) -> None:
    counted = loops(clock, most=1)
    for number in range(REMEMBERED + 10):
        counted.count("key", "chat", b"%d" % number)
    assert len(counted) == REMEMBERED
    counted.count("key", "chat", b"0")
    with pytest.raises(InvalidRequest):
        counted.count("key", "chat", b"%d" % (REMEMBERED + 9))


async def chat(gateway: Gateway, *, headers: dict[str, str] | None = None, **fields: Any) -> Answer:
    messages = [{"role": "user", "content": "hi"}]
    body = json.dumps({"model": "openai/gpt-big", "messages": messages, **fields}).encode()
    return await gateway.ask("/v1/chat/completions", body=body, headers=headers)


@pytest.mark.parametrize("agent", [{"tools": [TOOL]}, {"headers": SESSION}], ids=["tools", "session"])
async def test_an_agent_is_stopped_in_its_own_dialect_and_not_charged(agent: dict[str, Any]) -> None:
    gateway = Gateway(loops=LoopSettings(2, 60.0))
    gateway.wire.play("openai", wires.openai())
    answers = [await chat(gateway, **agent) for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 400, 400]
    assert "the client seems to go in circles" in answers[2].json["error"]["message"]
    assert answers[2].json["error"]["type"] == "invalid_request_error"
    assert len(gateway.books.settled) == 2


async def test_a_script_may_ask_the_same_as_often_as_it_likes() -> None:
    gateway = Gateway(loops=LoopSettings(2, 60.0))
    gateway.wire.play("openai", wires.openai())
    assert [(await chat(gateway)).status for _ in range(5)] == [200] * 5
