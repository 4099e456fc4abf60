"""What a request takes of every limit that counts for it, from its admission to its end."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from math import ceil
from typing import NamedTuple

from monkey_coder_server.domain.errors import RateLimited
from monkey_coder_server.domain.rates import Bound, Caller, HouseRates, Measure, RateRule, bounds
from monkey_coder_server.ports.accounts import KeyRecord
from monkey_coder_server.ports.quotas import Pass, Quotas, Refusal, Standing, Take
from monkey_coder_server.web.principal import Principal
from monkey_coder_server.web.respond import Headers

RuleBook = Callable[[str], Sequence[RateRule]]
"""The rules of an account, from memory."""
LONGEST_WAIT = 60.0
"""Seconds a refused caller is told to wait at most: a minute, whatever the cells add that limits are counted in."""
REMEMBERED = 4_096
"""Callers whose bounds are kept at hand."""


class _Asking(NamedTuple):
    """What a request takes that is like another one, as long as the same `key` and `rules` hold.

    `counted` are the bounds its caller is told of; `later` whether tokens or models count as well.
    """

    key: KeyRecord | None
    rules: Sequence[RateRule]
    caller: Caller
    found: tuple[Bound, ...]
    takes: tuple[Take, ...]
    counted: tuple[Bound, ...]
    later: bool


class Limits:
    """Admits requests to every limit at once. `rules` are those of an account, `house` what the settings say."""

    def __init__(self, quotas: Quotas, rules: RuleBook, house: HouseRates) -> None:
        self._quotas = quotas
        self._rules = rules
        self._house = house
        self._asking: dict[tuple[str, str, str, bool], _Asking] = {}

    async def enter(self, principal: Principal, address: str, *, stays: bool) -> "Ticket":
        """Take one request, and its place while it `stays`. Raises `RateLimited`."""
        rules = self._rules(principal.account_id)
        place = (principal.account_id, principal.key_id, address if self._house.address else "", stays)
        asking = self._asking.get(place)
        if asking is None or asking.key is not principal.key or asking.rules is not rules:
            asking = self._asked(principal, rules, place)
        taken = await self._quotas.admit(asking.takes)
        if isinstance(taken, Refusal):
            raise self._refused(taken, asking.takes, asking.found)
        headers = _headers(map(self._quotas.standing, asking.counted))
        return Ticket(self, taken, asking.caller if asking.later and stays else None, headers)

    def _asked(self, principal: Principal, rules: Sequence[RateRule], place: tuple[str, str, str, bool]) -> _Asking:
        """Find out, and keep it for the next request."""
        account_id, key_id, address, stays = place
        key = principal.key
        caller = Caller(
            account_id=account_id,
            key_id=key_id,
            project_id=None if key is None else key.project_id,
            team_id=None if key is None else key.team_id,
            rate=None if key is None else key.rate,
            address=address,
        )
        found = bounds(caller, rules, self._house)
        takes = [
            Take(bound, 1)
            for bound in found
            if bound.measure is Measure.REQUESTS or (stays and bound.measure is Measure.CONCURRENCY)
        ]
        later = any(rule.model for rule in rules) or any(bound.measure is Measure.TOKENS for bound in found)
        asking = _Asking(key, rules, caller, found, tuple(takes), _counted(found), later)
        if len(self._asking) >= REMEMBERED:
            del self._asking[next(iter(self._asking))]
        self._asking[place] = asking
        return asking

    async def reserve(self, caller: Caller, tokens: int, models: Collection[str]) -> Pass:
        """Take the tokens a request can use, and what only counts for its models. Raises `RateLimited`."""
        takes, found = [], bounds(caller, self._rules(caller.account_id), self._house, models)
        for bound in found:
            if bound.measure is Measure.TOKENS:
                takes.append(Take(bound, tokens))
            elif bound.model:
                takes.append(Take(bound, 1))
        taken = await self._quotas.admit(takes)
        if isinstance(taken, Refusal):
            raise self._refused(taken, takes, found)
        return taken

    def _refused(self, refusal: Refusal, takes: Sequence[Take], found: Sequence[Bound]) -> RateLimited:
        bound, wait = refusal.standing.bound, min(refusal.retry_after, LONGEST_WAIT)
        others = [self._quotas.standing(each) for each in _counted(found) if each.measure is not bound.measure]
        figures = {**_figures(others), **_figures([refusal.standing], wait)}
        facts = {"limit": bound.name, "holder": bound.holder, **figures}
        wanted = next(take.amount for take in takes if take.bound is bound)
        if wanted > bound.allowed:
            message = f"This request can take {wanted} tokens, and the limit is {bound.told}; ask for fewer."
            return RateLimited(message, facts=facts, retry_after=wait)
        message = f"The limit of {bound.told} is reached; wait {wait:.1f} seconds."
        return RateLimited(message, facts=facts, retry_after=wait)


class Ticket:
    """What one request holds of its limits. Whoever starts it ends it; what is ended twice is ended once.

    `headers` say what is left. `running` says that somebody ends it later than whoever let it in. `used` are the tokens
    it is known to have used, whatever becomes of their booking.
    """

    __slots__ = ("_caller", "_limits", "_reserved", "_taken", "headers", "running", "used")

    def __init__(self, limits: Limits, taken: Pass, caller: Caller | None, headers: Headers) -> None:
        self.headers = headers
        self.running = False
        self.used = 0
        self._limits = limits
        self._taken = taken
        self._caller = caller
        self._reserved: Pass | None = None

    async def reserve(self, tokens: int, models: Collection[str]) -> None:
        """Take so many tokens in place of what was reserved before. Raises `RateLimited`; then nothing counts."""
        if self._caller is None:
            return
        if self._reserved is not None:
            self._reserved.cancel()
            self._reserved = None
        try:
            self._reserved = await self._limits.reserve(self._caller, tokens, models)
        except RateLimited:
            self._taken.cancel()
            raise

    def settle(self, tokens: int) -> None:
        """The request is over and used so many tokens, if it is not known to have used more."""
        tokens = max(tokens, self.used)
        self._taken.settle(tokens)
        if self._reserved is not None:
            self._reserved.settle(tokens)
            self._reserved = None


def _counted(found: Sequence[Bound]) -> tuple[Bound, ...]:
    """Those that count by the minute; places have no figures that callers know."""
    return tuple([bound for bound in found if bound.measure is not Measure.CONCURRENCY])


def _figures(standings: Sequence[Standing], retry_after: float = 0.0) -> Mapping[str, str]:
    """What the headers say, as an error's facts."""
    return {name.decode(): figure.decode() for name, figure in _headers(standings, retry_after)}


