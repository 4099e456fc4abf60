"""The rates of a key as its maker writes them: requests a minute stand with the key, the others among the rules."""

from collections.abc import Iterable, Mapping

from monkey_coder_protocol.auth import KeyRate
from monkey_coder_server.domain.limits import Holder, HolderKind
from monkey_coder_server.domain.rates import MOST, Measure, RateRule
from monkey_coder_server.features.accounts.dependencies import Dependencies
from monkey_coder_server.features.accounts.key_checks import checked_number
from monkey_coder_server.features.accounts.rates import HIGHEST_REQUESTS

BESIDE = (Measure.TOKENS, Measure.CONCURRENCY)
"""What the key's own record does not hold."""


def requests_of(wanted: int | KeyRate | None) -> int | None:
    """The requests a minute. Raises `InvalidRequest`."""
    if isinstance(wanted, KeyRate):
        return checked_number("rate.requests", wanted.requests, most=HIGHEST_REQUESTS)
    return checked_number("rate", wanted, most=HIGHEST_REQUESTS)


def others_of(wanted: int | KeyRate | None) -> dict[Measure, int]:
    """The other rates. Raises `InvalidRequest`."""
    if not isinstance(wanted, KeyRate):
        return {}
    given = {Measure.TOKENS: wanted.tokens, Measure.CONCURRENCY: wanted.concurrency}
    checked = {measure: checked_number(f"rate.{measure}", figure, most=MOST) for measure, figure in given.items()}
    return {measure: figure for measure, figure in checked.items() if figure is not None}


async def put_others(use: Dependencies, account_id: str, key_id: str, wanted: Mapping[Measure, int]) -> None:
    """Make them the key's rates beside its requests, in place of those it had."""
    holder = Holder(HolderKind.KEY, key_id)
    standing = {rule.measure for rule in await use.rates.rules(account_id) if rule.holder == holder and not rule.model}
    for measure in BESIDE:
        if measure in wanted:
            await use.rates.put(account_id, RateRule(holder, measure, wanted[measure]))
        elif measure in standing:
            await use.rates.remove(account_id, RateRule(holder, measure, 0))


def others_among(rules: Iterable[RateRule], key_id: str) -> dict[Measure, int]:
    """A key's rates beside its requests among those of its account, without those on one model."""
    holder = Holder(HolderKind.KEY, key_id)
    return {rule.measure: rule.allowed for rule in rules if rule.holder == holder and not rule.model}


def shown(requests: int | None, others: Mapping[Measure, int]) -> int | KeyRate | None:
    """All for the wire: a number where requests alone are limited."""
    if not others:
        return requests
    return KeyRate(requests=requests, tokens=others.get(Measure.TOKENS), concurrency=others.get(Measure.CONCURRENCY))
