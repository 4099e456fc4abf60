"""How much trying other models may cost an account: the conservative ledger of the router, one for each account.

Playing the best-ranked model is worth the quality it is believed to have. Whoever is played another model keeps all of
that but a twentieth over all requests: an outcome of a tried model that nobody has told yet counts as nothing.
"""

from collections import OrderedDict
from typing import NamedTuple

from monkey_coder_server.domain.bandit.conservatism import Conservatism

LEAST = 0.0
"""The quality of an answer that is bad, and of one of which nothing is known yet."""
MOST_ACCOUNTS = 2_000
REMEMBERED = 20_000
"""Tried answers whose outcome may still come; of a forgotten one nothing is heard any more."""


class _Trial(NamedTuple):
    account_id: str
    counted: float
    """The quality it counts with so far."""


class Restraint:
    """The ledger of every account, in this process."""

    def __init__(self) -> None:
        self._accounts: OrderedDict[str, Conservatism] = OrderedDict()
        self._trials: OrderedDict[str, _Trial] = OrderedDict()

    def allows(self, account_id: str, worth: float) -> bool:
        """Whether another model may be tried on a request for which the best-ranked is worth so much."""
        account = self._accounts.get(account_id)
        return account is not None and account.allows(LEAST, worth)

    def played(self, request_id: str, account_id: str, worth: float, *, tried: bool) -> None:
        """A request was served by the best-ranked model, which is worth so much, or by another that was tried."""
        account = self._accounts.pop(account_id, None) or Conservatism()
        self._accounts[account_id] = account
        if len(self._accounts) > MOST_ACCOUNTS:
            self._accounts.popitem(last=False)
        if not tried:
            account.keep_to_baseline(worth)
            return
        account.start(LEAST, worth)
        self._trials[request_id] = _Trial(account_id, LEAST)
        if len(self._trials) > REMEMBERED:
            self._trials.popitem(last=False)

    def told(self, request_id: str, quality: float) -> None:
        """How a request turned out, 0 to 1. Of one told again the latest counts."""
        trial = self._trials.get(request_id)
        account = None if trial is None else self._accounts.get(trial.account_id)
        if trial is not None and account is not None:
            account.learn(trial.counted, quality)
            self._trials[request_id] = trial._replace(counted=quality)
