"""Places for calls to one provider: its overload fills its own line and nobody else's."""

import asyncio

from monkey_coder_server.domain.fair_queue import FairQueue

KEPT_FREE = 8
"""Of so many places one is left by an account that has all the others: who comes next need not wait for its calls."""


class _Turn:
    """Somebody in line: True comes with a place, False without."""

    __slots__ = ("account", "given")

    def __init__(self, account: str) -> None:
        self.account = account
        self.given: asyncio.Future[bool] = asyncio.get_running_loop().create_future()


class Bulkhead:
    """So many `places`, and a `line` of so many that wait for one: in turn by account, in an account as they came.

    When more come than the line holds, the account with the most in it loses its last one.
    """

    def __init__(self, places: int, line: int) -> None:
        self._free = places
        self._most_of_one = places - places // KEPT_FREE
        self._taken: dict[str, int] = {}
        self._sated: str | None = None
        """Who has as many as one account may have, more than half of them all."""
        self._longest = line
        self._line = FairQueue[_Turn]()

    def free_for(self, account: str) -> bool:
        """Whether there is a place for an account now."""
        return self._free > 0 and account != self._sated

    def take(self, account: str) -> bool:
        """Take a place if there is one now."""
        if not self.free_for(account):
            return False
        self._give(account)
        return True

    async def wait(self, account: str, seconds: float) -> bool:
        """Take a place, waiting for it in line; False when the line is too long or it took too long."""
        if self.take(account):
            return True
        if seconds <= 0.0:
            return False
        turn = _Turn(account)
        self._line.join(account, turn)
        if len(self._line) > self._longest and (last := self._line.last_of_longest()) is not None:
            last.given.set_result(False)
        try:
            await asyncio.wait((turn.given,), timeout=seconds)
        except BaseException:
            if turn.given.done() and turn.given.result():
                self.leave(account)
            raise
        finally:
            self._line.leave(account, turn)
        return turn.given.done() and turn.given.result()

    def leave(self, account: str) -> None:
        """Give a place of an account back: to whose turn it is, if anybody waits."""
        self._free += 1
        left = self._taken.pop(account, 0) - 1
        if left > 0:
            self._taken[account] = left
        if account == self._sated:
            self._sated = None
        while self._free and (turn := self._line.next(passing_over=self._sated)) is not None:
            self._give(turn.account)
            turn.given.set_result(True)

    def _give(self, account: str) -> None:
        self._free -= 1
        taken = self._taken[account] = self._taken.get(account, 0) + 1
        if taken >= self._most_of_one:
            self._sated = account
