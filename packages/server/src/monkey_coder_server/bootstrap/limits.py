"""Limits of requests: kept by this process alone, or shared by all that name one Redis."""

import contextlib
from collections.abc import AsyncIterator

from monkey_coder_server.adapters.limiter.bank import Bank
from monkey_coder_server.adapters.limiter.branch import Branch
from monkey_coder_server.adapters.limiter.quotas import LimiterQuotas
from monkey_coder_server.adapters.metrics import Metrics
from monkey_coder_server.adapters.redis import RedisStore
from monkey_coder_server.bootstrap.books import Books
from monkey_coder_server.bootstrap.house_rates import house_rates
from monkey_coder_server.domain.rates import Caller, HouseRates, bounds
from monkey_coder_server.features import billing
from monkey_coder_server.ports.quotas import Quotas, Standing
from monkey_coder_server.web.principal import Principal


@contextlib.asynccontextmanager
async def open_quotas(
    books: Books, shared: RedisStore | None, metrics: Metrics, share: tuple[int, int]
) -> AsyncIterator[Quotas]:
    """At the end of the block, what this process holds and has not used is free for the others.

    Without a shared store each process has its `share`: one, counted from 0, of how many on this host.
    """
    clock = books.clock
    if shared is None:
        yield LimiterQuotas(clock.monotonic, place=share)
        return
    branch = Branch(Bank(shared, books.ids.new("process")), clock.monotonic)
    track = metrics.track
    track("monkey_coder_limits_held", "Limits this process has a part in.", lambda: float(len(branch.parts)))
    track("monkey_coder_limits_peers", "Processes that share limits, this one too.", lambda: float(branch.peers))
    contact = "0 with the bank of limits, 1 to 3 the longer it is away."
    track("monkey_coder_limits_contact", contact, lambda: float(branch.contact))
    await branch.start()
    try:
        yield LimiterQuotas(clock.monotonic, branch)
    finally:
        await branch.stop()


def rate_left(books: Books, quotas: Quotas) -> billing.RateLeft:
    """How the requests a minute of the caller's key stand."""
    house = HouseRates(house_rates(books.settings).key)

    def left(principal: Principal) -> Standing:
        rate = None if principal.key is None else principal.key.rate
        return quotas.standing(bounds(Caller(principal.account_id, principal.key_id, rate=rate), (), house)[-1])

    return left
