"""Each fault at each provider under load, before it a while without one; then the books beside the bills."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from monkey_coder_server.domain.money import usd
from tests.faults.asking import Asked, Callers
from tests.faults.faults import HEALTHY, trouble
from tests.kills.gateway import Life, Stage, stage

LEAST_SERVED, MOST_CALLS = 0.999, 1.1
CHARGES = "SELECT request_id, charged FROM holds WHERE charged > 0"
COSTS = "SELECT provider_request_id, cost FROM provider_costs WHERE cost > 0"


@dataclass(frozen=True, slots=True)
class Load:
    """So many callers for so long, with each fault."""

    seconds: float
    at_once: int


@dataclass(frozen=True, slots=True)
class Case:
    """What came of a fault. Seconds; `calls` to providers; nano-dollars that providers billed."""

    provider: str
    kind: str
    asked: int
    errors: Mapping[str, int]
    calls: int
    billed: int
    median: float
    p99: float
    longest: float

    @property
    def served(self) -> float:
        """The share of requests that got their whole answer."""
        return 1.0 - sum(self.errors.values()) / max(1, self.asked)

    @property
    def amplification(self) -> float:
        """Calls for each request."""
        return self.calls / max(1, self.asked)

    @property
    def cost(self) -> float:
        """USD that providers billed for 1,000 requests."""
        return self.billed / 1e6 / max(1, self.asked)


@dataclass(frozen=True, slots=True)
class Proof:
    """The first case is without a fault. `wrong` is empty when the books are equal."""

    cases: Sequence[Case]
    wrong: Mapping[str, Any]

    @property
    def holds(self) -> bool:
        """Whether the bar is kept: of all requests under faults together, and in the books."""
        faults = self.cases[1:]
        asked = sum(case.asked for case in faults)
        served = sum(case.asked * case.served for case in faults)
        calls = sum(case.calls for case in faults)
        return bool(asked) and served / asked >= LEAST_SERVED and calls / asked <= MOST_CALLS and not self.wrong


def prove(
    data: Path,
    faults: Sequence[tuple[str, str]],
    *,
    seconds: float,
    at_once: int,
    told: Callable[[str], None] = lambda _: None,
) -> Proof:
    """Play `(provider, kind)` one after another, so long each, with so many callers."""
    with stage(data) as where:
        with Life(where) as gateway:
            cases, asked = asyncio.run(_play(gateway, where, faults, Load(seconds, at_once), told))
        return Proof(cases, _apart(where, asked))


async def _play(
    gateway: Life, where: Stage, faults: Sequence[tuple[str, str]], load: Load, told: Callable[[str], None]
) -> tuple[list[Case], list[Asked]]:
    await gateway.ready()
    cases: list[Case] = []
    asked: list[Asked] = []
    bills = 0
    for number, (provider, kind) in enumerate([("openai", HEALTHY), *faults]):
        callers = Callers(where.base_url, where.key, provider, seed=number)
        fault = asyncio.create_task(trouble(where.simulators, provider, kind))
        await asyncio.sleep(0.1)
        await callers.ask_for(load.seconds, load.at_once)
        fault.cancel()
        await asyncio.gather(fault, return_exceptions=True)
        billed = (await asyncio.to_thread(where.tally))["requests"]
        cases.append(_case(provider, kind, callers.asked, billed[bills:]))
        bills = len(billed)
        asked += callers.asked
        told(line(cases[-1], cases[0]))
    return cases, asked


def _case(provider: str, kind: str, asked: Sequence[Asked], bills: Sequence[Mapping[str, Any]]) -> Case:
    times = sorted(one.seconds for one in asked)
    return Case(
        provider,
        kind,
        len(asked),
        Counter(one.error for one in asked if one.error),
        len(bills),
        sum(bill["cost_nanos"] for bill in bills),
        times[len(times) // 2],
        times[len(times) * 99 // 100],
        times[-1],
    )


def _apart(where: Stage, asked: Sequence[Asked]) -> dict[str, Any]:
    """Charges that are not what callers were told, and costs that are not what the simulators billed."""
    charges = dict(where.read(CHARGES))
    told = {one.request_id: one.cost_usd for one in asked if not one.error}
    costs = Counter(where.read(COSTS))
    bills = [bill for bill in where.tally()["requests"] if bill["cost_nanos"]]
    known = {name for name, _ in costs}
    billed = Counter(
        (bill["answer_id"] if bill["answer_id"] in known else bill["request_id"], bill["cost_nanos"]) for bill in bills
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
    f"{'median':>9}{'p99':>9}{'added':>9}{'longest':>9}"
)


def line(case: Case, healthy: Case) -> str:
    """A row of the table; `added` is beside the case without a fault."""
    errors = ", ".join(f"{count} {name}" for name, count in sorted(case.errors.items()))
    return (
        f"{case.provider:12}{case.kind:10}{case.asked:>9}{case.served:>9.2%}{case.amplification:>7.3f}"
        f"{case.cost:>10.4f}{case.cost - healthy.cost:>+9.4f}{case.median:>8.2f}s{case.p99:>8.2f}s"
        f"{case.p99 - healthy.p99:>+8.2f}s{case.longest:>8.2f}s {errors}"
    ).rstrip()
