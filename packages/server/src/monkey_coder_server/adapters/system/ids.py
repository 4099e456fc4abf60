"""ULIDs: 48 bits of milliseconds, then 80 random bits, in 26 lower-case Crockford base-32 characters.

Ids made in one millisecond by one process count upwards, so ids of a process always sort by time of making.
Source of the format: the ULID specification (github.com/ulid/spec).
"""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from monkey_coder_server.ports.clock import Ids

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
RANDOM_BITS = 80
RANDOM_BYTES = 9
"""Of the 80 bits 72 are drawn: the others leave room to count upwards within a millisecond."""
DRAWN_AT_ONCE = 128
"""Ids for which the machine is asked for randomness together: asking costs more than all the rest of an id."""
_PAIRS = tuple(high + low for high in ALPHABET for low in ALPHABET)


def encode(value: int) -> str:
    """A 128-bit number as 26 characters."""
    return "".join([_PAIRS[(value >> shift) & 1023] for shift in range(120, -1, -10)])


@dataclass(slots=True)
class UlidSource:
    """Makes ids with a prefix. Safe to use from several threads."""

    milliseconds: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    _last: int = 0
    _drawn: bytes = field(default=b"", repr=False)
    _used: int = 0
    _drawn_by: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def new(self, prefix: str) -> str:
        """`prefix_` and a ULID later than every one before, also when the clock steps back."""
        with self._lock:
            fresh = (self.milliseconds() << RANDOM_BITS) | self._random()
            self._last = value = fresh if fresh >> RANDOM_BITS > self._last >> RANDOM_BITS else self._last + 1
        return f"{prefix}_{encode(value)}"

    def _random(self) -> int:
        """Bits nobody was given before; a forked process draws its own."""
        process = os.getpid()
        if self._used >= len(self._drawn) or self._drawn_by != process:
            self._drawn, self._used, self._drawn_by = os.urandom(DRAWN_AT_ONCE * RANDOM_BYTES), 0, process
        self._used += RANDOM_BYTES
        return int.from_bytes(self._drawn[self._used - RANDOM_BYTES : self._used], "big")


def system_ids() -> Ids:
    """`ports.clock.Ids` from the machine's clock and randomness."""
    return Ids(UlidSource().new)
