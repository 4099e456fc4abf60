"""What the parts of the leased ledger share: how long they wait, and the requests that are running."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar

from monkey_coder_server.adapters.leasing.purse import Purse
from monkey_coder_server.domain.errors import Unavailable
from monkey_coder_server.ports.books import Resolved
from monkey_coder_server.ports.journal import Written
from monkey_coder_server.ports.ledger import Charge, HoldRequest

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds. `call`: the most a caller waits for the books. `recalls` rounds of `recall` before a refusal stands."""

    call: float = 5.0
    ship: float = 30.0
    """The most a page of endings waits for the books: longer than books take that answer at all."""
    flush: float = 5.0
    tick: float = 0.25
    heartbeat: float = 60.0
    adopt: float = 30.0
    recall: float = 0.35
    recalls: int = 6
    linger: float = 0.1
    """How long endings gather before they are brought to the books, unless somebody waits for that, or may."""
    pause: float = 0.1
    longest_pause: float = 5.0
    close: float = 10.0


@dataclass(slots=True, eq=False)
class Running:
    """An admitted request: what covers it, the last record of it, and how it ended once that is decided."""

    request: HoldRequest
    purse: Purse
    lease_id: str | None
    written: Written | None = None
    resolved: Resolved | None = None
    charge: Charge | None = None


async def within(seconds: float, call: Awaitable[T]) -> T:
    """The books' answer. Raises `Unavailable` when it does not come in time: whether it was done is unknown then."""
    try:
        async with asyncio.timeout(seconds):
            return await call
    except TimeoutError as slow:
        raise Unavailable("The ledger did not answer in time; try again shortly.", retry_after=2.0) from slow
