"""How much trying other models may cost an account: the conservative ledger of the router.

Playing the best-ranked model is worth the quality it is believed to have. Whoever is played another model is promised
nine tenths of that over all requests: an outcome of a tried model that nobody has told yet counts as nothing.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import NamedTuple

ALLOWED_LOSS = 0.1
"""Of what the best-ranked models were worth together."""
MOST_ACCOUNTS = 2_000
REMEMBERED = 20_000
"""Tried answers whose outcome may still come; of a forgotten one nothing is heard any more."""


@dataclass(slots=True)
class _Account:
    worth: float = 0.0
    """Of the best-ranked models, for all requests."""
    lost: float = 0.0
    """Of that, by trying others: what they were not proven to be worth."""


class _Trial(NamedTuple):
    account_id: str
    brought: float
    """The quality it was told to have."""


class Restraint:
    """The ledger of every account, in this process."""

    def __init__(self) -> None:
        self._accounts: OrderedDict[str, _Account] = OrderedDict()
        self._trials: OrderedDict[str, _Trial] = OrderedDict()

    def allows(self, account_id: str, worth: float) -> bool:
        """Whether another model may be tried on a request for which the best-ranked is worth so much."""
        account = self._accounts.get(account_id)
        return account is not None and account.lost + worth <= ALLOWED_LOSS * (account.worth + worth)

    def played(self, request_id: str, account_id: str, worth: float, *, tried: bool) -> None:
        """A request was served by the best-ranked model, which is worth so much, or by another that was tried."""
        account = self._accounts.pop(account_id, None) or _Account()
        self._accounts[account_id] = account
        if len(self._accounts) > MOST_ACCOUNTS:
            self._accounts.popitem(last=False)
        account.worth += worth
        if tried:
            account.lost += worth
            self._trials[request_id] = _Trial(account_id, 0.0)
            if len(self._trials) > REMEMBERED:
                self._trials.popitem(last=False)

    def told(self, request_id: str, quality: float) -> None:
        """How a request turned out, 0 to 1. Of one told again the latest counts."""
        trial = self._trials.get(request_id)
        account = None if trial is None else self._accounts.get(trial.account_id)
        if trial is not None and account is not None:
            account.lost -= quality - trial.brought
            self._trials[request_id] = trial._replace(brought=quality)
