"""What a request takes of every limit that counts for it, from its admission to its end."""

from collections.abc import Callable, Collection, Mapping, Sequence
from math import ceil

from monkey_coder_server.domain.errors import RateLimited
from monkey_coder_server.domain.rates import Bound, Caller, HouseRates, Measure, RateRule, bounds
from monkey_coder_server.ports.quotas import Pass, Quotas, Refusal, Standing, Take
from monkey_coder_server.web.principal import Principal
from monkey_coder_server.web.respond import Headers

RuleBook = Callable[[str], Sequence[RateRule]]
"""The rules of an account, from memory."""
LONGEST_WAIT = 60.0
"""Seconds a refused caller is told to wait at most: a minute, whatever the cells add that limits are counted in."""
_TOKENS = "-tokens"
_REQUESTS = "-requests"


class Limits:
    """Admits requests to every limit at once. `rules` are those of an account, `house` what the settings say."""

    def __init__(self, quotas: Quotas, rules: RuleBook, house: HouseRates) -> None:
        self._quotas = quotas
        self._rules = rules
        self._house = house

    async def enter(self, principal: Principal, address: str, *, stays: bool) -> "Ticket":
        """Take one request, and its place while it `stays`. Raises `RateLimited`."""
        key, rules = principal.key, self._rules(principal.account_id)
        caller = Caller(
            account_id=principal.account_id,
            key_id=principal.key_id,
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
        taken = await self._admit(takes, found)
        later = any(rule.model for rule in rules) or any(bound.measure is Measure.TOKENS for bound in found)
        return Ticket(self, taken, caller if later and stays else None, self._headers(found))

    async def reserve(self, caller: Caller, tokens: int, models: Collection[str]) -> Pass:
        """Take the tokens a request can use, and what only counts for its models. Raises `RateLimited`."""
        takes, found = [], bounds(caller, self._rules(caller.account_id), self._house, models)
        for bound in found:
            if bound.measure is Measure.TOKENS:
                takes.append(Take(bound, tokens))
            elif bound.model:
                takes.append(Take(bound, 1))
        return await self._admit(takes, found)

    async def _admit(self, takes: Sequence[Take], found: Sequence[Bound]) -> Pass:
        admitted = await self._quotas.admit(takes)
        if not isinstance(admitted, Refusal):
            return admitted
        bound, wait = admitted.standing.bound, min(admitted.retry_after, LONGEST_WAIT)
        others = [each for each in self._counted(found) if each.bound.measure is not bound.measure]
        figures = {**_figures(others), **_figures([admitted.standing], wait)}
        facts = {"limit": bound.name, "holder": bound.holder, **figures}
        wanted = next(take.amount for take in takes if take.bound is bound)
        if wanted > bound.allowed:
            message = f"This request can take {wanted} tokens, and the limit is {bound.told}; ask for fewer."
            raise RateLimited(message, facts=facts, retry_after=wait)
        message = f"The limit of {bound.told} is reached; wait {wait:.1f} seconds."
        raise RateLimited(message, facts=facts, retry_after=wait)

    def _headers(self, found: Sequence[Bound]) -> Headers:
        return rate_headers(_figures(self._counted(found)))

    def _counted(self, found: Sequence[Bound]) -> list[Standing]:
        """How those stand that count by the minute; places have no figures that callers know."""
        return [self._quotas.standing(bound) for bound in found if bound.measure is not Measure.CONCURRENCY]


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


def _figures(standings: Sequence[Standing], retry_after: float = 0.0) -> Mapping[str, str]:
    """What the headers say: the tightest of those that count requests, and of those that count tokens."""
    figures: dict[str, str] = {}
    for measure, suffix in ((Measure.REQUESTS, _REQUESTS), (Measure.TOKENS, _TOKENS)):
        counted = [standing for standing in standings if standing.bound.measure is measure]
        if counted:
            figures |= _figure(min(counted, key=_tightness), suffix, retry_after)
    if standings and "x-ratelimit-limit-requests" in figures:
        for part in ("limit", "remaining"):
            figures[f"x-ratelimit-{part}"] = figures[f"x-ratelimit-{part}-requests"]
        figures["x-ratelimit-reset"] = figures["x-ratelimit-reset-requests"].removesuffix("s")
    return figures


def _tightness(standing: Standing) -> float:
    return standing.left / max(1, standing.bound.allowed)


def _figure(standing: Standing, suffix: str, retry_after: float) -> dict[str, str]:
    return {
        f"x-ratelimit-limit{suffix}": str(standing.bound.allowed),
        f"x-ratelimit-remaining{suffix}": str(standing.left),
        f"x-ratelimit-reset{suffix}": f"{ceil(max(standing.reset, retry_after))}s",
    }


def rate_headers(facts: Mapping[str, str]) -> Headers:
    """The `x-ratelimit-*` headers among an error's facts or the figures of limits; reset is seconds from now."""
    return [(name.encode(), value.encode()) for name, value in facts.items() if name.startswith("x-ratelimit-")]
