"""Places for calls to one provider: its overload fills its own line and nobody else's."""

import asyncio


class Bulkhead:
    """So many `places`, and a `line` of so many that wait for one, first come first served."""

    def __init__(self, places: int, line: int) -> None:
        self._free = places
        self._longest = line
        self._line: dict[asyncio.Future[None], None] = {}

    @property
    def free(self) -> bool:
        """Whether there is a place now."""
        return self._free > 0

    def take(self) -> bool:
        """Take a place if there is one now."""
        if self._free <= 0:
            return False
        self._free -= 1
        return True

    async def wait(self, seconds: float) -> bool:
        """Take a place, waiting for it in line; False when the line is full or it took too long."""
        if self.take():
            return True
        if len(self._line) >= self._longest or seconds <= 0.0:
            return False
        turn = asyncio.get_running_loop().create_future()
        self._line[turn] = None
        try:
            await asyncio.wait((turn,), timeout=seconds)
        except BaseException:
            if turn.done():
                self.leave()
            raise
        finally:
            self._line.pop(turn, None)
        return turn.done()

    def leave(self) -> None:
        """Give a place back: to the first in line, if anybody waits."""
        for turn in self._line:
            del self._line[turn]
            turn.set_result(None)
            return
        self._free += 1
