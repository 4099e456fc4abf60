"""What was refused before it was a request, told in the log: the first, then once a minute how many more there were."""

import asyncio
import logging

logger = logging.getLogger(__name__)

TOLD_EVERY_SECONDS = 60.0


class Complaints:
    """Of one listener. Whatever comes, and from whomever, it writes one line a minute, and one more at the start."""

    def __init__(self, *, seconds: float = TOLD_EVERY_SECONDS) -> None:
        self._seconds = seconds
        self._untold = 0
        self._newest = ""
        self._timer: asyncio.TimerHandle | None = None

    def note(self, address: str, status: int, sentence: str) -> None:
        """A caller was refused, in a sentence of ours: nothing the caller said is told."""
        told = f"from {address or 'an unknown address'} with {status}: {sentence}"
        if self._timer is not None:
            self._untold, self._newest = self._untold + 1, told
            return
        logger.warning("What is no valid request was refused, %s", told)
        self._wait()

    def close(self) -> None:
        """Tell what was not told yet."""
        if self._timer is not None:
            self._timer.cancel()
        self._tell()

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._tell)

    def _tell(self) -> None:
        self._timer, untold = None, self._untold
        if untold:
            self._untold = 0
            logger.warning("Refused %d more that are no valid requests, the last %s", untold, self._newest)
            self._wait()
