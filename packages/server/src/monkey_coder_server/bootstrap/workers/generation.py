"""Workers of one configuration: so many are kept alive, until they are told to end or replaced."""

import asyncio
import logging
from contextlib import suppress

from monkey_coder_server.bootstrap.workers.channel import HURRY, LEAVE, STOP
from monkey_coder_server.bootstrap.workers.process import NotReady, Post, Worker, ending_of
from monkey_coder_server.bootstrap.workers.staff import Staff
from monkey_coder_server.settings import SettingsError

logger = logging.getLogger(__name__)
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
"""Seconds before a dead worker's place is filled: doubled for each that dies early."""
EARLY_SECONDS = 60.0
"""A worker that lived longer did not die of its start."""
MOST_FAILED_STARTS = 5
"""After so many in a row, with nobody serving, it is the configuration, the code or the database: give up."""


class CrashLoop(Exception):
    """No worker can be started any more."""


class Generation:
    """So many workers at one post. `failed` is done when none can be started."""

    def __init__(self, staff: Staff, post: Post, size: int) -> None:
        self._staff = staff
        self._post = post
        self._workers: dict[int, Worker] = {}
        self._ending = asyncio.Event()
        self._words: list[str] = []
        self._failed_starts = 0
        self._numbers = [staff.reserve() for _ in range(size)]
        self._keepers: list[asyncio.Task[None]] = []
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def begin(self, *, together: bool) -> str:
        """Start all workers, at once or one after another; what they say of the providers.

        Raises `SettingsError`, `NotReady` and `OSError`; what was started then must be stopped.
        """
        if together:
            starts = [asyncio.create_task(self._hire(number)) for number in self._numbers]
            try:
                await asyncio.gather(*starts)
            except BaseException:
                for start in starts:
                    start.cancel()
                await asyncio.wait(starts)
                raise
        else:
            for number in self._numbers:
                await self._hire(number)
        self._keepers = [asyncio.create_task(self._keep(worker)) for worker in list(self._workers.values())]
        return next(iter(self._workers.values())).providers

    def leave(self) -> None:
        """Others have taken over: each worker ends what it has begun."""
        self._tell(LEAVE)

    def stop(self) -> None:
        """Each worker ends what it has begun, and refuses the rest."""
        self._tell(STOP)

    def hurry(self) -> None:
        """Each worker ends now."""
        self._tell(HURRY)

    def kill(self) -> None:
        """End what would not end by itself."""
        self._ending.set()
        for worker in self._workers.values():
            worker.kill()

    async def ended(self) -> None:
        """Wait until no worker is left."""
        if self._keepers:
            await asyncio.wait(self._keepers)
        for worker in list(self._workers.values()):  # of a generation that did not come to life
            await self._part(worker)
        for number in self._numbers:
            self._staff.give_back(number)

    def _tell(self, word: str) -> None:
        self._ending.set()
        self._words.append(word)
        for worker in self._workers.values():
            worker.tell(word)

    async def _hire(self, number: int) -> Worker:
        """A worker that serves. Raises as `begin`."""
        worker = self._workers[number] = await self._staff.hire(number, self._post, self._share(number))
        for word in self._words:  # told while it was being started
            worker.tell(word)
        await worker.ready()
        return worker

    def _share(self, number: int) -> tuple[int, int]:
        """Which of this generation's workers has a number, counted from 0, and how many there are."""
        return self._numbers.index(number), len(self._numbers)

    async def _part(self, worker: Worker) -> int:
        code = await self._staff.part(worker)
        self._workers.pop(worker.number, None)
        return code

    async def _keep(self, worker: Worker) -> None:
        """Fill one place again whenever its worker dies."""
        loop, pause, place = asyncio.get_running_loop(), FIRST_PAUSE, worker.number
        serving: Worker | None = worker
        while serving is not None:
            began = loop.time()
            code = await self._part(serving)
            if self._ending.is_set():
                return
            self._staff.deaths += 1
            pause = FIRST_PAUSE if loop.time() - began > EARLY_SECONDS else min(2 * pause, LONGEST_PAUSE)
            logger.error("worker %d (pid %d) died, %s; its place is filled again", place, serving.pid, ending_of(code))
            serving = await self._fill(place, pause)

    async def _fill(self, number: int, pause: float) -> Worker | None:
        """Another worker in place of a dead one; None when told to end meanwhile."""
        while not self._ending.is_set():
            await self._rest(pause)
            if self._ending.is_set():
                break
            try:
                worker = await self._hire(number)
            except (SettingsError, NotReady, OSError) as refused:
                self._failed_starts += 1
                logger.error("worker %d cannot be started: %s", number, refused)  # noqa: TRY400 - a sentence, no traceback
                if number in self._workers:
                    self._workers[number].kill()
                    await self._part(self._workers[number])
                self._give_up(refused)
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                self._failed_starts = 0
                return worker
        return None

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ending.wait()

    def _give_up(self, refused: Exception) -> None:
        serving = any(worker.serving for worker in self._workers.values())
        if self._failed_starts >= MOST_FAILED_STARTS and not serving and not self.failed.done():
            message = f"no worker is left and {self._failed_starts} starts failed in a row, the last: {refused}"
            self.failed.set_exception(CrashLoop(message))
