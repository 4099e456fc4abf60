"""What the stores ask of a database: operations that change it, one after another, and reads beside them."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from monkey_coder_server.adapters.storage.transaction import Transaction
from monkey_coder_server.domain.errors import Unavailable

CAPACITY = 4_096
"""How many may wait to write, and how many to read: a thousand strangers at once are no reason to refuse one."""
RETRY_AFTER_SECONDS = 1
UNHEALTHY_SECONDS = 5

T = TypeVar("T")

Steps = Callable[[Transaction], Iterator[None]]
"""A heavy operation in parts: whatever comes between two of its yields is no more than the event loop can wait for."""


class UnusableDatabase(Exception):
    """The database cannot be opened; the message says why in words an operator can act on, without the password.

    `away`: it does not answer now, and nothing is known to be wrong with how it was asked.
    """

    def __init__(self, message: str, *, away: bool = False) -> None:
        super().__init__(message)
        self.away = away


@dataclass(slots=True, eq=False)
class Job(Generic[T]):
    """An operation on its way through a writer. Read `result` after awaiting `committed`."""

    body: Callable[[Transaction], T]
    committed: asyncio.Future[None]
    awaited: bool = True
    """Whether somebody waits for the commit."""
    steps: Steps | None = None
    """The body in parts, if it is heavy."""
    error: Exception | None = None
    _value: list[T] = field(default_factory=list)

    @property
    def decided(self) -> bool:
        """Whether it has run; what came of it may be undone until it is committed."""
        return bool(self._value) or self.error is not None

    def run(self, transaction: Transaction) -> None:
        """Run the body and keep what it returned."""
        self.returned(self.body(transaction))

    def returned(self, value: T) -> None:
        """Keep what the body returned."""
        self._value = [value]

    def result(self) -> T:
        """What the body returned; raises what it raised, or `Unavailable` when its transaction was lost."""
        if self.error is not None:
            raise self.error
        return self._value[0]


class Writing(Protocol):
    """Runs operations, each whole or not at all; none spoils another.

    An operation does nothing but read and write through its transaction: it may be run again from its beginning.
    """

    @property
    def alive(self) -> bool:
        """Whether operations are taken and served."""

    @property
    def failing(self) -> bool:
        """Whether the database is known to be away, or a transaction was lost in the last seconds."""

    def submit(self, body: Callable[[Transaction], T]) -> Job[T]:
        """Queue an operation. Raises `Unavailable`."""

    async def perform(self, body: Callable[[Transaction], T]) -> T:
        """Run an operation; its result once it is durable. Cancelling the caller does not stop the operation."""

    async def perform_each(self, several: Sequence[Steps]) -> Sequence[Job[None]]:
        """Run heavy operations one after another, if nobody else waits with one commit for all of them.

        Each has ended when this returns, well or not: see its `result`.
        """

    async def close(self) -> None:
        """Serve what waits, then close the connection. Harmless when closed."""


class Reading(Protocol):
    """Runs functions that read, each on one moment of the database."""

    async def read(self, body: Callable[[Transaction], T]) -> T:
        """Run a reading function. Raises `Unavailable` when too many wait or the database cannot be read."""

    async def read_of(self, account_id: str, body: Callable[[Transaction], T]) -> T:
        """As `read`, for what is read for one account: where the database can, it shows no other's rows."""

    async def report(self, body: Callable[[Transaction], T]) -> T:
        """As `read`, for one that looks at everything and may take minutes."""

    def close(self) -> None:
        """Wait for running reads and close the connections."""


def whole(steps: Steps) -> Callable[[Transaction], None]:
    """A heavy operation without a stop."""

    def run(transaction: Transaction) -> None:
        for _ in steps(transaction):
            pass

    return run


def unavailable(reason: str) -> Unavailable:
    """The error of a store that cannot be written now."""
    message = f"The ledger cannot be written right now ({reason}). Nothing was charged; please try again."
    return Unavailable(message, retry_after=RETRY_AFTER_SECONDS)


def resolve(future: asyncio.Future[None]) -> None:
    """Let those go on who wait for it, in its loop."""
    if not future.done():
        future.set_result(None)
