"""A gateway killed while two arms run for one request: the next one charges nobody, and books what both may bill."""

import asyncio
import re
import urllib.request
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from tests.faults.asking import Callers
from tests.faults.faults import MODELS, script
from tests.kills.gateway import Life, Stage, stage
from tools.processes import free_port

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

ENOUGH = 24
"""Requests after which it is known how soon providers speak."""
SECONDS = 30.0
STARTED = re.compile(r"^monkey_coder_hedges_started (\S+)$", re.MULTILINE)
FAILED = (
    "SELECT u.request_id, u.price, h.charged FROM usage u JOIN holds h USING (request_id) "
    "WHERE u.status = 'failed' AND u.account_id <> 'house'"
)
COSTS = """
    SELECT c.request_id, c.provider FROM provider_costs c JOIN usage u USING (request_id)
    WHERE u.status = 'failed' AND u.account_id <> 'house' AND c.cost > 0
"""


async def started(where: Stage) -> int:
    """How many second calls this gateway has made."""
    url = f"http://127.0.0.1:{where.metrics_port}/metrics"
    with await asyncio.to_thread(urllib.request.urlopen, url, timeout=10) as reply:
        found = STARTED.search(reply.read().decode())
    assert found
    return int(float(found[1]))


async def killed_while_two_arms_run(life: Life) -> None:
    where = life.stage
    assert await life.ready()
    callers = Callers(where.base_url, where.key, "openai", seed=1)
    await callers.ask_for(4.0, 8)
    assert len(callers.asked) >= ENOUGH
    before = await started(where)
    rules = [{"provider": provider, "fault": "slow_first_byte", "delay": SECONDS} for provider in MODELS]
    await asyncio.to_thread(script, where.simulators, rules)
    asking = asyncio.create_task(ask(where))
    async with asyncio.timeout(20):
        while await started(where) == before:  # noqa: ASYNC110 - another process counts
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.5)
    life.kill()
    await asyncio.gather(asking, return_exceptions=True)


async def ask(where: Stage) -> None:
    headers = {"authorization": f"Bearer {where.key}"}
    body = {"task_type": "code_generation", "prompt": "write a queue", "context": {"max_tokens": 64}}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(f"{where.base_url}/v1/execute/stream", json=body) as reply,
    ):
        await reply.read()


def test_both_arms_are_in_the_books_and_nobody_is_charged(tmp_path: Path) -> None:
    with stage(tmp_path) as made:
        where = replace(made, metrics_port=free_port(), settings={"HEDGED_REQUESTS": "on"})
        with Life(where) as first:
            asyncio.run(killed_while_two_arms_run(first))
            assert first.killed
        with Life(where) as second:
            assert asyncio.run(second.ready())
            [(request, price, charged)] = where.read(FAILED)
            costs = where.read(COSTS)
            verdict = where.admin("ledger", "verify")
    assert (price, charged) == (0, 0)
    assert {named for named, _ in costs} == {request}
    assert len({provider for _, provider in costs}) == len(costs) == 2
    assert verdict["sound"], verdict["details"]
