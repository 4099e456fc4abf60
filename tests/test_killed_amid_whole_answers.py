"""Gateways killed amid requests that are answered whole: every answer is paid, once, and every call is in the books."""

import asyncio
from pathlib import Path

import pytest

from tests.kills.audit import audit
from tests.kills.clients import COMPLETE, Callers, Heard
from tests.kills.gateway import Life, stage

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

STEERING = "output_tokens=20 tokens_per_second=400 first_token_ms=20"
AT_ONCE = 48
LIVES, SECONDS = 3, 1.5


async def asked_until_killed(life: Life, seed: int) -> list[Heard]:
    """Ask for whole answers, and kill the gateway amid them; what was heard."""
    assert await life.ready()
    callers = Callers(life.stage.base_url, life.stage.key, seed=seed, steering=STEERING)

    async def caller() -> None:
        while not life.killed:
            await callers.ask_once(1, stream=False)

    async with asyncio.TaskGroup() as asking:
        for _ in range(AT_ONCE):
            asking.create_task(caller())
        await asyncio.sleep(SECONDS)
        life.kill()
    return callers.heard


def test_answers_are_paid_once_and_calls_are_in_the_books(tmp_path: Path) -> None:
    heard: list[Heard] = []
    with stage(tmp_path) as where:
        for seed in range(1, 1 + LIVES):
            with Life(where) as life:
                heard += asyncio.run(asked_until_killed(life, seed))
        with Life(where) as last:
            assert asyncio.run(last.ready())
        found = audit(where, heard)
        verdict = where.admin("ledger", "verify")
    assert found.wrong == {}
    assert sum(one.ended == COMPLETE for one in heard) > LIVES * AT_ONCE
    assert found.figures["of them estimated otherwise"] > 0, "no call was under way as a gateway died"
    assert verdict["sound"], verdict["details"]
    assert not any(verdict["checks"].values())
