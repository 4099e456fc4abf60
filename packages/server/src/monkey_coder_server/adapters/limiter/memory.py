"""Token buckets in this process's memory."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from monkey_coder_server.ports.limiter import Verdict

MOST_SUBJECTS = 100_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float
    limit: int


@dataclass(slots=True)
class MemoryLimiter:
    """`ports.limiter.Limiter` for one process. A bucket begins full and refills evenly.

    At most `most_subjects` are remembered; the one untouched for longest is forgotten first, which can only make a
    limit milder for that subject, never refuse wrongly.
    """

    monotonic: Callable[[], float]
    most_subjects: int = MOST_SUBJECTS
    _buckets: OrderedDict[str, _Bucket] = field(default_factory=OrderedDict)

    async def take(self, subject: str, *, limit: int, period: float, cost: int = 1) -> Verdict:
        """Take `cost` of `limit` per `period` seconds; a refusal takes nothing. Never when `cost` > `limit`."""
        now = self.monotonic()
        rate = limit / period
        bucket = self._bucket(subject, limit, now)
        bucket.tokens = min(limit, bucket.tokens + (now - bucket.at) * rate)
        bucket.at = now
        if bucket.tokens >= cost:
            bucket.tokens -= cost
            return Verdict(allowed=True, limit=limit, remaining=int(bucket.tokens), retry_after=0.0)
        missing = min(cost, limit) - bucket.tokens
        retry_after = missing / rate if limit else period
        return Verdict(allowed=False, limit=limit, remaining=int(bucket.tokens), retry_after=retry_after)

    def _bucket(self, subject: str, limit: int, now: float) -> _Bucket:
        """The subject's bucket; a changed limit keeps what was used of the old one."""
        bucket = self._buckets.get(subject)
        if bucket is None:
            bucket = self._buckets[subject] = _Bucket(float(limit), now, limit)
            if len(self._buckets) > self.most_subjects:
                self._buckets.popitem(last=False)
            return bucket
        self._buckets.move_to_end(subject)
        if bucket.limit != limit:
            bucket.tokens = max(0.0, bucket.tokens + limit - bucket.limit)
            bucket.limit = limit
        return bucket
