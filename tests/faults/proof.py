"""Each fault at each provider under load: a gateway of its own, which first works without it; then its books."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monkey_coder_server.domain.money import usd
from tests.faults.asking import Asked, Callers
from tests.faults.faults import trouble
from tests.faults.spell import Spell
from tests.kills.gateway import Life, Stage, stage

LEAST_SERVED, MOST_CALLS = 0.999, 1.1
WITHOUT = 0.5
"""Share of a fault's time for which the gateway works without it before."""
CHARGES = "SELECT request_id, charged FROM holds WHERE charged > 0"
COSTS = "SELECT provider_request_id, cost FROM provider_costs WHERE cost > 0"


@dataclass(frozen=True, slots=True)
class Load:
    """So many callers for so many seconds with each fault."""

    seconds: float
    at_once: int


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
    data: Path, faults: Sequence[tuple[str, str]], load: Load, told: Callable[[str], None] = lambda _: None
) -> Sequence[Case]:
    """Play `(provider, kind)` one after another."""
    cases = []
    for provider, kind in faults:
        place = data / f"{provider}-{kind}"
        place.mkdir()
        cases.append(_case(place, provider, kind, load))
        told(line(cases[-1]))
    return cases


def _case(data: Path, provider: str, kind: str, load: Load) -> Case:
    with stage(data) as where:
        before, during = (Callers(where.base_url, where.key, provider, seed=seed) for seed in (1, 2))
        with Life(where) as gateway:
            asyncio.run(gateway.ready())
            asyncio.run(before.ask_for(load.seconds * WITHOUT, load.at_once))
            first = len(_bills(where))
            asyncio.run(_in_trouble(where.simulators, kind, during, load))
        bills = _bills(where)
        wrong = _apart(where, [*before.asked, *during.asked], bills)
        return Case(provider, kind, Spell.of(before.asked, bills[:first]), Spell.of(during.asked, bills[first:]), wrong)


async def _in_trouble(simulators: str, kind: str, callers: Callers, load: Load) -> None:
    fault = asyncio.create_task(trouble(simulators, callers.provider, kind))
    await asyncio.sleep(0.1)
    await callers.ask_for(load.seconds, load.at_once)
    fault.cancel()
    await asyncio.gather(fault, return_exceptions=True)


def _bills(where: Stage) -> Sequence[Mapping[str, Any]]:
    bills: Sequence[Mapping[str, Any]] = where.tally()["requests"]
    return bills


def _apart(where: Stage, asked: Sequence[Asked], bills: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Charges that are not what callers were told, and costs that are not what the simulators billed."""
    charges = dict(where.read(CHARGES))
    told = {one.request_id: one.cost_usd for one in asked if not one.error}
    costs = Counter(where.read(COSTS))
    known = {name for name, _ in costs}
    billed = Counter(
        (bill["answer_id"] if bill["answer_id"] in known else bill["request_id"], bill["cost_nanos"])
        for bill in bills
        if bill["cost_nanos"]
    )
    checks = {
        "charged otherwise than told": [name for name in told if told[name] != usd(charges.get(name, 0))],
        "charged, but not served": sorted(charges.keys() - told.keys()),
        "costs that are no bill": sorted(map(str, costs - billed)),
        "bills not in our books": sorted(map(str, billed - costs)),
    }
    return {name: found for name, found in checks.items() if found}


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
