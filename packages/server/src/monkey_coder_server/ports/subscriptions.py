"""Subscriptions as they were seen, and the plans they keep accounts on."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from monkey_coder_server.domain.subscriptions import Subscription


class Subscriptions(Protocol):
    """Raises `Unavailable`."""

    async def bring(self, seen: Subscription, at: datetime) -> Subscription:
        """Bring a subscription, and the history of its account's plans, to one more sight; what is known after it.

        Raises `NotFound` without such an account.
        """

    async def of_account(self, account_id: str) -> Sequence[Subscription]:
        """An account's subscriptions, the newest period first, ended ones included."""
