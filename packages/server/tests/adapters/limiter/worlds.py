"""A small fleet on one bank, in a time of its own: the bank's script runs in a real Redis, everything else may fail."""

import random
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from monkey_coder_server.adapters.limiter.bank import SETTLE, Bank
from monkey_coder_server.adapters.limiter.branch import BEAT_SECONDS, Branch
from monkey_coder_server.adapters.limiter.quotas import LimiterQuotas, Pass
from monkey_coder_server.adapters.redis import RedisStore
from monkey_coder_server.domain.quota import WINDOW
from monkey_coder_server.domain.rates import Bound, Measure, Source
from monkey_coder_server.ports.quotas import Take
from monkey_coder_server.ports.shared_store import Script, StoreAway

TIMED = Script(SETTLE.text.replace("redis.call('TIME')", "redis.call('LRANGE', base .. ':clock', 0, 1)"))
TELL_TIME = Script("redis.call('DEL', KEYS[1]) return redis.call('RPUSH', KEYS[1], ARGV[1], ARGV[2])")
FLUSH = Script("for _, key in ipairs(redis.call('KEYS', KEYS[1] .. '*')) do redis.call('DEL', key) end return 1")


def bound(measure: Measure, allowed: int, name: str = "k") -> Bound:
    return Bound(f"{measure}:a:key:{name}:", measure, allowed, "key", name, Source.KEY)


class FaultyStore:
    """What a process sees of the bank. `away`: nothing is sent. `deaf`: done, and not answered, or done later."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.away = False
        self.deaf = 0.0
        self._late: deque[tuple[Any, Any]] = deque()

    async def script(self, _script: Script, keys: Any, words: Any) -> Any:
        world = self._world
        if self.away or world.dead:
            raise StoreAway("away")
        if world.chance.random() < self.deaf:
            if world.chance.random() < 0.5:
                self._late.append((keys, words))
            else:
                await world.run(keys, words)
            raise StoreAway("in time")
        answer = await world.run(keys, words)
        if self._late and world.chance.random() < 0.5:
            await world.run(*self._late.popleft())
        return answer


@dataclass
class Process:
    name: str
    store: FaultyStore
    branch: Branch
    quotas: LimiterQuotas
    log: dict[str, deque[list[float]]] = field(default_factory=dict)
    running: list[tuple[Pass, int, list[list[float]]]] = field(default_factory=list)


class World:
    """`limits` are served by every process. Time goes on only by `pass_time`."""

    def __init__(self, redis: RedisStore, limits: list[Bound], seed: int) -> None:
        self.redis = redis
        self.limits = limits
        self.chance = random.Random(seed)
        self.now = 1000.0
        self.dead = False
        self.processes: list[Process] = []
        self.gone: list[Process] = []
        self._made = 0

    async def run(self, keys: Any, words: Any) -> Any:
        seconds, rest = divmod(self.now + 1_000_000, 1.0)
        await self.redis.script(TELL_TIME, ["limits:clock"], [int(seconds), int(rest * 1_000_000)])
        return await self.redis.script(TIMED, keys, words)

    async def flush(self) -> None:
        await self.redis.script(FLUSH, ["limits"], [])
        self.gone.clear()  # nobody is left who knows what they used

    async def join(self) -> Process:
        self._made += 1
        store: Any = FaultyStore(self)
        branch = Branch(Bank(store, f"p{self._made}"), lambda: self.now)

        async def sleep(seconds: float) -> None:
            self.now += seconds
            for each in self.processes:
                await each.branch.beat()

        quotas = LimiterQuotas(lambda: self.now, branch, sleep=sleep)
        process = Process(f"p{self._made}", store, branch, quotas)
        self.processes.append(process)
        await branch.beat()
        return process

    async def pass_time(self, seconds: float) -> None:
        """With the beats of every process."""
        ends = self.now + seconds
        while self.now < ends:
            self.now = min(ends, self.now + BEAT_SECONDS)
            for process in list(self.processes):
                await process.branch.beat()

    async def ask(self, process: Process, amount: int = 1, tokens: int = 10) -> bool:
        takes = [Take(each, tokens if each.measure is Measure.TOKENS else amount) for each in self.limits]
        found = await process.quotas.admit(takes)
        if not isinstance(found, Pass):
            return False
        reserved = []
        for bound, taken in takes:
            noted: list[float] = [self.now, taken]
            process.log.setdefault(bound.subject, deque()).append(noted)
            if bound.measure is Measure.TOKENS:
                reserved.append(noted)
        process.running.append((found, tokens, reserved))
        self.check()
        return True

    def end(self, process: Process, share: float) -> None:
        """A request is over and used such a share of its tokens."""
        found, tokens, reserved = process.running.pop()
        found.settle(int(tokens * share))
        for noted in reserved:
            noted[1] = int(tokens * share)

    def used(self, process: Process, limit: Bound) -> float:
        if limit.measure is Measure.CONCURRENCY:
            return len(process.running)
        log = process.log.setdefault(limit.subject, deque())
        while log and log[0][0] <= self.now - WINDOW:
            log.popleft()
        return sum(amount for _, amount in log)

    def check(self) -> None:
        """Used in the last minute, and what everybody could still admit by itself, is within each limit."""
        for limit in self.limits:
            gone = 0 if limit.measure is Measure.CONCURRENCY else sum(self.used(each, limit) for each in self.gone)
            used = {each.name: self.used(each, limit) for each in self.processes}
            free = {each.name: self.free(each, limit) for each in self.processes}
            assert gone + sum(used.values()) + sum(free.values()) <= limit.allowed, (self.now, limit, gone, used, free)

    def free(self, process: Process, limit: Bound) -> int:
        part = process.branch.parts.get(limit.subject)
        if part is None:
            return process.branch.share(limit.measure, limit.allowed)
        return max(0, part.free(self.now))
