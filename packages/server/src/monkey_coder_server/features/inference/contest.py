"""Two calls for one answer: who takes part, who may be asked second, and what becomes of the one that is not kept."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from monkey_coder_server.features.inference.exchange import Answering
from monkey_coder_server.features.inference.gates import Place
from monkey_coder_server.features.inference.route import Route
from monkey_coder_server.features.inference.trail import Trail, waste_of


@dataclass(slots=True, eq=False)
class Contender:
    """One of the calls. `trail` is its own until it is known whether its answer is kept."""

    route: Route
    key_number: int
    place: Place
    began: float
    """Monotonic seconds."""
    trail: Trail = field(default_factory=Trail)
    called: bool = False
    """Its provider was called."""
    task: asyncio.Task[Answering] = field(init=False)

    def begin(self, task: "asyncio.Task[Answering]") -> None:
        """Its call runs. Its place is given back even by a call that was stopped before its first step."""
        self.task = task
        task.add_done_callback(self._over)

    def _over(self, task: "asyncio.Task[Answering]") -> None:
        if task.cancelled():
            self.place.leave()


class Contest(Protocol):
    """What a request allows to be asked beside a late call, and who is told how it went."""

    def seconds(self, first: Route, pending: Sequence[Route]) -> Iterable[Route]:
        """Who may be asked beside the first, best first. The first itself stands for the same model by another key."""

    def entered(self, contender: Contender) -> None:
        """A call begins."""

    def left(self, contender: Contender) -> None:
        """A call failed, or was stopped with the request."""

    def kept(self, winner: Contender, beaten: Contender | None) -> None:
        """One has said its first token; the other, if it still runs, is left to the contest, place and all."""


async def dismiss(contenders: Sequence[Contender], trail: Trail) -> None:
    """Stop calls nobody waits for any more, and wait until they have let go; `trail` gets what they leave."""
    for contender in contenders:
        contender.task.cancel()
    if contenders:
        await asyncio.wait([contender.task for contender in contenders])
    for contender in contenders:
        trail.take(contender.trail)
        answering = _answer_of(contender.task)
        if answering is not None:
            trail.wasted.append(waste_of(answering, unfinished=answering.answer.finish is None))
            answering.close()


def _answer_of(task: "asyncio.Task[Answering]") -> Answering | None:
    """What a call that is over came to; None when it was stopped or failed."""
    return None if task.cancelled() or task.exception() is not None else task.result()
