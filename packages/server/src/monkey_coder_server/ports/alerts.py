"""Alerts of accounts: their rules, the figures these look at, and what became news. Raises `Unavailable`."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from monkey_coder_server.domain.alerts import AlertKind, AlertRule, AlertStanding, Figures
from monkey_coder_server.ports.notices import Notice
from monkey_coder_server.ports.record import Record


class Alert(Record, frozen=True):
    """A rule an account set. `mail`: those who answer for the account are written to; webhooks are told anyway."""

    alert_id: str
    account_id: str
    rule: AlertRule
    mail: bool
    created_by: str
    created_at: datetime
    standing: AlertStanding = AlertStanding()
    fired_at: datetime | None = None


class Alerts(Protocol):
    """Each call is one transaction, durable on return."""

    async def add(self, alert: Alert, *, most: int) -> None:
        """Set an alert. Raises `NotFound` for an account without a wallet, `Conflict` when it has `most`."""

    async def of_account(self, account_id: str) -> Sequence[Alert]:
        """An account's alerts, oldest first."""

    async def remove(self, account_id: str, alert_id: str) -> bool:
        """Take an alert away; False when there is none. What it told before is still delivered."""

    async def take(self, now: datetime, until: datetime, *, most: int) -> Sequence[Alert]:
        """Some that are to be looked at, the longest waiting first: the caller's, and nobody's again until then."""

    async def figures(
        self, account_id: str, kinds: Collection[AlertKind], *, since: datetime, now: datetime
    ) -> Figures:
        """What alerts of these kinds look at, of one moment. Top-ups count that were begun since.

        Raises `NotFound` for an account without a wallet.
        """

    async def keep(
        self, alert: Alert, standing: AlertStanding, notices: Sequence[Notice], readers: Collection[str]
    ) -> bool:
        """Let an alert stand so, and store what is news with its deliveries, together; `readers` are user ids.

        False when it does not stand any more as it did in `alert`: then nothing is stored. A crossing that was told
        before is not told again.
        """
