"""A report of usage as sections of rows: by time, by model, or by what it was asked to be told apart by."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from monkey_coder.cli import output
from monkey_coder.cli.bars import Bar

if TYPE_CHECKING:
    from monkey_coder_protocol.queries import Granularity

TIMES: "Mapping[str, Granularity]" = {"hour": "hourly", "day": "daily", "week": "weekly", "month": "monthly"}
GROUPS = ("model", "provider", "key", "project", "persona", "cache")
CACHES = {
    "prompt": "prompts kept by providers ({} saved, writing paid)",
    "response": "answers given again ({} saved)",
    "none": "no cache",
}
MOST_MODELS = 8
"""In the overview; `--by model` has all."""
LONG_GAP = 3
"""Periods without usage in a row that are told in one line."""


@dataclass(frozen=True, slots=True)
class Section:
    """Rows under a title; a row without a bar is a note between others. `names` are of the cells of a table."""

    title: str
    names: tuple[str, ...]
    rows: Sequence[Bar | str]
    note: str = ""


def overview(report: Mapping[str, Any]) -> list[Section]:
    """By time, and the dearest models."""
    models = report.get("by_model") or []
    more = len(models) - MOST_MODELS
    note = f"and {more} more: `monkey usage --by model`" if more > 0 else ""
    rows = [_bar(name, (name,), entry, of=report) for entry in models[:MOST_MODELS] for name in [_model(entry)]]
    return [by_time(report), Section("By model", ("model",), rows, note)]


def by_time(report: Mapping[str, Any]) -> Section:
    """Every period from the first with usage to the last, oldest first."""
    granularity = str(report["period"]["granularity"])
    [unit] = [name for name, long in TIMES.items() if long == granularity]
    rows: list[Bar | str] = []
    before: datetime | None = None
    for entry in report.get("daily_usage") or []:
        at = _moment(entry["date"])
        rows += _between(before, at, unit)
        rows.append(_bar(_time(at, unit), (entry["date"],), entry))
        before = at
    return Section(f"By {unit}", (unit,), rows)


def by_group(report: Mapping[str, Any], by: Sequence[str]) -> Section:
    """Every group, the dearest first."""
    named = [(tuple(_name(entry, each) for each in by), entry) for entry in report.get("groups") or []]
    rows = [_bar(" · ".join(names), names, entry, of=report) for names, entry in named]
    return Section("By " + " and ".join(by), tuple(by), rows)


def total_line(report: Mapping[str, Any]) -> str:
    """The sums, as the gateway tells them."""
    requests, failed = report["total_requests"], report["execution_stats"]["failed"]
    how_many = f"{requests:,} request{'' if requests == 1 else 's'}" + (f" ({failed:,} failed)" if failed else "")
    return f"{output.usd(report['total_cost_usd'])} · {how_many} · {report['total_tokens']:,} tokens"


def saved_line(report: Mapping[str, Any]) -> str:
    """What caches spared; empty for nothing."""
    saved = report["cache_savings_usd"]
    return f"{output.usd(saved)} saved by caches" if Decimal(saved) else ""


def days_of(report: Mapping[str, Any]) -> str:
    """The period in days, both included."""
    period = report["period"]
    end = datetime.fromisoformat(period["end_date"]) - timedelta(microseconds=1)
    return f"{str(period['start_date'])[:10]} to {end.date()} (UTC)"


def _bar(name: str, cells: tuple[str, ...], entry: Mapping[str, Any], *, of: Mapping[str, Any] | None = None) -> Bar:
    """`of` is the report whose cost it is a part of."""
    cost, total = Decimal(entry["cost_usd"]), Decimal(0 if of is None else of["total_cost_usd"])
    tokens = int(entry.get("total_tokens", entry.get("tokens", 0)))
    share = round(100 * cost / total) if total else None
    return Bar(name, cells, cost, int(entry["requests"]), tokens, share)


def _model(entry: Mapping[str, Any]) -> str:
    return f"{entry['provider']}/{entry['model']}"


def _name(entry: Mapping[str, Any], dimension: str) -> str:
    if dimension in {"key", "project"}:
        return str(entry[f"{dimension}_name"] or entry[f"{dimension}_id"] or f"(no {dimension})")
    if dimension == "cache":
        saved = output.usd(entry["cache_savings_usd"])
        return CACHES.get(entry["cache"], f"{entry['cache']} ({{}} saved)").format(saved)
    return str(entry[dimension])


def _moment(text: str) -> datetime:
    """Of an hour, a day or the Monday of a week, or a month as `2026-11`."""
    moment = datetime.fromisoformat(text if len(text) > len("2026-11") else f"{text}-01")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _time(at: datetime, unit: str) -> str:
    forms = {"hour": "%m-%d %H:00", "day": "%a %m-%d", "week": "week of %m-%d", "month": "%Y-%m"}
    return at.strftime(forms[unit])


def _between(before: datetime | None, at: datetime, unit: str) -> Iterator[Bar | str]:
    """Periods without usage: their rows, or that there were many."""
    if before is None:
        return
    empty = list(_periods(before, at, unit))
    if len(empty) > LONG_GAP:
        yield f"{len(empty)} {unit}s without usage"
        return
    yield from (Bar(_time(each, unit), (), Decimal(0), 0, 0) for each in empty)


def _periods(before: datetime, at: datetime, unit: str) -> Iterator[datetime]:
    moment = _after(before, unit)
    while moment < at:
        yield moment
        moment = _after(moment, unit)


def _after(moment: datetime, unit: str) -> datetime:
    if unit == "month":
        return (moment + timedelta(days=31)).replace(day=1)
    return moment + {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}[unit]
