"""How often codes may be tried: by an account, and from a network address. What was right counts for neither."""

from collections.abc import Mapping

from monkey_coder_server.domain.errors import RateLimited
from monkey_coder_server.domain.throttling import SECOND, Allowance, place_of
from monkey_coder_server.features.billing.promotions.dependencies import Dependencies
from monkey_coder_server.web.request import Request

AN_ACCOUNT = Allowance(free=5, forgotten_after=3_600 * SECOND, first=30 * SECOND, longest=3_600 * SECOND)
"""About a guess an hour, after the first five."""
A_PLACE = Allowance(free=20, forgotten_after=900 * SECOND, first=10 * SECOND, longest=900 * SECOND)
"""A hundred a day, after the first twenty: whoever opens many accounts guesses no faster."""
_TOO_MANY = "Too many codes were tried, from this account or this network address; wait a little before the next."


async def count_try(use: Dependencies, request: Request) -> None:
    """Count a code before it is looked at. Raises `RateLimited`, `Unavailable`."""
    pause = await use.tries.take(_subjects(request), use.clock.now())
    if pause:
        raise RateLimited(_TOO_MANY, retry_after=pause.total_seconds())


async def was_right(use: Dependencies, request: Request) -> None:
    """The code gave credit: it was no guess."""
    for subject, allowance in _subjects(request).items():
        await use.tries.give_back(subject, allowance)


def _subjects(request: Request) -> Mapping[str, Allowance]:
    return {
        f"promotion codes of {request.principal.account_id}": AN_ACCOUNT,
        f"promotion codes from {place_of(request.client_ip)}": A_PLACE,
    }
