"""Each fault at each provider under load: a gateway of its own, which first works without it; then its books."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tests.faults.asking import Callers
from tests.faults.books import Books
from tests.faults.faults import trouble
from tests.faults.spell import Spell
from tests.kills.gateway import Life, Stage, stage

PRODUCTION: Mapping[str, str] = MappingProxyType({})
"""Everything as it is by default."""
LEAST_SERVED, MOST_CALLS = 0.999, 1.1
WITHOUT = 0.5
"""Share of a fault's time for which the gateway works without it before."""


@dataclass(frozen=True, slots=True)
class Load:
    """So many callers for so many seconds with each fault, and for as many requests as it takes to judge it.

    Three calls or so must fail until a model is known to: of a handful of requests that is not a tenth at most.
    """

    seconds: float
    at_once: int
    least: int = 200


@dataclass(frozen=True, slots=True)
class Case:
    """What came of a fault, beside the same gateway before it. `wrong` is empty when the books are equal."""

    provider: str
    kind: str
    before: Spell
    during: Spell
    wrong: Mapping[str, Any]

    @property
    def holds(self) -> bool:
        """Whether the bars are kept."""
        served = min(self.before.served, self.during.served)
        return served >= LEAST_SERVED and self.during.amplification <= MOST_CALLS and not self.wrong


def prove(
    data: Path,
    faults: Sequence[tuple[str, str]],
    load: Load,
    told: Callable[[str], None] = lambda _: None,
    *,
    settings: Mapping[str, str] = PRODUCTION,
) -> Sequence[Case]:
    """Play `(provider, kind)` one after another; `settings` are more of what the gateway's operator sets."""
    cases = []
    with stage(data) as made:
        where = replace(made, settings=settings)
        books = Books(where)
        for provider, kind in faults:
            cases.append(_case(where, books, (provider, kind), load))
            told(line(cases[-1]))
    return cases


def _case(where: Stage, books: Books, fault: tuple[str, str], load: Load) -> Case:
    provider, kind = fault
    before, during = (Callers(where.base_url, where.key, provider, seed=seed) for seed in (1, 2))
    with Life(where) as gateway:
        asyncio.run(gateway.ready())
        asyncio.run(before.ask_for(load.seconds * WITHOUT, load.at_once))
        first = books.bills()
        asyncio.run(_in_trouble(where.simulators, kind, during, load))
    then = books.bills()  # also of calls that outlived their requests: the gateway is stopped
    wrong = books.apart([*before.asked, *during.asked])
    return Case(provider, kind, Spell.of(before.asked, first), Spell.of(during.asked, then), wrong)


async def _in_trouble(simulators: str, kind: str, callers: Callers, load: Load) -> None:
    """The fault comes while requests are under way."""
    fault = asyncio.create_task(trouble(simulators, callers.provider, kind))
    await callers.ask_for(load.seconds, load.at_once, least=load.least)
    fault.cancel()
    await asyncio.gather(fault, return_exceptions=True)


HEADING = (
    f"{'provider':12}{'fault':10}{'requests':>9}{'served':>9}{'calls':>7}{'USD/1000':>10}{'added':>9}"
    f"{'median':>9}{'added':>9}{'p99':>9}{'added':>9}{'longest':>9}"
)


def line(case: Case) -> str:
    """A row of the table; `added` is beside the same gateway before the fault."""
    before, during = case.before, case.during
    errors = ", ".join(f"{count} {name}" for name, count in sorted((*before.errors.items(), *during.errors.items())))
    return (
        f"{case.provider:12}{case.kind:10}{during.asked:>9}{during.served:>9.2%}{during.amplification:>7.3f}"
        f"{during.cost:>10.4f}{during.cost - before.cost:>+9.4f}"
        f"{during.median:>8.2f}s{during.median - before.median:>+8.2f}s"
        f"{during.p99:>8.2f}s{during.p99 - before.p99:>+8.2f}s{during.longest:>8.2f}s"
        f" {'kept' if case.holds else 'NOT KEPT'} {errors} {dict(case.wrong) or ''}"
    ).rstrip()
