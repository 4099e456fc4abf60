"""`GET /v1/billing/forecast`: when the credit runs out, and what the month will come to."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from monkey_coder_protocol.billing import Forecast, RunOutForecast, SpendForecast
from monkey_coder_server.domain import forecast
from monkey_coder_server.domain.forecast import Pace, Span
from monkey_coder_server.domain.money import usd
from monkey_coder_server.domain.scopes import BILLING_READ
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.ledger import Records
from monkey_coder_server.ports.usage_reports import Grouping, UsageReports, Wanted
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_reply

_DAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PERCENT = round(100 * forecast.PROBABILITY)


@dataclass(frozen=True, slots=True)
class _Now:
    """The moment estimates begin, with what the month cost before it."""

    at: datetime
    spent: int

    @property
    def midnight(self) -> datetime:
        """The beginning of the UTC day."""
        return self.at.replace(hour=0, minute=0, second=0, microsecond=0)

    @property
    def begun(self) -> float:
        """The part of the day that is over."""
        return (self.at - self.midnight) / _DAY

    @property
    def left_of_month(self) -> float:
        """Days."""
        return ((self.midnight.replace(day=1) + 32 * _DAY).replace(day=1) - self.at) / _DAY


class ForecastRoute:
    """The endpoint, over one set of dependencies."""

    def __init__(self, ledger: Records, reports: UsageReports, clock: Clock) -> None:
        self._ledger = ledger
        self._reports = reports
        self._clock = clock

    def route(self) -> Route:
        """The route."""
        return Route("GET", "/v1/billing/forecast", self.forecast, scope=BILLING_READ, gives=Forecast)

    async def forecast(self, request: Request) -> Reply:
        """When the credit runs out at the pace of the last weeks, and what the rest of the month will cost."""
        account, at = request.principal.account_id, self._clock.now()
        await self._ledger.booked(account)
        month = at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        now = _Now(at, await self._ledger.spent(account, start=month, end=at + _DAY))
        history = await self._history(account, now.midnight)
        wallet = await self._ledger.wallet(account)
        found = forecast.pace(history, now.midnight.weekday())
        return json_reply(
            Forecast(
                at=at.isoformat(),
                available_usd=usd(wallet.available),
                days=len(forecast.known(history)),
                days_needed=forecast.LEAST_DAYS,
                enough_history=found is not None,
                interval_percent=PERCENT,
                spent_month_usd=usd(now.spent),
                a_day=_a_day(found, now),
                rest_of_month=_month(found, now, 0),
                month=_month(found, now, now.spent),
                runs_out=_runs_out(found, now, wallet.available),
            )
        )

    async def _history(self, account: str, midnight: datetime) -> list[int]:
        """What each whole day cost, oldest first, from the sums that are kept by the day."""
        first = midnight - forecast.MOST_DAYS * _DAY
        [days] = await self._reports.grouped(account, Wanted(first, midnight), [Grouping(("day",))])
        prices = {int(each.names[0]): each.figures.price for each in days}
        beginning = (first - _EPOCH).days
        return [prices.get(beginning + number, 0) for number in range(forecast.MOST_DAYS)]


def _a_day(found: Pace | None, now: _Now) -> SpendForecast | None:
    if found is None:
        return None
    week = forecast.spend(found, now.at.weekday(), forecast.WEEK, begun=now.begun)
    return _span(Span(*[each // forecast.WEEK for each in (week.low, week.expected, week.high)]), 0)


def _month(found: Pace | None, now: _Now, spent: int) -> SpendForecast | None:
    if found is None:
        return None
    return _span(forecast.spend(found, now.at.weekday(), now.left_of_month, begun=now.begun), spent)


def _runs_out(found: Pace | None, now: _Now, available: int) -> RunOutForecast | None:
    if found is None:
        return None
    ends = forecast.runs_out(found, now.at.weekday(), available, begun=now.begun)
    return RunOutForecast(
        earliest=_date(now, ends.earliest), expected=_date(now, ends.expected), latest=_date(now, ends.latest)
    )


def _span(span: Span, spent: int) -> SpendForecast:
    return SpendForecast(
        low_usd=usd(spent + span.low), expected_usd=usd(spent + span.expected), high_usd=usd(spent + span.high)
    )


def _date(now: _Now, days: int | None) -> str | None:
    return None if days is None else (now.midnight + days * _DAY).date().isoformat()
