"""How many pages of the processor an account is made: each is calls there, where all accounts share one bound."""

from monkey_coder_server.domain.errors import RateLimited
from monkey_coder_server.domain.throttling import SECOND, Allowance
from monkey_coder_server.features.billing.buying.dependencies import Dependencies

PAGES = Allowance(free=60, forgotten_after=60 * SECOND, first=60 * SECOND, longest=60 * SECOND)
"""Sixty at once, then one a minute."""


async def count_page(use: Dependencies, account_id: str) -> None:
    """Count a page that is asked for, for all processes. Raises `RateLimited`, `Unavailable`."""
    pause = await use.tries.take({f"pages to pay on of {account_id}": PAGES}, use.clock.now())
    if pause:
        raise RateLimited(
            "Many pages to pay on were asked for; ask for the next a little later.", retry_after=pause.total_seconds()
        )
