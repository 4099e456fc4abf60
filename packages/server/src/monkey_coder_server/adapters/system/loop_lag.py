"""How late the event loop is: what everybody in the process waits for beside their own work."""

import asyncio

EVERY_SECONDS = 0.25


class LoopLag:
    """Wakes four times a second and looks how much later than that it is."""

    def __init__(self) -> None:
        self._worst = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to look, in the running loop."""
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(EVERY_SECONDS, self._look, loop, loop.time() + EVERY_SECONDS)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def worst(self) -> float:
        """The most it was late since this was last asked for, in seconds."""
        worst, self._worst = self._worst, 0.0
        return worst

    def _look(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        self._worst = max(self._worst, loop.time() - due)
        self.start()
