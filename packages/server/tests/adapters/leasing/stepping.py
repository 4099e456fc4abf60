"""An event loop without a clock of its own: it runs one callback at a time, which one is a seed's choice."""

import asyncio
import heapq
import random
from collections.abc import Callable, Coroutine
from typing import Any, cast


class SteppingLoop(asyncio.SelectorEventLoop):
    """Time passes only when nothing is ready, and then to the next timer at once."""

    def __init__(self, seed: int) -> None:
        self._moment = 0.0
        super().__init__()
        self._random = random.Random(seed)
        self.steps = 0
        self.each_step: Callable[[], None] = lambda: None
        """Called after every callback: between any two awaits of any task."""

    def time(self) -> float:
        return self._moment

    def _run_once(self) -> None:
        loop = cast("Any", self)
        ready, scheduled = loop._ready, loop._scheduled
        while scheduled and scheduled[0]._cancelled:
            heapq.heappop(scheduled)._scheduled = False
        if not ready and not scheduled:
            raise RuntimeError("all tasks wait for something that will not happen")
        if not ready:
            self._moment = max(self._moment, scheduled[0]._when)
        while scheduled and scheduled[0]._when <= self._moment:
            timer = heapq.heappop(scheduled)
            timer._scheduled = False
            ready.append(timer)
        place = self._random.randrange(len(ready))
        handle = ready[place]
        del ready[place]
        if not handle._cancelled:
            handle._run()
            self.steps += 1
            self.each_step()


def run(seed: int, main: Callable[[SteppingLoop], Coroutine[Any, Any, None]]) -> None:
    """Run a coroutine to its end; what is left of tasks then is thrown away. Raises what it raises."""
    loop = SteppingLoop(seed)
    loop.set_exception_handler(lambda _loop, _context: None)
    try:
        loop.run_until_complete(main(loop))
        loop.each_step = lambda: None
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
    finally:
        loop.close()
