"""How long the books are waited for."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from monkey_coder_server.domain.errors import Unavailable
from monkey_coder_server.web.within import Within

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: for each call, the pauses before it is repeated, and `rest` between tries when nobody waits any more."""

    call: float = 20.0
    pauses: tuple[float, ...] = (0.1, 0.5, 2.0)
    rest: float = 5.0


async def insist(act: Callable[[], Awaitable[T]], patience: Patience) -> T:
    """Do what may be done twice until it succeeds or the pauses are used up. Raises `Unavailable`."""
    for pause in patience.pauses:
        try:
            return await _once(act, patience.call)
        except Unavailable:
            await asyncio.sleep(pause)
    return await _once(act, patience.call)


async def persist(act: Callable[[], Awaitable[T]], patience: Patience) -> T:
    """Do what may be done twice until it succeeds, however long that takes."""
    while True:
        try:
            return await _once(act, patience.call)
        except Unavailable:
            await asyncio.sleep(patience.rest)


async def _once(act: Callable[[], Awaitable[T]], seconds: float) -> T:
    try:
        with Within(seconds):
            return await act()
    except TimeoutError as slow:
        raise Unavailable("The ledger did not answer in time; try again shortly.", retry_after=5.0) from slow
