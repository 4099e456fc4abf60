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


def owed_for(bills: tuple[Bill, ...], provider: str | None) -> tuple[int, Mapping[str, int]]:
    """What bills come to, in nano-dollars, and the sum of each provider's but the one named."""
    if not bills:
        return 0, NOTHING
    owed: Counter[str] = Counter()
    for bill in bills:
        owed[bill.provider] += bill.cost
    return owed.total(), {name: cost for name, cost in owed.items() if name != provider}


def _wasted_usage(waste: Waste, job: Job) -> Usage:
    rule = waste.route.provider.usage_rule_for(waste.route.card.model, job.request.spoken)
    return usage_of(waste.answer, waste.request or job.request, rule, unfinished=waste.unfinished)
