"""The answers that are kept: looked for under a request's own key, then, for who takes them, under other words."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from monkey_coder_server.domain.cache_control import CacheWish
from monkey_coder_server.features.inference.cached_answer import CachedAnswer, packed, unpacked
from monkey_coder_server.features.inference.caching import Caching, Wording
from monkey_coder_server.features.inference.rewordings import Rewordings
from monkey_coder_server.ports.cache import Cache, CacheKey
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.telemetry import Telemetry


class Found(NamedTuple):
    """A kept answer, and how alike the words are that it was made for; None for these very words."""

    answer: CachedAnswer
    similarity: float | None = None


class KeptAnswers:
    """`rewordings` None: no answer is given to other words."""

    def __init__(self, cache: Cache, rewordings: Rewordings | None, clock: Clock, telemetry: Telemetry) -> None:
        self._cache = cache
        self._rewordings = rewordings
        self._clock = clock
        self._telemetry = telemetry

    async def find(self, caching: Caching) -> Found | None:
        """What is kept and not older than its caller takes it."""
        answer = await self._under(caching.key, caching.wish)
        if answer is not None:
            return Found(answer)
        if self._rewordings is None or caching.wording is None:
            return None
        return await self._reworded(self._rewordings, caching.wording, caching.wish)

    async def keep(self, caching: Caching, answer: CachedAnswer, *, noted: int) -> bool:
        """Keep an answer that is complete, and note its words for so many seconds; whether it is kept."""
        value = await packed(answer) if answer.complete else None
        if value is None or not await self._cache.put(caching.key, value, seconds=caching.seconds):
            return False
        if self._rewordings is not None and caching.wording is not None:
            with self._contained():
                await self._rewordings.note(caching.wording, caching.key, seconds=noted)
        return True

    def fresh(self, answer: CachedAnswer, wish: CacheWish) -> bool:
        """Whether it is not older than its caller takes it."""
        return wish.max_age is None or self.age(answer) <= wish.max_age

    def age(self, answer: CachedAnswer) -> int:
        """Seconds since it was made."""
        return max(0, int(self._clock.now().timestamp()) - answer.at)

    async def _under(self, key: CacheKey, wish: CacheWish) -> CachedAnswer | None:
        value = await self._cache.get(key)
        found = None if value is None else unpacked(value)
        return found if found is not None and self.fresh(found, wish) else None

    async def _reworded(self, rewordings: Rewordings, wording: Wording, wish: CacheWish) -> Found | None:
        with self._contained():
            for near in await rewordings.near(wording):
                answer = await self._under(near.key, wish)
                if answer is not None:
                    return Found(answer, near.similarity)
        return None

    @contextmanager
    def _contained(self) -> Iterator[None]:
        """A fault of what likens words is a miss."""
        try:
            yield
        except Exception as defect:  # noqa: BLE001 - a model can still be asked; counted and logged
            self._telemetry.defect("semantic cache", defect)
