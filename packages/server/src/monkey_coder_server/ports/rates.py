"""Rates of accounts as they are set and read; `domain.rates` says what they mean."""

from collections.abc import Sequence
from typing import Protocol

from monkey_coder_server.domain.rates import RateRule


class RateRules(Protocol):
    """The rules of accounts. `standing` reads memory; changes of other processes are seen within ten seconds.

    A key's own requests a minute stand with the key (`KeyRecord.rate`), wherever they are set from, and are none of
    these.
    """

    async def put(self, account_id: str, rule: RateRule) -> None:
        """Set a rule, or change what it allows. Raises `NotFound` when the account has no such key."""

    async def remove(self, account_id: str, rule: RateRule) -> None:
        """Take a rule back, whatever it allows. Raises as `put`."""

    async def rules(self, account_id: str) -> Sequence[RateRule]:
        """Every rule of an account."""

    def standing(self, account_id: str) -> Sequence[RateRule]:
        """The rules of an account, whoever in it they are for."""
