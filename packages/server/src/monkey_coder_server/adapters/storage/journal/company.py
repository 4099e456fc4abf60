"""Those who wait for one thing together, of whom each may give up alone."""

import asyncio


class Company:
    """A third of what `asyncio.shield` costs: who is cancelled stops nobody else."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: list[asyncio.Future[None]] = []

    def wait(self) -> asyncio.Future[None]:
        """Done at `go_on`; for one alone."""
        own: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(own)
        return own

    def go_on(self) -> None:
        """Let all of them go on."""
        for each in self._waiting:
            if not each.done():
                each.set_result(None)
        self._waiting.clear()
