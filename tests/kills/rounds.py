"""Lives and deaths of a gateway under two hundred callers, alone or beside one that goes on."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from tests.kills.clients import AT_ONCE, COMPLETE, CUT, Callers, Heard
from tests.kills.gateway import Life, Stage
from tests.kills.points import Point

LIFE_SECONDS = 45
"""A life whose point is not passed often enough by then is ended wherever it is. On a free machine that takes less than
ten; on a busy one answers come in fewer, larger waves, and fewer pages of endings are booked."""
WHILE_IT_STARTS = 8
"""How many callers the gateway that goes on has while the other is not there yet."""
BEING_SERVED = "request_in_progress"
OF_ANOTHER = 5_000
"""Added to a seed for the callers of the gateway that goes on."""


@dataclass(slots=True)
class Round:
    """One life. `reached` is whether it died at its point; `spoiled`: how requests failed where nobody died."""

    point: Point
    deadly: int
    reached: bool = False
    heard: list[Heard] = field(default_factory=list)
    spoiled: list[str] = field(default_factory=list)
    seconds: float = 0.0


async def live_and_die(where: Stage, point: Point, *, seed: int, rival: Stage | None = None) -> Round:
    """Start a gateway, let the callers in, wait for its death. A rival serves half of them, to the end.

    What was cut short under an id is asked of the rival at once: it answers if the dead gateway had ended it.
    """
    lived, begun = Round(point, Random(seed).randint(*point.passes)), time.monotonic()
    callers = Callers(where.base_url, where.key, seed=seed)
    if rival is None:
        lived.reached = await _die(where, lived, [callers])
        lived.heard = callers.heard
    else:
        others = Callers(rival.base_url, rival.key, seed=seed + OF_ANOTHER)
        async with asyncio.TaskGroup() as going_on:
            going_on.create_task(others.ask_until_gone(WHILE_IT_STARTS))
            lived.reached = await _die(where, lived, [callers, others])
            others.leave()
            again = await others.ask_again(_cut(callers.heard))
        lived.heard = [*callers.heard, *others.heard, *again]
        failed = [one for one in (*others.heard, *again) if one.ended != COMPLETE]
        repeated = {id(one) for one in again}
        lived.spoiled = [
            f"{one.ended} {one.error} {one.said}"
            for one in failed
            if id(one) not in repeated or one.error != BEING_SERVED
        ]
    lived.seconds = time.monotonic() - begun
    return lived


async def _die(where: Stage, lived: Round, everybody: Sequence[Callers]) -> bool:
    """Whether it died where it was to die. The first callers are its own, which see it go."""
    with Life(where, "tests.kills.launcher", lived.point.name, str(lived.deadly)) as life:
        if not await life.ready():
            return life.killed
        async with asyncio.TaskGroup() as calling:
            own, *_ = [calling.create_task(each.ask_until_gone(AT_ONCE // len(everybody))) for each in everybody]
            await asyncio.wait({own}, timeout=LIFE_SECONDS)
            reached = await _died(life, LIFE_SECONDS if own.done() else 0)
            if not reached:
                life.kill()
            await own
            for each in everybody:
                each.leave()
        return reached


async def _died(life: Life, seconds: float) -> bool:
    """Callers hear of a death before we do: so long we wait for word of it."""
    await asyncio.to_thread(life.process.join, seconds)
    return life.killed


async def ask_again(where: Stage, rounds: Sequence[Round]) -> list[Heard]:
    """With a gateway that lives: what has no answer yet is asked once more. It recovers and stops in order."""
    with Life(where) as life:
        assert await life.ready()
        return await Callers(where.base_url, where.key, seed=0).ask_again(_unanswered(rounds))


async def recover(where: Stage) -> None:
    """A gateway starts, ends what the dead left in its DATA_DIR, and stops."""
    with Life(where) as life:
        assert await life.ready()


def _unanswered(rounds: Sequence[Round]) -> list[Heard]:
    """One of each id that has no answer yet."""
    answered = {one.number for lived in rounds for one in lived.heard if one.ended == COMPLETE}
    cut = {one.number: one for lived in rounds for one in _cut(lived.heard)}
    return [one for number, one in cut.items() if number not in answered]


def _cut(heard: Sequence[Heard]) -> list[Heard]:
    """What was cut short under an id, and may be asked again."""
    return [one for one in heard if one.named and one.ended == CUT]
