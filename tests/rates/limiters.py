"""The limiters of four gateways alone, under 256 callers who ask again as soon as they are answered.

`python -m tests.rates.limiters URL PLACE ENDS` is one of the four.
"""

import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from monkey_coder_server.adapters.limiter.bank import Bank
from monkey_coder_server.adapters.limiter.branch import Branch
from monkey_coder_server.adapters.limiter.quotas import LimiterQuotas, Pass
from monkey_coder_server.adapters.redis import RedisStore
from monkey_coder_server.domain.rates import Bound, Measure, Source
from monkey_coder_server.ports.quotas import Take
from packages.server.tests.redis_server import OwnRedis, own_redis
from tests.rates.windows import Grant, most_at_once, most_within

PROCESSES = 4
CALLERS = 64
LEAST_USABLE = 0.98
PATIENCE = 0.05
"""Seconds after which a refused caller asks again."""
ALLOWED = {Measure.REQUESTS: 6_000, Measure.TOKENS: 600_000, Measure.CONCURRENCY: 40}
CASES = ("redis", "alone", "killed")


def _bound(measure: Measure) -> Bound:
    return Bound(f"{measure}:a:key:k:", measure, ALLOWED[measure], "key", "k", Source.KEY)


async def _serve(url: str, place: int, ends: float) -> dict[str, list[list[float]]]:
    """One process: what it granted, by measure, as [from, until, amount]."""
    if url == "alone":
        quotas, stop = LimiterQuotas(time.monotonic, place=(place, PROCESSES)), None
    else:
        store = RedisStore(url)
        await store.open()
        branch = Branch(Bank(store, f"process{place}"), time.monotonic)
        await branch.start()
        quotas, stop = LimiterQuotas(time.monotonic, branch), branch.stop
        await asyncio.sleep(3.0)
    granted: dict[str, list[list[float]]] = {measure: [] for measure in Measure}
    chance = random.Random(place)

    async def call(measure: Measure) -> None:
        bound = _bound(measure)
        while (began := time.monotonic()) < ends:
            amount = chance.randint(500, 1_500) if measure is Measure.TOKENS else 1
            found = await quotas.admit([Take(bound, amount)])
            if not isinstance(found, Pass):
                await asyncio.sleep(PATIENCE)
                continue
            admitted = time.monotonic()
            await asyncio.sleep(chance.uniform(0.01, 0.1))
            used = amount // 2 if measure is Measure.TOKENS else amount
            released = time.monotonic()
            found.settle(used)
            granted[measure].append([began, admitted, released, used])

    measures = [*Measure] * (CALLERS // 3 + 1)
    await asyncio.gather(*(call(measure) for measure in measures[:CALLERS]))
    if stop is not None:
        await stop()
    return granted


def _case(case: str, seconds: float, server: OwnRedis) -> bool:
    ends = time.monotonic() + seconds + 5.0
    url = "alone" if case == "alone" else server.url
    command = [sys.executable, "-m", "tests.rates.limiters", url]
    running = [
        subprocess.Popen([*command, str(place), str(ends)], stdout=subprocess.PIPE) for place in range(PROCESSES)
    ]
    if case == "killed":
        time.sleep(5.0 + seconds / 2)
        server.kill()
    answers = [json.loads(process.communicate()[0]) for process in running]
    sound = True
    for measure in Measure:
        rows = [row for answer in answers for row in answer[measure]]
        if measure is Measure.CONCURRENCY:
            found = most_at_once([(row[1], row[2]) for row in rows])
        else:
            found = most_within(Grant(row[0], row[1], int(row[3])) for row in rows)
        share = found / ALLOWED[measure]
        kept = share <= 1 and share >= LEAST_USABLE
        sound = sound and kept
        sys.stdout.write(
            f"{case:7} {measure:12} limit {ALLOWED[measure]:7}  worst {found:9}  usable {share:6.1%}"
            f"  {'kept' if kept else 'NOT KEPT'}\n"
        )
    return sound


def prove(seconds: float) -> bool:
    """Whether no limit was exceeded and nearly all of each could be used; prints a line for each."""
    sound = True
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder, own_redis(Path(folder)) as server:
            sound = _case(case, seconds, server) and sound
    return sound


if __name__ == "__main__":
    url, place, ends = sys.argv[1:]
    sys.stdout.write(json.dumps(asyncio.run(_serve(url, int(place), float(ends)))))
