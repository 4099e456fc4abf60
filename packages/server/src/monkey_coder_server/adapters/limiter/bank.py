"""The bank: which process holds which part of a limit, kept in the shared store and changed by one script.

What it must never do is give out more than a limit. So it believes a process that says what it holds, gives from what
nobody holds, keeps back the first share of every process that was not told of a limit, and forgets a process only
when that has forgotten its parts by its own clock. After it was empty or unheard for a second it gives nothing for
two seconds, in which every living process says again what it holds.
"""

from collections.abc import Sequence
from typing import NamedTuple

from monkey_coder_server.domain.quota import LAPSE, WINDOW
from monkey_coder_server.ports.shared_store import Script, SharedStore, StoreAway

YOUNG_SECONDS = 2.0
"""How long a bank that knows nobody, or was unheard, only listens."""
ASLEEP_SECONDS = 1.0
"""Without a word from any process the bank counts as unheard."""
MOST_RECALLED = 200
FORGET = -1
"""Wanted of a limit by a process that has no more use for it."""
BASE = "limits"

SETTLE = Script("""
local base, me = KEYS[1], ARGV[1]
local seq, peers_known, ready = tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4] == '1'
local lapse, window, young_time = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local asleep, most = tonumber(ARGV[8]), tonumber(ARGV[9])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local live = base .. ':live'
if tonumber(redis.call('HGET', base .. ':seq', me) or 0) >= seq then return {0, 0, 0, 0, {}} end
redis.call('HSET', base .. ':seq', me, seq)
local newest, born = redis.call('ZREVRANGE', live, 0, 0, 'WITHSCORES'), redis.call('GET', base .. ':born')
if not born or #newest == 0 or now - newest[2] > asleep then
  born = now
  redis.call('SET', base .. ':born', born)
end
local young = now - born < young_time
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', live, '-inf', '(' .. (now - window - lapse))) do
  if gone ~= me then
    redis.call('ZREM', live, gone)
    redis.call('HDEL', base .. ':seq', gone)
    redis.call('HDEL', base .. ':first', gone)
  end
end
local inbox = base .. ':inbox:'
if not redis.call('ZSCORE', live, me) and redis.call('EXISTS', base .. ':all') == 1 then
  redis.call('SUNIONSTORE', inbox .. me, base .. ':all')
end
redis.call('ZADD', live, now, me)
local beats, peers = {}, 0
local list = redis.call('ZRANGE', live, 0, -1, 'WITHSCORES')
for j = 1, #list, 2 do
  beats[list[j]] = tonumber(list[j + 1])
  if now - list[j + 1] <= lapse then peers = peers + 1 end
end
if ready then redis.call('HSET', base .. ':first', me, math.min(peers_known, peers))
else redis.call('HDEL', base .. ':first', me) end
local first, pairs_first = {}, redis.call('HGETALL', base .. ':first')
for j = 1, #pairs_first, 2 do first[pairs_first[j]] = tonumber(pairs_first[j + 1]) end
local known = 1
for q, n in pairs(first) do
  if q ~= me and beats[q] and n < peers then known = 0 end
end
local function recall(q, subject)
  redis.call('SADD', inbox .. q, subject)
  redis.call('EXPIRE', inbox .. q, 900)
end
local results = {}
for i = 10, #ARGV, 5 do
  local subject, allowed, have, want = ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3])
  local ease = tonumber(ARGV[i + 4])
  local key = base .. ':of:' .. subject
  local keep = string.sub(subject, 1, 12) == 'concurrency:' and lapse or window + lapse
  local parts, others, told = redis.call('HGETALL', key), 0, {}
  for j = 1, #parts, 2 do
    local q = parts[j]
    if q ~= me then
      if not beats[q] or now - beats[q] > keep then
        redis.call('HDEL', key, q)
      else
        others = others + parts[j + 1]
        told[q] = tonumber(parts[j + 1])
      end
    end
  end
  local free = allowed - others
  for q, known in pairs(first) do
    if q ~= me and beats[q] and not told[q] then free = free - math.floor(allowed / (2 * known)) end
  end
  local new = have
  if want == -1 then
    local own = first[me] and math.floor(allowed / (2 * first[me])) or 0
    if not young and free >= own then new = -1 else new = 0 end
  elseif not young then
    new = math.max(have, math.min(math.max(want, ease), free))
  end
  if new == -1 then
    redis.call('HDEL', key, me)
    if redis.call('HLEN', key) == 0 then redis.call('SREM', base .. ':all', subject) end
  else
    redis.call('HSET', key, me, new)
    redis.call('EXPIRE', key, 3600)
    if redis.call('SADD', base .. ':all', subject) == 1 then
      for q in pairs(beats) do
        if q ~= me and not first[q] then recall(q, subject) end
      end
    end
    if new < want and not young then
      for q in pairs(beats) do
        if q ~= me and (told[q] or 1) > 0 then recall(q, subject) end
      end
    end
  end
  results[#results + 1] = new
  results[#results + 1] = math.max(0, free - math.max(new, 0))
end
return {peers, young and 1 or 0, known, born, redis.call('SPOP', inbox .. me, most), unpack(results)}
""")


class Entry(NamedTuple):
    """What a process says of its part in a limit: what it holds, and what it wants to hold, or `FORGET`.

    `ease` is what it takes as well while nobody holds it; nobody is asked to give that up.
    """

    subject: str
    allowed: int
    held: int
    want: int
    ease: int


class Answer(NamedTuple):
    """`peers` live processes, and whether all of them know of so many; `young`: the bank only listens.

    `born` is another number after it was empty or unheard.

    `parts` are what is held now and what nobody holds, in the entries' order; held is `FORGET` for one it forgot.
    """

    peers: int
    young: bool
    known: bool
    born: int
    recalled: tuple[str, ...]
    parts: tuple[tuple[int, int], ...]


class Bank:
    """`me` names this process. Calls are made one after the other."""

    def __init__(self, store: SharedStore, me: str) -> None:
        self._store = store
        self._me = me
        self._calls = 0

    async def settle(self, entries: Sequence[Entry], *, peers: int, ready: bool) -> Answer:
        """Say what is held, and ask. A call overtaken by a later one does nothing. Raises `StoreAway`."""
        self._calls += 1
        times = (LAPSE, WINDOW, YOUNG_SECONDS, ASLEEP_SECONDS)
        words: list[str | bytes | int] = [self._me, self._calls, peers, int(ready)]
        words += [round(1000 * seconds) for seconds in times]
        words.append(MOST_RECALLED)
        for entry in entries:
            words += (entry.subject, entry.allowed, entry.held, entry.want, entry.ease)
        found, young, known, born, recalled, *rest = await self._store.script(SETTLE, [BASE], words)
        if not found:
            raise StoreAway("overtaken")
        parts = tuple(zip(rest[::2], rest[1::2], strict=True))
        return Answer(found, bool(young), bool(known), born, tuple([each.decode() for each in recalled]), parts)
