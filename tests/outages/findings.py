"""What came of an outage: who was served meanwhile, and how long the slowest had to wait for their end."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.outages.asking import Asked
from tests.outages.house import House
from tests.outages.outages import Outage


@dataclass(frozen=True, slots=True)
class Share:
    """What became of requests. `longest`: seconds until the slowest of them had its end."""

    asked: int
    served: int
    errors: Mapping[str, int]
    longest: float

    @property
    def percent(self) -> float:
        """Of those asked, served."""
        return 100 * self.served / self.asked if self.asked else 100.0


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """One outage: `within` requests of keys with plenty, on leases; `named` those of them under a `task_id`, which need
    the books; `limited` those of keys that may run out."""

    outage: Outage
    within: Share
    named: Share
    limited: Share


def meanwhile(house: House, outage: Outage, asked: Sequence[Asked]) -> Meanwhile:
    """The requests that were running at any moment of an outage."""
    steady = {payer.name for payer in house.payers if payer.most is None}
    during = [one for one in asked if one.began < outage.back and one.ended > outage.gone]
    return Meanwhile(
        outage,
        within=_share([one for one in during if one.payer in steady and not one.named]),
        named=_share([one for one in during if one.named]),
        limited=_share([one for one in during if one.payer not in steady]),
    )


def _share(asked: Sequence[Asked]) -> Share:
    errors = Counter(one.error for one in asked if not one.served)
    longest = max((one.ended - one.began for one in asked), default=0.0)
    return Share(len(asked), len(asked) - errors.total(), errors, longest)