def _headers(standings: Iterable[Standing], retry_after: float = 0.0) -> Headers:
    """Of the tightest of those that count requests, and of those that count tokens."""
    headers: Headers = []
    requests = tokens = None
    for standing in standings:
        if standing.bound.measure is Measure.REQUESTS:
            requests = standing if requests is None else min(requests, standing, key=_tightness)
        elif standing.bound.measure is Measure.TOKENS:
            tokens = standing if tokens is None else min(tokens, standing, key=_tightness)
    if requests is not None:
        headers += _told(requests, retry_after, b"-requests")
    if tokens is not None:
        headers += _told(tokens, retry_after, b"-tokens")
    if requests is not None:
        (_, allowed), (_, left), (_, reset) = headers[:3]
        seconds = reset[:-1]
        headers += ((b"x-ratelimit-limit", allowed), (b"x-ratelimit-remaining", left), (b"x-ratelimit-reset", seconds))
    return headers


def _tightness(standing: Standing) -> float:
    return standing.left / max(1, standing.bound.allowed)


def _told(standing: Standing, retry_after: float, suffix: bytes) -> Headers:
    bound, left, reset = standing
    return [
        (b"x-ratelimit-limit" + suffix, b"%d" % bound.allowed),
        (b"x-ratelimit-remaining" + suffix, b"%d" % left),
        (b"x-ratelimit-reset" + suffix, b"%ds" % ceil(max(reset, retry_after))),
    ]


def rate_headers(facts: Mapping[str, str]) -> Headers:
    """The `x-ratelimit-*` headers among an error's facts or the figures of limits; reset is seconds from now."""
    return [(name.encode(), value.encode()) for name, value in facts.items() if name.startswith("x-ratelimit-")]
