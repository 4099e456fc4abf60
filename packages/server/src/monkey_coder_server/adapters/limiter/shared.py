"""Throttles of what must not be guessed, counted for all processes together."""

from monkey_coder_server.ports.limiter import Verdict
from monkey_coder_server.ports.shared_store import Script, SharedStore, StoreAway

AWAY_SECONDS = 5.0
"""When to come back to a throttle that cannot be asked."""

TAKE = Script("""
local limit, period, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local each = period / math.max(limit, 1)
local full = tonumber(redis.call('GET', KEYS[1]) or now)
if full < now then full = now end
local after = full + cost * each
local over = after - now - period
if cost > limit or over > 0 then
  return {0, math.floor((period - (full - now)) / each), math.ceil(math.min(over, period))}
end
if cost > 0 then redis.call('SET', KEYS[1], string.format('%.3f', after), 'PX', math.ceil(period) + 1000) end
return {1, math.floor((period - (after - now)) / each), 0}
""")


class SharedLimiter:
    """`ports.limiter.Limiter` in the shared store: a bucket that begins full and refills evenly, one for all processes.

    While the store is away everything is refused: whoever guesses passwords must not gain by that.
    """

    def __init__(self, store: SharedStore) -> None:
        self._store = store

    async def take(self, subject: str, *, limit: int, period: float, cost: int = 1) -> Verdict:
        """Take `cost` of `limit` per `period` seconds; a refusal takes nothing. Never when `cost` > `limit`."""
        try:
            allowed, left, wait = await self._store.script(
                TAKE, [f"throttle:{subject}"], [limit, round(period * 1000), cost]
            )
        except StoreAway:
            return Verdict(allowed=False, limit=limit, remaining=0, retry_after=AWAY_SECONDS)
        return Verdict(bool(allowed), limit, max(0, min(limit, left)), max(0.0, wait / 1000))
