"""The inbox is worked off object by object; what fails comes again later and is told."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from monkey_coder_server.adapters.metrics import Metrics
from monkey_coder_server.adapters.signing.ed25519 import signer_of
from monkey_coder_server.adapters.storage.open import Storage, open_storage
from monkey_coder_server.domain.errors import NotFound, Unavailable
from monkey_coder_server.features.billing.payments import InboxWorker
from monkey_coder_server.ports.payments import EventSeen
from packages.server.tests.features.billing.payments.processor import NOON


class Clock:
    """A clock that is set."""

    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return 0.0


class Desk:
    """A worker over a real inbox, with one handler that does as it is told."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self.inbox, self.clock = storage.payment_inbox, clock
        self.handled: list[str] = []
        self.called = asyncio.Event()
        self.fails: list[Exception] = []
        self.metrics = Metrics("test")
        self.worker = InboxWorker(self.inbox, {"payment": self.handle}, clock=clock, telemetry=self.metrics)

    async def handle(self, object_id: str) -> str:
        self.handled.append(object_id)
        self.called.set()
        if self.fails:
            raise self.fails.pop(0)
        return "booked"

    async def came(self, event_id: str, object_id: str = "pi_1") -> None:
        event = EventSeen(event_id, "payment_intent.succeeded", NOON, False, "payment", object_id)
        await self.inbox.take(event, self.clock.now())

    def later(self, **time: float) -> None:
        self.clock.time += timedelta(**time)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    clock: Any = Clock()
    storage = await open_storage(tmp_path / "books.db", signer=signer_of(Ed25519PrivateKey.generate()), clock=clock)
    yield Desk(storage, clock)
    await storage.close()


async def test_events_of_one_object_are_one_look_at_it(desk: Desk) -> None:
    for number in range(5):
        await desk.came(f"evt_{number}")
    await desk.came("evt_other", "pi_2")
    assert await desk.worker.work() == 6
    assert sorted(desk.handled) == ["pi_1", "pi_2"]
    assert await desk.worker.work() == 0
    assert (await desk.inbox.state()).waiting == 0


@pytest.mark.parametrize(
    ("error", "note"), [(Unavailable("Away."), "away"), (RuntimeError("pi_1 is odd"), "RuntimeError")]
)
async def test_what_fails_is_tried_again_later_and_later(desk: Desk, error: Exception, note: str) -> None:
    desk.fails = [error, error, error]
    await desk.came("evt_1")
    for seconds in (5, 10, 20):
        assert await desk.worker.work() == 1
        [waiting] = await desk.inbox.waiting(9)
        assert waiting.note == note
        desk.later(seconds=seconds - 1)
        assert await desk.worker.work() == 0
        desk.later(seconds=1)
    assert await desk.worker.work() == 1
    assert (await desk.inbox.state()).waiting == 0


async def test_an_event_of_a_stranger_is_kept_alerted_and_tried_for_ever(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.fails = [NotFound("Nobody's.") for _ in range(30)]
    await desk.came("evt_1", "pi_9")
    with caplog.at_level(logging.ERROR):
        for _ in range(30):
            await desk.worker.work()
            desk.later(hours=6)
    assert len(caplog.records) == 30
    assert "payment_intent.succeeded" in caplog.text
    assert not [each for each in ("evt_1", "pi_9") if each in caplog.text]
    state = await desk.inbox.state()
    assert (state.waiting, state.failing) == (1, 1)
    assert await desk.worker.work() == 1
    assert (await desk.inbox.state()).waiting == 0


async def test_one_that_cannot_be_handled_stops_no_other(desk: Desk) -> None:
    desk.fails = [RuntimeError("odd")]
    for number in range(3):
        await desk.came(f"evt_{number}", f"pi_{number}")
    await desk.worker.work()
    assert len(desk.handled) == 3
    assert (await desk.inbox.state()).waiting == 1


async def test_a_worker_is_woken_at_once(desk: Desk) -> None:
    running = asyncio.create_task(desk.worker.run())
    await asyncio.sleep(0.05)
    await desk.came("evt_1")
    desk.worker.wake()
    async with asyncio.timeout(5):
        await desk.called.wait()
    running.cancel()
    assert desk.handled == ["pi_1"]
