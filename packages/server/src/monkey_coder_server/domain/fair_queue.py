"""Who goes next among all who wait: turns go round by account, in step with what is asked, not with how many wait.

Start-time fair queueing (Goyal, Vin and Cheng, 1996): an item begins at the virtual time at which its account's last
one ended, or now if that is past; the earliest goes next. While two accounts wait, what has been done for either
differs by no more than one item of each. Who asks for little goes before who has asked for much.
"""

from collections import OrderedDict
from collections.abc import Hashable
from heapq import heappop, heappush
from typing import Generic, TypeVar

Item = TypeVar("Item", bound=Hashable)


class _Line(Generic[Item]):
    """Of one account, in the order they came, with what each costs."""

    __slots__ = ("account", "waiting")

    def __init__(self, account: str) -> None:
        self.account = account
        self.waiting: OrderedDict[Item, int] = OrderedDict()


class FairQueue(Generic[Item]):
    """A line for each account. Whatever is asked of it takes a constant time, but for a heap of the accounts in it.

    It bounds nothing: whoever puts more into it than there is room for takes the `last_of_longest` out again.
    """

    def __init__(self) -> None:
        self._lines: dict[str, _Line[Item]] = {}
        self._turns: list[tuple[int, int, _Line[Item]]] = []
        """Of each line when its next item begins, in virtual time; of one that is empty, when its last one ended."""
        self._now = 0
        self._number = 0
        self._lengths: list[dict[_Line[Item], None]] = [{}]
        """Which lines are so long, the one that last became so at the end; none is longer than the list."""
        self._items = 0
        self._accounts = 0

    def __len__(self) -> int:
        """How many wait."""
        return self._items

    @property
    def accounts(self) -> int:
        """How many accounts wait."""
        return self._accounts

    def waiting(self, account: str) -> int:
        """How many of an account wait."""
        line = self._lines.get(account)
        return 0 if line is None else len(line.waiting)

    def join(self, account: str, item: Item, cost: int = 1) -> None:
        """Wait behind the others of the account."""
        line = self._lines.get(account)
        if line is None:
            line = self._lines[account] = _Line(account)
            self._turn(self._now, line)
        line.waiting[item] = cost
        self._items += 1
        self._grown(line)

    @property
    def first(self) -> str | None:
        """The account whose turn it is; None when nobody waits."""
        while self._turns:
            begins, _, line = self._turns[0]
            if line.waiting:
                return line.account
            self._now = begins
            heappop(self._turns)
            del self._lines[line.account]
        return None

    def next(self, *, passing_over: str | None = None) -> Item | None:
        """Whose turn it is; None when nobody waits but who is passed over, to whom nothing is owed for it."""
        passed: _Line[Item] | None = None
        item: Item | None = None
        while item is None and self._turns:
            begins, _, line = heappop(self._turns)
            if not line.waiting:
                self._now = begins
                del self._lines[line.account]
            elif line.account == passing_over:
                passed = line
            else:
                self._now = begins
                item, cost = line.waiting.popitem(last=False)
                self._turn(begins + cost, line)
                self._shrunk(line)
        if passed is not None:
            self._turn(self._now, passed)
        return item

    def leave(self, account: str, item: Item) -> bool:
        """Wait no longer; False for one that waits no more."""
        line = self._lines.get(account)
        if line is None or line.waiting.pop(item, None) is None:
            return False
        self._shrunk(line)
        return True

    def last_of_longest(self) -> Item | None:
        """Send away who came last in the longest line; of several that are as long, in the one that grew last."""
        if not self._items:
            return None
        line = next(reversed(self._lengths[-1]))
        item, _ = line.waiting.popitem()
        self._shrunk(line)
        return item

    def _turn(self, begins: int, line: _Line[Item]) -> None:
        self._number += 1
        heappush(self._turns, (begins, self._number, line))

    def _grown(self, line: _Line[Item]) -> None:
        length = len(line.waiting)
        self._accounts += length == 1
        self._lengths[length - 1].pop(line, None)
        if length == len(self._lengths):
            self._lengths.append({})
        self._lengths[length][line] = None

    def _shrunk(self, line: _Line[Item]) -> None:
        self._items -= 1
        length = len(line.waiting)
        del self._lengths[length + 1][line]
        self._accounts -= not length
        if length:
            self._lengths[length][line] = None
        while len(self._lengths) > 1 and not self._lengths[-1]:
            self._lengths.pop()
