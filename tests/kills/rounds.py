"""Lives and deaths of a gateway under two hundred callers, and what is left in the end."""

import asyncio
from dataclasses import dataclass, field
from random import Random

from tests.kills.clients import CUT, Callers, Heard
from tests.kills.gateway import Life, Stage
from tests.kills.points import Point

LIFE_SECONDS = 15
"""A life whose point is not passed often enough by then is ended wherever it is."""


@dataclass(slots=True)
class Round:
    """One life. `reached` is whether it died at its point."""

    point: Point
    deadly: int
    reached: bool = False
    heard: list[Heard] = field(default_factory=list)


async def live_and_die(where: Stage, point: Point, *, seed: int) -> Round:
    """Start a gateway, let the callers in, wait for its death."""
    lived = Round(point, Random(seed).randint(*point.passes))
    callers = Callers(where.base_url, where.key, seed=seed)
    with Life(where, "tests.kills.launcher", point.name, str(lived.deadly)) as life:
        if await life.ready():
            calling = asyncio.create_task(callers.ask_until_gone())
            await asyncio.wait({calling}, timeout=LIFE_SECONDS)
            lived.reached = await _died(life)
            if not lived.reached:
                life.kill()
            await calling
        else:
            lived.reached = life.killed
    lived.heard = callers.heard
    return lived


async def _died(life: Life) -> bool:
    """Callers hear of a death before we do."""
    for _ in range(20):
        if life.process.poll() is not None:
            return life.killed
        await asyncio.sleep(0.05)
    return False


async def ask_again(where: Stage, rounds: list[Round]) -> list[Heard]:
    """With a gateway that lives: what was cut short under an id is asked once more. It recovers and stops in order."""
    cut = [heard for one in rounds for heard in one.heard if heard.named and heard.ended == CUT]
    with Life(where) as life:
        assert await life.ready()
        return await Callers(where.base_url, where.key, seed=0).ask_again(cut)
