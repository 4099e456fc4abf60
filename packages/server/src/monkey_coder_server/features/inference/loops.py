"""A loop breaker: an agent that sends one very request over and over is told so instead of paying for each.

A client that takes an answer for incomplete asks again for ever (measured: 124 calls in 75 seconds). Counted in this
process, request by request; nothing of a request is kept but a hash of its body.
"""

from collections import OrderedDict
from dataclasses import dataclass

from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.ports.clock import Clock

REMEMBERED = 4_096
"""Different requests that are counted at a time; the one that was seen last the longest ago is forgotten."""


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """A request may come `most` times within `seconds`; 0 turns the breaker off."""

    most: int = 20
    seconds: float = 60.0


@dataclass(slots=True)
class _Count:
    since: float
    times: int = 0


class Loops:
    """Counts equal requests of a key to an endpoint."""

    def __init__(self, settings: LoopSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._counts: OrderedDict[tuple[str, str, int], _Count] = OrderedDict()

    def __len__(self) -> int:
        return len(self._counts)

    def count(self, key_id: str, endpoint: str, body: bytes) -> None:
        """Count a request. Raises `InvalidRequest` for one that came too often."""
        most, seconds = self._settings.most, self._settings.seconds
        if not most:
            return
        now = self._clock.monotonic()
        place = (key_id, endpoint, hash(body))
        counted = self._counts.get(place)
        if counted is None or now - counted.since >= seconds:
            counted = self._counts[place] = _Count(now)
        self._counts.move_to_end(place)
        if len(self._counts) > REMEMBERED:
            self._counts.popitem(last=False)
        counted.times += 1
        if counted.times > most:
            wait = max(1.0, counted.since + seconds - now)
            message = (
                f"This very request came {counted.times} times within {seconds:g} seconds: the client seems to go in "
                f"circles, so it is not sent on and not charged. Change the request, or wait {wait:.0f} seconds."
            )
            raise InvalidRequest(message)
