"""The look-out: alerts are looked at in turn, by whichever gateway comes first, and what is news is stored to be told.

It reads what is booked already, so no request waits for it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby

import msgspec

from monkey_coder_server.domain.alerts import Crossing, look
from monkey_coder_server.domain.errors import Unavailable
from monkey_coder_server.features.billing.alerting.dependencies import Dependencies
from monkey_coder_server.features.billing.alerting.letters import Event
from monkey_coder_server.ports.alerts import Alert
from monkey_coder_server.ports.notices import Notice

AGAIN = timedelta(seconds=30)
"""How long nobody looks at an alert after somebody did."""
LOOKED_AT_ONCE = 200


class Watching:
    """One round after another; any number of processes may make them at once."""

    def __init__(self, use: Dependencies) -> None:
        self._use = use

    async def round(self) -> int:
        """Look at some alerts that are due; at how many. Raises `Unavailable`."""
        now = self._use.clock.now()
        taken = await self._use.alerts.take(now, now + AGAIN, most=LOOKED_AT_ONCE)
        for account_id, alerts in groupby(sorted(taken, key=_account), key=_account):
            try:
                await self._look(account_id, tuple(alerts), now)
            except Unavailable:
                raise
            except Exception as error:  # noqa: BLE001 - one account that cannot be looked at stops no other
                self._use.telemetry.defect("alerts", error)
        return len(taken)

    async def _look(self, account_id: str, alerts: Sequence[Alert], now: datetime) -> None:
        kinds = {each.rule.kind for each in alerts}
        since = min(each.created_at for each in alerts)
        figures = await self._use.alerts.figures(account_id, kinds, since=since, now=now)
        for alert in alerts:
            found = look(alert.rule, alert.standing, figures)
            if found is None:
                continue
            news = [self._notice(alert, each, now) for each in found.news]
            readers = await self._use.readers(account_id) if alert.mail and news else ()
            await self._use.alerts.keep(alert, found.standing, news, readers)

    def _notice(self, alert: Alert, crossing: Crossing, now: datetime) -> Notice:
        data = {"account_id": alert.account_id, "alert_id": alert.alert_id, **crossing.facts}
        event = Event(alert.rule.kind.value, now.isoformat(), data)
        return Notice(
            notice_id=self._use.ids.new("evt"),
            account_id=alert.account_id,
            alert_id=alert.alert_id,
            crossing=crossing.name,
            kind=alert.rule.kind.value,
            body=msgspec.json.encode(event).decode(),
            at=now,
        )


def _account(alert: Alert) -> str:
    return alert.account_id
