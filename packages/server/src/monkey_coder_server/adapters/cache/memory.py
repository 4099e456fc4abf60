"""Kept answers in this process's memory."""

from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from monkey_coder_server.ports.cache import CacheBounds, CacheFigures, CacheKey

OVERHEAD = 512
"""Bytes an entry takes beside its value: its key, its places in both orders."""


class _Entry(NamedTuple):
    expires: float
    value: bytes

    @property
    def weight(self) -> int:
        return len(self.value) + OVERHEAD


class _Shelf:
    """The entries of one tenant, what was kept first in front."""

    __slots__ = ("bytes", "entries")

    def __init__(self) -> None:
        self.entries: OrderedDict[bytes, _Entry] = OrderedDict()
        self.bytes = 0


class MemoryCache:
    """`ports.cache.Cache` for one process. `monotonic` gives seconds."""

    def __init__(self, monotonic: Callable[[], float], bounds: CacheBounds) -> None:
        self._monotonic = monotonic
        self._bounds = bounds
        self._shelves: dict[str, _Shelf] = {}
        self._order: OrderedDict[CacheKey, None] = OrderedDict()
        self._bytes = self._evicted = self._refused = 0

    async def get(self, key: CacheKey) -> bytes | None:
        """What is kept under the key, None for nothing."""
        shelf = self._shelves.get(key.tenant)
        entry = None if shelf is None else shelf.entries.get(key.digest)
        if entry is None:
            return None
        if entry.expires <= self._monotonic():
            self._drop(key)
            return None
        return entry.value

    async def put(self, key: CacheKey, value: bytes, *, seconds: int) -> bool:
        """Keep it for so long, in place of what was kept; whether it is kept."""
        entry = _Entry(self._monotonic() + seconds, value)
        self._drop(key)
        if entry.weight > min(self._bounds.entry, self._bounds.tenant, self._bounds.total):
            self._refused += 1
            return False
        self._make_room(key.tenant, entry.weight)
        shelf = self._shelves.setdefault(key.tenant, _Shelf())
        shelf.entries[key.digest] = entry
        shelf.bytes += entry.weight
        self._bytes += entry.weight
        self._order[key] = None
        return True

    def figures(self) -> CacheFigures:
        """What is kept now, and what was not."""
        return CacheFigures(self._bytes, len(self._order), self._evicted, self._refused)

    def _make_room(self, tenant: str, weight: int) -> None:
        """Let go of what was kept first, of the tenant and then of anybody, until so much more fits."""
        while (shelf := self._shelves.get(tenant)) is not None and shelf.bytes + weight > self._bounds.tenant:
            self._evict(CacheKey(tenant, next(iter(shelf.entries))))
        while self._bytes + weight > self._bounds.total:
            self._evict(next(iter(self._order)))

    def _evict(self, key: CacheKey) -> None:
        self._drop(key)
        self._evicted += 1

    def _drop(self, key: CacheKey) -> None:
        if key not in self._order:
            return
        del self._order[key]
        shelf = self._shelves[key.tenant]
        weight = shelf.entries.pop(key.digest).weight
        shelf.bytes -= weight
        self._bytes -= weight
        if not shelf.entries:
            del self._shelves[key.tenant]
