"""A process's part in a limit that several share: how much of it the process may use by itself, and what it has used.

Every process holds a part of each limit it serves, and the parts together never exceed the limit. A process admits
within its part from memory, and a minute's use counts against the part until the minute is over. So whoever moves
parts about, and whatever becomes of it, no 60 seconds hold more than the limit: at each moment what all processes have
used in the last minute is at most their parts' sum. A part only shrinks by what is not used, and only its own process
shrinks it.
"""

from collections import deque
from enum import IntEnum
from math import inf

from monkey_coder_server.domain.rates import Measure

WINDOW = 60.0
"""Seconds over which requests and tokens count."""
CELL = 0.25
"""Seconds of use that are forgotten together, at the end of the last of them: use counts up to so much longer."""
CELLS = round(WINDOW / CELL)
LAPSE = 10.0
"""Seconds of silence after which a process is taken for gone, by itself and by the others."""
LONGEST_REQUEST = 3600.0
"""Seconds after which no request runs any more."""
YIELD_SECONDS = 1.0
STEADY_SECONDS = 5.0
"""Places that were in use at once within so many seconds are still needed, however few are in use at this moment."""
MARGIN = 5.0
"""Seconds by which processes may differ in when they last heard of the bank."""
STRANGERS = 16
"""The part of a limit, one by this, of a process that has never been told how many there are."""


class Contact(IntEnum):
    """How a process stands with the bank, by how long it has been silent to it."""

    HELD = 0
    """Everybody has the part they had."""
    SHRUNK = 1
    """What falls free beyond an equal share is not used again."""
    EQUAL = 2
    """Of what counts a minute everybody has an equal share: who used more has not for longer than that."""
    SETTLED = 3
    """Of places for requests, too: every request that ran at first is over."""


def contact(silence: float) -> Contact:
    """What a process may take for granted after so many seconds without the bank."""
    if silence <= LAPSE:
        return Contact.HELD
    if silence <= LAPSE + WINDOW + MARGIN:
        return Contact.SHRUNK
    return Contact.EQUAL if silence <= LAPSE + LONGEST_REQUEST + MARGIN else Contact.SETTLED


def shares_equally(standing: Contact, measure: Measure) -> bool:
    """Whether an equal share may be used by whoever had none."""
    return standing >= (Contact.SETTLED if measure is Measure.CONCURRENCY else Contact.EQUAL)


def fixed_share(allowed: int, place: int, places: int) -> int:
    """The part of one of several that can share nothing: these parts come to exactly the limit."""
    return allowed * (place + 1) // places - allowed * place // places


def first_share(allowed: int, peers: int) -> int:
    """The part of a process in a limit nobody has told it of, kept back for each one by whoever gives out parts.

    Without peers it was never told how many there are.
    """
    return allowed // (2 * peers) if peers else max(1, allowed // STRANGERS)


class Cell:
    """What was used in one span of `CELL` seconds."""

    __slots__ = ("amount", "number")

    def __init__(self, number: int) -> None:
        self.number = number
        self.amount = 0


