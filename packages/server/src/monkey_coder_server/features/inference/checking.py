"""Checks single answers after they were given: of callers who ask for sequences, and of accounts that tell the truth.

Nobody waits for it but a report about that very answer. Where many answers wait to be checked, further ones are not.
"""

import asyncio

from monkey_coder_server.domain.verification.checks import verdict
from monkey_coder_server.features.inference.job import Served
from monkey_coder_server.features.inference.outcomes import ServedBy
from monkey_coder_server.features.inference.verdicts import Verdicts

WAITING = 8
"""Answers that are checked or wait for it; a verdict takes milliseconds of one core, rarely a second."""


class Checking:
    """Checks in a thread, one answer after the other."""

    def __init__(self, verdicts: Verdicts) -> None:
        self._verdicts = verdicts
        self._one = asyncio.Lock()
        self._running: dict[str, asyncio.Task[None]] = {}

    def begin(self, served: Served, by: ServedBy) -> None:
        """Check a single answer, unless too many wait."""
        if len(self._running) < WAITING:
            request_id = served.job.request_id
            task = self._running[request_id] = asyncio.create_task(self._check(served, by))
            task.add_done_callback(lambda _: self._running.pop(request_id))

    async def checked(self, request_id: str) -> None:
        """Wait until an answer that is being checked was."""
        task = self._running.get(request_id)
        if task is not None:
            await asyncio.wait([task])

    async def stop(self) -> None:
        """Check what waits."""
        if self._running:
            await asyncio.wait(self._running.values())

    async def _check(self, served: Served, by: ServedBy) -> None:
        job = served.job
        async with self._one:
            found = await asyncio.to_thread(
                verdict, job.request, served.answer, files=job.files, task_type=job.wishes.task_type
            )
        success = served.plan.success(served.route.name)
        self._verdicts.note(job.request_id, by, found, success, unselected=True)
