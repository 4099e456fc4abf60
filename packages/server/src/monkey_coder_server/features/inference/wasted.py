"""What providers bill us for answers nobody got."""

from collections import Counter
from collections.abc import Mapping

from monkey_coder_server.domain.nothing import NOTHING
from monkey_coder_server.domain.usage import Usage
from monkey_coder_server.features.inference.job import Job
from monkey_coder_server.features.inference.measure import usage_of
from monkey_coder_server.features.inference.trail import Trail, Waste
from monkey_coder_server.ports.ledger import Bill


def wasted_bills(trail: Trail, job: Job) -> tuple[Bill, ...]:
    """What providers bill us for answers nobody got."""
    return tuple([_bill_of(waste, job) for waste in trail.wasted]) if trail.wasted else ()


def _bill_of(waste: Waste, job: Job) -> Bill:
    route, usage = waste.route, _wasted_usage(waste, job)
    return Bill(route.provider.name, route.card.model, usage, route.tariff.cost(usage), waste.provider_request_id)


def sums(bills: tuple[Bill, ...]) -> Mapping[str, int]:
    """The sum of each provider's bills, in nano-dollars."""
    if not bills:
        return NOTHING
    owed: Counter[str] = Counter()
    for bill in bills:
        owed[bill.provider] += bill.cost
    return owed


def all_but(provider: str | None, bills: Mapping[str, int]) -> Mapping[str, int]:
    """The sums of all but one provider."""
    return {name: bill for name, bill in bills.items() if name != provider} if bills else NOTHING


def _wasted_usage(waste: Waste, job: Job) -> Usage:
    rule = waste.route.provider.usage_rule_for(waste.route.card.model, job.request.spoken)
    return usage_of(waste.answer, waste.request or job.request, rule, unfinished=waste.unfinished)