class Part:
    """The part of one process in one limit. Times are its own monotonic seconds.

    `spare` is what nobody held when the process last asked.
    """

    __slots__ = (
        "_cells",
        "_contested_until",
        "_equal",
        "_most",
        "_most_at",
        "_yields_until",
        "allowed",
        "asked_at",
        "held",
        "measure",
        "refused_until",
        "spare",
        "subject",
        "used",
        "want",
    )

    def __init__(self, subject: str, measure: Measure, allowed: int, held: int) -> None:
        self.subject = subject
        self.measure = measure
        self.allowed = allowed
        self.held = held
        self.used = 0
        self.want = 0
        self.spare = 0
        self.asked_at = 0.0
        self.refused_until = 0.0
        self._cells: deque[Cell] = deque()
        self._equal = 0
        self._most = 0
        self._most_at = 0.0
        self._yields_until = 0.0
        self._contested_until = 0.0

    def free(self, now: float) -> int:
        """What may be taken now without asking anybody."""
        cells = self._cells
        if cells:
            oldest = int(now / CELL) - CELLS
            while cells and cells[0].number < oldest:
                self.used -= cells.popleft().amount
        if now < self._yields_until:
            self.held = max(self.used, min(self.held, self._equal))
        return min(self.held, self.allowed) - self.used

    def take(self, amount: int, now: float) -> Cell | None:
        """Use so much, which must be free. What it returns is needed to give some of it back."""
        self.used += amount
        self.asked_at = now
        if self.measure is Measure.CONCURRENCY:
            if self.used >= self._most or now - self._most_at > STEADY_SECONDS:
                self._most, self._most_at = self.used, now
            return None
        number, cells = int(now / CELL), self._cells
        if not cells or cells[-1].number < number:
            cells.append(Cell(number))
        cells[-1].amount += amount
        return cells[-1]

    def give_back(self, amount: int, cell: Cell | None) -> None:
        """Take back what was used too much, or a request that is over; what is forgotten already stays so."""
        if cell is None:
            self.used -= amount
        elif self._cells and self._cells[0].number <= cell.number:
            cell.amount -= amount
            self.used -= amount

    def recent(self, now: float) -> int:
        """What was used in the last second or so; of places for requests, the most at once of the last few."""
        if self.measure is Measure.CONCURRENCY:
            return max(self.used, self._most) if now - self._most_at <= STEADY_SECONDS else self.used
        since = int((now - 1.0) / CELL)
        total = 0
        for cell in reversed(self._cells):
            if cell.number < since:
                break
            total += cell.amount
        return total

    def wish(self, amount: int, now: float) -> None:
        """Want so much more than is used, and what another second like the last one would take."""
        ahead = min(self.recent(now), self.allowed // 8)
        self.want = max(self.want, min(self.used + amount + ahead, self.allowed))

    def yield_up(self, now: float, peers: int) -> None:
        """Somebody else is short: keep what is used, and of an equal share what the next second needs.

        For a second what falls free beyond an equal share is not used again, so that whoever has less comes to theirs.
        """
        self._equal, self._yields_until = self.allowed // max(1, peers), now + YIELD_SECONDS
        self._contested_until = now + WINDOW
        self.free(now)
        fair = max(0, self._equal - self.used)
        self.held = min(self.held, self.used + min(self.recent(now), fair))

    def contested(self, now: float) -> bool:
        """Whether others were short of it in the last minute."""
        return now < self._contested_until

    def revise(self, allowed: int) -> None:
        """Another figure holds from now on. Of a lower one everybody keeps as large a part as before."""
        if allowed < self.allowed:
            self.held = min(self.held, max(self.used, self.held * allowed // self.allowed))
        self.allowed = allowed

    def turn(self, standing: Contact, peers: int, now: float) -> None:
        """Do as all others do after so long a time without the bank, or with it again."""
        self._equal = self.allowed // peers
        self._yields_until = now if standing is Contact.HELD else inf
        if shares_equally(standing, self.measure):
            self.held = max(self.held, self._equal)

    def reset(self, now: float) -> float:
        """Seconds until nothing of it is used any more; of places for requests unknown, so 0."""
        return (self._cells[-1].number + 1) * CELL + WINDOW - now if self._cells and self.used else 0.0

    def idle(self, now: float, seconds: float) -> bool:
        """Whether nothing is used and nobody has asked for so long."""
        return self.free(now) == min(self.held, self.allowed) and not self.want and now - self.asked_at > seconds

    def wait(self, amount: int, now: float) -> float:
        """Seconds until so much of it is free again as far as this process knows; at least one."""
        missing = amount - self.free(now)
        for cell in self._cells:
            missing -= cell.amount
            if missing <= 0:
                return max(1.0, (cell.number + 1) * CELL + WINDOW - now)
        return 1.0 if self.measure is Measure.CONCURRENCY else min(WINDOW, max(1.0, WINDOW / max(1, self.allowed)))
