"""argon2id in a few threads with a short queue, so that log-ins can exhaust neither memory nor the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from monkey_coder_server.domain.errors import Unavailable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Argon2Cost:
    """OWASP's minimum for argon2id; `memory` in KiB."""

    memory: int = 19_456
    passes: int = 2
    lanes: int = 1


class Argon2Pool:
    """`threads` hash at once and `queue` more may wait; beyond that callers are told to come back."""

    def __init__(self, *, cost: Argon2Cost | None = None, threads: int = 2, queue: int = 32) -> None:
        cost = cost or Argon2Cost()
        self._hasher = PasswordHasher(time_cost=cost.passes, memory_cost=cost.memory, parallelism=cost.lanes)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        self._room = threads + queue
        self._busy = 0
        self._decoy: str | None = None

    async def hash(self, password: str) -> str:
        """A salted hash. Raises `Unavailable` when too many are waiting."""
        return await self._run(lambda: self._hasher.hash(password))

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Whether they match; None (no such user) and "" (no password) take the same time and never do.

        Raises `Unavailable`.
        """
        return await self._run(lambda: self._verify(password, password_hash))

    def outdated(self, password_hash: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(password_hash)

    def close(self) -> None:
        """Stop the threads once they are idle."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def warm(self) -> None:
        """Make the decoy hash now, so that the first unknown user costs what the others do."""
        if self._decoy is None:
            self._decoy = self._hasher.hash("a password nobody has")

    def _verify(self, password: str, password_hash: str | None) -> bool:
        self.warm()
        try:
            self._hasher.verify(password_hash or self._decoy or "", password)
        except (VerificationError, InvalidHashError):
            return False
        return bool(password_hash)

    async def _run(self, work: Callable[[], T]) -> T:
        if self._busy >= self._room:
            raise Unavailable("Too many log-ins are being checked right now; try again in a moment.", retry_after=2)
        self._busy += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._busy -= 1
