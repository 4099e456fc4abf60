"""ULIDs: 48 bits of milliseconds, then 80 bits, 70 of them random, in 26 lower-case Crockford base-32 characters.

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
DRAWN_DIGITS = 14
"""Of the 16 random digits; the first two are zero, which leaves room to count upwards within a millisecond."""
DRAWN_AT_ONCE = 128
"""Ids for which the machine is asked for randomness together: asking costs more than all the rest of an id."""
_ROOM = "0" * (RANDOM_BITS // 5 - DRAWN_DIGITS)
_DIGIT_OF_BYTE = bytes([ord(ALPHABET[byte % len(ALPHABET)]) for byte in range(256)])
_PAIRS = tuple(high + low for high in ALPHABET for low in ALPHABET)
_VALUES = {pair: value for value, pair in enumerate(_PAIRS)}
_LAST = len(_PAIRS) - 1


def encode(value: int) -> str:
    """A 128-bit number as 26 characters."""
    return "".join([_PAIRS[(value >> shift) & 1023] for shift in range(120, -1, -10)])


@dataclass(slots=True)
class UlidSource:
    """Makes ids with a prefix. Safe to use from several threads."""

    milliseconds: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    _moment: int = -1
    """The newest millisecond that ids are of."""
    _times: int = -1
    _time: str = ""
    """The digits of so many spans of 1,024 milliseconds: the first eight of an id."""
    _head: str = ""
    """The newest id without its last two digits."""
    _tail: int = 0
    """Those, as a number."""
    _drawn: str = field(default="", repr=False)
    _used: int = 0
    _drawn_by: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def new(self, prefix: str) -> str:
        """`prefix_` and a ULID later than every one before, also when the clock steps back."""
        with self._lock:
            now = self.milliseconds()
            if now > self._moment:
                self._begin(now)
            elif self._tail < _LAST:
                self._tail += 1
            else:
                self._head, self._tail = _after(self._head), 0
            return f"{prefix}_{self._head}{_PAIRS[self._tail]}"

    def _begin(self, now: int) -> None:
        """The first id of a millisecond."""
        self._moment = now
        if now >> 10 != self._times:
            self._times = now >> 10
            self._time = encode(self._times)[-8:]
        drawn = self._random()
        self._head = f"{self._time}{_PAIRS[now & _LAST]}{_ROOM}{drawn[:-2]}"
        self._tail = _VALUES[drawn[-2:]]

    def _random(self) -> str:
        """Digits nobody was given before; a forked process draws its own."""
        process = os.getpid()
        if self._used >= len(self._drawn) or self._drawn_by != process:
            drawn = os.urandom(DRAWN_AT_ONCE * DRAWN_DIGITS).translate(_DIGIT_OF_BYTE)
            self._drawn, self._used, self._drawn_by = drawn.decode("ascii"), 0, process
        self._used += DRAWN_DIGITS
        return self._drawn[self._used - DRAWN_DIGITS : self._used]


def _after(head: str) -> str:
    """The next one of all ids without their last two digits."""
    value = 0
    for place in range(0, len(head), 2):
        value = value * len(_PAIRS) + _VALUES[head[place : place + 2]]
    return encode(value + 1)[-len(head) :]


def system_ids() -> Ids:
    """`ports.clock.Ids` from the machine's clock and randomness."""
    return Ids(UlidSource().new)
