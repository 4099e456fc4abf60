"""Keeping so many workers alive: who dies is replaced, and when nobody can be started any more it is said."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from monkey_coder_server.bootstrap.workers import generation as keeping
from monkey_coder_server.bootstrap.workers.channel import LEAVE, STOP
from monkey_coder_server.bootstrap.workers.generation import MOST_FAILED_STARTS, CrashLoop, Generation
from monkey_coder_server.bootstrap.workers.process import NotReady, Post
from monkey_coder_server.bootstrap.workers.staff import Staff
from monkey_coder_server.settings import SettingsError

NOWHERE: Any = None


class Played:
    """A worker without a process: it ends when told to, or when the test says so."""

    def __init__(self, number: int, *, refused: Exception | None = None) -> None:
        self.number, self.pid, self.text, self.providers = number, 1000 + number, "", "none"
        self.serving = False
        self.heard: list[str] = []
        self._refused = refused
        self._ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def ready(self) -> None:
        if self._refused:
            raise self._refused
        self.serving = True

    async def ended(self) -> int:
        return await self._ended

    def tell(self, word: str) -> None:
        self.heard.append(word)
        self.end(0)

    def kill(self) -> None:
        self.end(-9)

    def end(self, code: int) -> None:
        self.serving = False
        if not self._ended.done():
            self._ended.set_result(code)


class Stage:
    """Every worker that was started, in order; `refusing` makes those that come refuse to serve."""

    def __init__(self) -> None:
        self.started: list[Played] = []
        self.shares: list[tuple[int, int]] = []
        self.refusing: Exception | None = None

    async def start(self, number: int, _post: Post, share: tuple[int, int]) -> Any:
        self.shares.append(share)
        self.started.append(Played(number, refused=self.refusing))
        return self.started[-1]

    @property
    def serving(self) -> list[int]:
        return sorted(worker.number for worker in self.started if worker.serving)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    played = Stage()
    monkeypatch.setattr("monkey_coder_server.bootstrap.workers.staff.Worker.start", played.start)
    monkeypatch.setattr(keeping, "FIRST_PAUSE", 0.0)
    monkeypatch.setattr(keeping, "LONGEST_PAUSE", 0.0)
    return played


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110 - what is waited for is no event
            await asyncio.sleep(0)


async def test_who_dies_is_replaced_under_the_same_number_and_is_counted(stage: Stage) -> None:
    staff = Staff()
    generation = Generation(staff, NOWHERE, 3)
    assert await generation.begin(together=True) == "none"
    stage.started[1].end(-9)
    await until(lambda: len(stage.started) == 4)
    await until(lambda: stage.serving == [1, 2, 3])
    assert staff.deaths == 1
    generation.stop()
    await generation.ended()
    assert [worker.heard for worker in stage.started] == [[STOP], [], [STOP], [STOP]]
    assert staff.deaths == 1
    assert stage.shares == [(0, 3), (1, 3), (2, 3), (1, 3)]


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("refused", [SettingsError("PORT is wrong."), NotReady("worker 1 ended")])
async def test_what_a_first_worker_is_refused_for_is_raised(stage: Stage, refused: Exception, together: bool) -> None:
    stage.refusing = refused
    generation = Generation(Staff(), NOWHERE, 2)
    with pytest.raises(type(refused), match=str(refused)):
        await generation.begin(together=together)
    generation.kill()
    await generation.ended()
    assert stage.serving == []


async def test_nobody_left_and_no_start_that_succeeds_is_the_end(stage: Stage) -> None:
    generation = Generation(Staff(), NOWHERE, 1)
    await generation.begin(together=True)
    stage.refusing = NotReady("no database")
    stage.started[0].end(1)
    await until(generation.failed.done)
    with pytest.raises(CrashLoop, match="no database"):
        generation.failed.result()
    assert len(stage.started) == 1 + MOST_FAILED_STARTS
    generation.stop()
    await generation.ended()


async def test_as_long_as_one_serves_the_others_are_tried_again_until_they_can_be_started(stage: Stage) -> None:
    generation = Generation(Staff(), NOWHERE, 2)
    await generation.begin(together=True)
    stage.refusing = NotReady("no database")
    stage.started[0].end(1)
    await until(lambda: len(stage.started) > 3 * MOST_FAILED_STARTS)
    assert not generation.failed.done()
    stage.refusing = None
    await until(lambda: stage.serving == [1, 2])
    generation.leave()
    await generation.ended()
    assert stage.started[-1].heard == [LEAVE]


async def test_numbers_are_given_to_who_comes_next_only_when_nobody_has_them(stage: Stage) -> None:
    staff = Staff()
    first, second = Generation(staff, NOWHERE, 2), Generation(staff, NOWHERE, 2)
    for each in (first, second):
        await each.begin(together=False)
    first.leave()
    await first.ended()
    third = Generation(staff, NOWHERE, 2)
    await third.begin(together=False)
    assert [worker.number for worker in stage.started] == [1, 2, 3, 4, 1, 2]
    for each in (second, third):
        each.stop()
        await each.ended()
