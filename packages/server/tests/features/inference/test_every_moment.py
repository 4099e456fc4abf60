"""The caller leaves, or the process stops, at each single step of a request: the hold resolves, once, every time."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import pytest

from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import Gateway
from packages.server.tests.features.inference.world import Script

MODEL = "openai/gpt-big"
STEPS = 60
"""Turns of the event loop; a request of these takes fewer."""
WAYS: list[tuple[str, Callable[[], Script]]] = [
    ("/v1/execute", wires.openai),
    ("/v1/execute/stream", lambda: wires.openai_stream("x" * 60)),
    ("/v1/execute", lambda: wires.error(400)),
    ("/v1/execute/stream", lambda: Script(pieces=wires.openai_stream().pieces[:4])),
]


def served_by(script: Script) -> Gateway:
    gateway = Gateway()
    gateway.wire.play("openai", script)
    return gateway


async def begin(gateway: Gateway, path: str, steps: int) -> "asyncio.Task[Any]":
    asking = asyncio.create_task(gateway.ask(path, model=MODEL, task_id="task-7"))
    for _ in range(steps):
        await asyncio.sleep(0)
    return asking


def check(gateway: Gateway) -> None:
    books = gateway.books
    assert not books.open
    assert not set(books.settled) & set(books.voided)
    assert books.balance == 5_000_000_000 - sum(charge.charged for _, charge in books.settled.values())
    assert set(books.claims) <= {"task:task-7"}
    assert bool(books.claims) == bool(books.settled)
    assert not gateway.notes.defects


@pytest.mark.parametrize(("path", "script"), WAYS)
async def test_a_caller_may_leave_at_any_step(path: str, script: Callable[[], Script]) -> None:
    for steps in range(STEPS):
        gateway = served_by(script())
        asking = await begin(gateway, path, steps)
        asking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asking
        await gateway.settle_down()
        check(gateway)


@pytest.mark.parametrize(("path", "script"), WAYS)
async def test_the_process_may_stop_at_any_step(path: str, script: Callable[[], Script]) -> None:
    for steps in range(STEPS):
        gateway = served_by(script())
        asking = await begin(gateway, path, steps)
        for task in asyncio.all_tasks():
            if "_carry" in repr(task.get_coro()):
                task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asking
        await gateway.settle_down()
        check(gateway)


@pytest.mark.parametrize(("path", "script"), WAYS[:2])
async def test_the_same_task_may_come_a_second_time_at_any_step(path: str, script: Callable[[], Script]) -> None:
    for steps in range(STEPS):
        gateway = served_by(script())
        asking = await begin(gateway, path, steps)
        second = await gateway.ask(path, model=MODEL, task_id="task-7")
        first = await asking
        assert {200} <= {first.status, second.status} <= {200, 409}
        assert len(gateway.wire.sent) == len(gateway.books.settled) == 1
        check(gateway)
