"""Spending limits as they are set and read; `domain.limits` says what they mean."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from monkey_coder_server.domain.limits import Limit, Standing


class Limits(Protocol):
    """The limits of accounts. Money in nano-dollars. Changes are durable on return and bind every request after it."""

    async def put(self, account_id: str, limit: Limit, at: datetime) -> None:
        """Set a limit, or change what it allows; it counts what was spent in its period before, too.

        Raises `NotFound` when the account has no wallet, or no such key.
        """

    async def remove(self, account_id: str, limit: Limit) -> bool:
        """Take a limit back, whatever it allows; False when there is none. Raises as `put`."""

    async def standings(self, account_id: str, at: datetime) -> Sequence[Standing]:
        """Every limit of an account, its projects and its keys in use, with what is spent and held at a moment."""
