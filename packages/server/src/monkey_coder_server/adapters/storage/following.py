"""Snapshots in memory of what any process may change: looked at anew when that is told, and every few seconds anyway.

A change is told by the transaction that makes it (`change_followed`). How word comes is the database's: see
`postgres.listening` and `watching`. A word may be lost, so nothing depends on one but how soon a change is seen.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Protocol

from monkey_coder_server.adapters.storage.transaction import Transaction
from monkey_coder_server.domain.errors import GatewayError

logger = logging.getLogger(__name__)

REFRESH_SECONDS = 3
"""Between two looks when nothing is told: with the look itself, a change is seen within ten seconds."""

GATHER = timedelta(milliseconds=10)
"""How long words gather before they are followed by one look: a thousand keys may be made at once."""

KEYS = "api key revisions"
MODEL_RULES = "model rule revisions"
RATES = "rate rule revisions"
ACCOUNT_PLANS = "account plan revisions"
MARKUPS = "markup revisions"
PRICE_BOOKS = "price activations"
"""What is followed. The names are those of locks, which the release before takes as well."""


def change_followed(transaction: Transaction, what: str) -> None:
    """Be alone with what is followed, and let all processes know of the change when it is committed.

    One change at a time: who has seen a revision has seen all below it.
    """
    transaction.alone(what, told=True)


MOST_APART = timedelta(minutes=1)
"""Leases and holds have a quarter of an hour by the clock of whoever made them, and are ended by another's."""


class News:
    """Whom to wake when something has changed. Used from one event loop."""

    def __init__(self) -> None:
        self._wakes: dict[str, Callable[[], None]] = {}

    def follow(self, what: str, wake: Callable[[], None]) -> None:
        """Call `wake` whenever `what` may have changed."""
        self._wakes[what] = wake

    def tell(self, what: str) -> None:
        """Something has changed. What nobody follows is of no concern: another release may tell it."""
        wake = self._wakes.get(what)
        if wake is not None:
            wake()

    def tell_all(self) -> None:
        """Anything may have changed: words may have been lost."""
        for wake in self._wakes.values():
            wake()


class Watching(Protocol):
    """Hears of changes by other processes, and passes them on as `News`.

    `apart`: by how much the database's clock was ahead of ours, as last looked at; nothing where both are one.
    """

    apart: timedelta

    def start(self) -> None:
        """Begin, in the background."""

    async def close(self) -> None:
        """Stop. Harmless when it never began."""


class Following:
    """Calls `refresh` at once, then whenever it is woken and every few seconds. `name` is its subject in the log."""

    def __init__(self, refresh: Callable[[], Awaitable[None]], name: str, *, seconds: int | None = None) -> None:
        self._refresh = refresh
        self._name = name
        self._seconds = REFRESH_SECONDS if seconds is None else seconds
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take in what there is and begin to follow."""
        await self._refresh()
        self.begin()

    def begin(self) -> None:
        """Follow what is taken in already."""
        self._task = asyncio.create_task(self._follow(), name=f"refresh of {self._name}")

    def wake(self) -> None:
        """Refresh now, once however often this is called meanwhile."""
        self._woken.set()

    @property
    def begun(self) -> bool:
        """Whether it was started."""
        return self._task is not None

    async def close(self) -> None:
        """Stop following. Harmless when it never began."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _follow(self) -> None:
        """Refresh for ever; whatever goes wrong leaves the snapshot as it is, which is told once."""
        told = False
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._seconds):
                    await self._woken.wait()
            await asyncio.sleep(GATHER.total_seconds() if self._woken.is_set() else 0)
            self._woken.clear()
            try:
                await self._refresh()
                told = False
            except GatewayError as error:
                if not told:
                    logger.warning("%s were not refreshed: %s", self._name, error)
                told = True
            except Exception:
                if not told:
                    logger.exception("%s were not refreshed", self._name)
                told = True
