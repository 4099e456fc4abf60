"""What a process does beside serving: answers recalls, gives back, says that it lives, recovers."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from monkey_coder_server.adapters.leasing.direct import DirectHolds
from monkey_coder_server.adapters.leasing.lending import Lending
from monkey_coder_server.adapters.leasing.parts import Timing
from monkey_coder_server.adapters.leasing.purse import Purses
from monkey_coder_server.adapters.leasing.recovery import Recovery
from monkey_coder_server.domain.errors import Unavailable
from monkey_coder_server.ports.books import Resolved
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.journal import Journal
from monkey_coder_server.ports.ledger import FailedRequest, HoldRequest

logger = logging.getLogger(__name__)


class Keeper:
    """One task that ticks; what fails is tried again at a later tick."""

    def __init__(  # noqa: PLR0913 - what it looks after, named
        self,
        journal: Journal,
        purses: Purses,
        *,
        lending: Lending,
        direct: DirectHolds,
        recovery: Recovery,
        clock: Clock,
        timing: Timing,
    ) -> None:
        self._journal = journal
        self._purses = purses
        self._lending = lending
        self._direct = direct
        self._recovery = recovery
        self._clock = clock
        self._timing = timing
        self._task: asyncio.Task[None] | None = None
        self._beaten = self._adopted = 0.0

    @property
    def recovered(self) -> int:
        """How many requests of dead processes were ended here."""
        return self._recovery.requests

    async def start(self) -> None:
        """Recover, as far as the books can be reached, and begin to tick."""
        self._beaten = self._adopted = self._clock.monotonic()
        await self._attempt(self._recovery.run)
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Tick no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        await self._recovery.close()

    async def return_all(self) -> None:
        """Give back what is free of all leases. Requests that still run keep what they hold."""
        for purse in self._purses.all():
            self._lending.retire_all(purse.account_id)
        await self._attempt(self._give_back)

    async def end_leases(self) -> None:
        """Give back whatever the books still keep for this process: nothing runs and all has been booked."""
        await self._attempt(self._lending.end)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._timing.tick)
            await self._attempt(self._tick)

    async def _tick(self) -> None:
        now = self._clock.monotonic()
        if self._direct.unsure or any(purse.slices for purse in self._purses.all()):
            await self._lending.answer_recalls()  # while the books are away, what is idle is kept, too
            if now - self._beaten >= self._timing.heartbeat:
                await self._lending.extend()
                self._beaten = now
        self._lending.retire_the_old(self._clock.now())
        await self._give_back()
        self._end_unsure()
        await self._lending.find_out()
        if now - self._adopted >= self._timing.adopt:
            self._adopted = now
            await self._recovery.run()

    async def _give_back(self) -> None:
        for purse in self._purses.all():
            await self._lending.give_back(purse)

    def _end_unsure(self) -> None:
        """End requests that were refused while it was unknown whether the books held for them."""
        for request in self._direct.take_unsure():
            self._journal.resolve(Resolved(request, None, _refused(request)))

    async def _attempt(self, act: Callable[[], Awaitable[None]]) -> None:
        try:
            await act()
        except Unavailable as away:
            logger.debug("the books are away: %s", away.message)
        except Exception:
            logger.exception("looking after leases failed; it is tried again")


def _refused(request: HoldRequest) -> FailedRequest:
    message = "The books did not say in time whether the request could be held; it was refused."
    return FailedRequest(request.request_id, request.account_id, request.key_id, request.at, "unavailable", message)
