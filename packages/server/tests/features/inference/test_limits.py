"""What a request takes of limits on tokens, models and places, and what its caller is told."""

import pytest

from monkey_coder_server.adapters.limiter.quotas import LimiterQuotas
from monkey_coder_server.domain.errors import RateLimited
from monkey_coder_server.domain.limits import Holder, HolderKind
from monkey_coder_server.domain.rates import HouseRates, Measure, RateRule, SetRate
from monkey_coder_server.features.inference.limits import Limits
from monkey_coder_server.web.principal import Principal

ACCOUNT = Holder(HolderKind.ACCOUNT, "a")
RULES = (
    RateRule(ACCOUNT, Measure.TOKENS, 1000),
    RateRule(ACCOUNT, Measure.CONCURRENCY, 1),
    RateRule(ACCOUNT, Measure.REQUESTS, 1, "openai/big"),
)
HOUSE = HouseRates(SetRate(Measure.REQUESTS, 60, "RATE_LIMIT_PER_MINUTE"))
WHO = Principal(account_id="a", session_id="s", key_id="s")


def limits() -> Limits:
    return Limits(LimiterQuotas(lambda: 1000.0), lambda _account: RULES, HOUSE)


async def test_tokens_are_reserved_anew_trued_up_and_told() -> None:
    house = limits()
    ticket = await house.enter(WHO, "", stays=True)
    await ticket.reserve(900, ("openai/small",))
    await ticket.reserve(800, ("openai/small",))
    ticket.settle(300)
    told = dict((await house.enter(WHO, "", stays=False)).headers)
    assert told[b"x-ratelimit-remaining-requests"] == told[b"x-ratelimit-remaining"] == b"58"
    assert (told[b"x-ratelimit-limit-tokens"], told[b"x-ratelimit-remaining-tokens"]) == (b"1000", b"700")
    assert told[b"x-ratelimit-reset-requests"] == told[b"x-ratelimit-reset"] + b"s"


async def test_a_request_refused_for_its_tokens_counts_for_nothing_and_hears_whose_limit_it_was() -> None:
    house = limits()
    ticket = await house.enter(WHO, "", stays=True)
    with pytest.raises(RateLimited, match="this account") as refused:
        await ticket.reserve(1001, ("openai/small",))
    facts = refused.value.facts
    assert (facts["limit"], facts["holder"], facts["x-ratelimit-limit-tokens"]) == ("account_tokens", "account", "1000")
    assert (facts["x-ratelimit-limit"], facts["x-ratelimit-remaining-requests"]) == ("60", "59")
    again = await house.enter(WHO, "", stays=True)
    assert dict(again.headers)[b"x-ratelimit-remaining-requests"] == b"59"


async def test_places_and_single_models_have_limits_of_their_own() -> None:
    house = limits()
    ticket = await house.enter(WHO, "", stays=True)
    with pytest.raises(RateLimited, match="at once") as refused:
        await house.enter(WHO, "", stays=True)
    told = {name: figure for name, figure in refused.value.facts.items() if name.endswith(("requests", "tokens"))}
    assert told == {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "59",
        "x-ratelimit-reset-requests": "61s",
        "x-ratelimit-limit-tokens": "1000",
        "x-ratelimit-remaining-tokens": "1000",
        "x-ratelimit-reset-tokens": "0s",
    }
    await ticket.reserve(1, ("openai/big",))
    ticket.settle(1)
    second = await house.enter(WHO, "", stays=True)
    with pytest.raises(RateLimited, match="openai/big"):
        await second.reserve(1, ("openai/big",))
