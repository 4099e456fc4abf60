"""Kept answers in Redis, shared by all processes: sealed, so that who reads Redis learns neither question nor answer.

An answer's name in Redis is the hash of its key, and the key itself is part of what opens it: the operator's secret
alone opens nothing. Its size is kept in two indexes beside it, by which what is over and what has to make room is
found; an index that Redis lost is begun anew.
"""

from hashlib import sha256

from monkey_coder_server.ports.cache import CacheBounds, CacheFigures, CacheKey
from monkey_coder_server.ports.replies import Sealing
from monkey_coder_server.ports.shared_store import Script, SharedStore, StoreAway

BASE = "cache:"
OVERHEAD = 512
"""Bytes an entry takes beside its value: its key, its places in the indexes."""

_PUT = Script("""
local base, tenant, value = KEYS[1], ARGV[1], ARGV[3]
local member = tenant .. ':' .. ARGV[2]
local seconds, most_of_tenant, most = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local size = #value + tonumber(ARGV[7])
local all, mine, sizes, sums = base .. 'all', base .. 'of:' .. tenant, base .. 'sizes', base .. 'sums'
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local over = string.format('%d', now + seconds * 1000000)
local evicted = 0

local function drop(name)
  local held = redis.call('HGET', sizes, name)
  local owner = string.match(name, '^(.*):%x+$')
  redis.call('UNLINK', base .. 'answer:' .. name)
  redis.call('ZREM', all, name)
  redis.call('ZREM', base .. 'of:' .. owner, name)
  redis.call('HDEL', sizes, name)
  if held then
    redis.call('HINCRBY', sums, '', -held)
    if redis.call('HINCRBY', sums, 'of:' .. owner, -held) <= 0 then redis.call('HDEL', sums, 'of:' .. owner) end
  end
end

local function make_room(index, sum, bound)
  while tonumber(redis.call('HGET', sums, sum) or '0') + size > bound do
    local first = redis.call('ZRANGE', index, 0, 0)[1]
    if not first then redis.call('HDEL', sums, sum) return end
    drop(first)
    evicted = evicted + 1
  end
end

local ended = redis.call('ZRANGEBYSCORE', all, '-inf', string.format('%d', now), 'LIMIT', 0, 64)
for _, name in ipairs(ended) do drop(name) end
drop(member)
make_room(mine, 'of:' .. tenant, most_of_tenant)
make_room(all, '', most)
redis.call('SET', base .. 'answer:' .. member, value, 'EX', seconds)
redis.call('ZADD', all, over, member)
redis.call('ZADD', mine, over, member)
redis.call('HSET', sizes, member, size)
redis.call('HINCRBY', sums, 'of:' .. tenant, size)
return {evicted, redis.call('HINCRBY', sums, '', size), redis.call('ZCARD', all)}
""")


class RedisCache:
    """`ports.cache.Cache` for all processes. The figures are those of the last answer this one kept."""

    def __init__(self, store: SharedStore, sealing: Sealing, bounds: CacheBounds) -> None:
        self._store = store
        self._sealing = sealing
        self._bounds = bounds
        self._bytes = self._entries = self._evicted = self._refused = self._failed = 0

    async def get(self, key: CacheKey) -> bytes | None:
        """What is kept under the key; None for nothing, and while Redis is away."""
        try:
            sealed = await self._store.get(f"{BASE}answer:{key.tenant}:{_place(key)}")
        except StoreAway:
            self._failed += 1
            return None
        return None if sealed is None else self._sealing.open(sealed, _purpose(key))

    async def put(self, key: CacheKey, value: bytes, *, seconds: int) -> bool:
        """Keep it for so long, in place of what was kept; whether it is kept."""
        sealed, bounds = self._sealing.seal(value, _purpose(key)), self._bounds
        if len(sealed) + OVERHEAD > min(bounds.entry, bounds.tenant, bounds.total):
            self._refused += 1
            return False
        said = (key.tenant, _place(key), sealed, seconds, bounds.tenant, bounds.total, OVERHEAD)
        try:
            evicted, self._bytes, self._entries = await self._store.script(_PUT, [BASE], said)
        except StoreAway:
            self._failed += 1
            return False
        self._evicted += evicted
        return True

    def figures(self) -> CacheFigures:
        """What is kept, as of the last answer this process kept, and what it did not."""
        return CacheFigures(self._bytes, self._entries, self._evicted, self._refused, self._failed)


def _place(key: CacheKey) -> str:
    return sha256(b"place" + key.digest).hexdigest()


def _purpose(key: CacheKey) -> bytes:
    return b"response cache of " + key.tenant.encode() + b" " + key.digest
