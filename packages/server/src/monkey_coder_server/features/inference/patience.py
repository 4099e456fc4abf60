"""How long the books are waited for."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import repeat
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


async def insist(act: Callable[[], Awaitable[T]], patience: Patience, *, for_ever: bool = False) -> T:
    """Do what may be done twice until it succeeds, or the pauses are used up where it is not `for_ever`.

    Raises `Unavailable`.
    """
    pauses = repeat(patience.rest) if for_ever else iter(patience.pauses)
    while True:
        try:
            with Within(patience.call):
                return await act()
        except (Unavailable, TimeoutError) as missed:
            pause = next(pauses, None)
            if pause is None:
                if isinstance(missed, Unavailable):
                    raise
                message = "The ledger did not answer in time; try again shortly."
                raise Unavailable(message, retry_after=5.0) from missed
        await asyncio.sleep(pause)
