"""Outages one after another under a load that never stops, then the books."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from tests.outages.audit import Books, audit
from tests.outages.findings import Meanwhile, meanwhile
from tests.outages.house import House, Payer, house
from tests.outages.load import Load
from tests.outages.outages import Outage, Way, outage

USD_A_SECOND = Decimal("0.0003")
"""What a limited payer may spend for each second of the whole: about half of what it asks for."""


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds: `warm` of load before each outage, `away` for each of them, `after` the last one."""

    warm: float
    away: float
    after: float = 30.0


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of it all."""

    outages: Sequence[Meanwhile]
    books: Books
    payers: Sequence[Payer]


def prove(data: Path, ways: Sequence[Way], times: Times, *, told: Callable[[str], None] = lambda _: None) -> Proof:
    """Run it. Raises `NoPostgresql`."""
    total = len(ways) * (times.warm + times.away) + times.after
    with house(data, limit=USD_A_SECOND * int(total)) as where:
        load = Load(where)
        seen = asyncio.run(_run(where, load, ways, times, told))
        where.close()
        return Proof([meanwhile(where, one, load.asked) for one in seen], audit(where, load.asked), where.payers)


async def _run(
    where: House, load: Load, ways: Sequence[Way], times: Times, told: Callable[[str], None]
) -> list[Outage]:
    load.start()
    seen = []
    for way in ways:
        await asyncio.sleep(times.warm)
        await load.warm()
        told(f"{way.name}: the database goes away for {times.away:.0f} s")
        seen.append(await outage(where, way, seconds=times.away))
    await asyncio.sleep(times.after)
    await load.stop()
    return seen
