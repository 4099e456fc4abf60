"""`usage`: what was used, with bars on a terminal, as a table, as CSV, or every request as a file."""

import csv
import io
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from monkey_coder.cli import bars, output, usage_sections
from monkey_coder.cli.bars import Bar
from monkey_coder.cli.command import command
from monkey_coder.cli.forecast_told import told
from monkey_coder.cli.options import DAY, day, pass_session
from monkey_coder.cli.session import Session
from monkey_coder.cli.usage_sections import GROUPS, TIMES, Section

if TYPE_CHECKING:
    from monkey_coder_protocol.billing import Forecast
    from monkey_coder_protocol.queries import UsageDimension

_FILTERS = ("model", "provider", "key_id", "project", "team", "persona", "status")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
F = TypeVar("F", bound=Callable[..., Any])
DAYS = 30
"""Shown when nothing else is asked for."""
_MONTH = click.DateTime(["%Y-%m"])


def _several(name: str, text: str, **how: Any) -> Callable[[F], F]:
    return click.option(name, multiple=True, help=text, **{"metavar": "NAME", **how})


@command(
    "usage",
    examples=(
        "monkey usage",
        "monkey usage --month 2026-11 --by week",
        "monkey usage --days 7 --by key --by model --provider anthropic",
        "monkey usage --month 2026-11 --export csv -o november.csv",
    ),
)
@click.option("--from", "start", type=DAY, metavar="DAY", help="First day, as YYYY-MM-DD.")
@click.option("--to", "end", type=DAY, metavar="DAY", help="Last day, as YYYY-MM-DD.")
@click.option("--days", type=click.IntRange(1, 732), metavar="N", help="The last N days, with this one; 30.")
@click.option("--month", type=_MONTH, metavar="MONTH", help="A month, as YYYY-MM.")
@_several(
    "--by", "What to tell apart; two at once but for times.", type=click.Choice([*TIMES, *GROUPS]), metavar="WHAT"
)
@_several("--model", "Only this model, as it is or as provider/model; repeatable, as all below.")
@_several("--provider", "Only this provider.")
@_several("--key-id", "Only this API key (`monkey keys list` shows the ids).", metavar="ID")
@_several("--project", "Only this project.", metavar="ID")
@_several("--team", "Only this team.", metavar="ID")
@_several("--persona", "Only this persona; `none` for requests without one.")
@_several("--status", "served, failed or expired.", type=click.Choice(["served", "failed", "expired"]), metavar="S")
@click.option("--csv", "as_csv", is_flag=True, help="Print the rows as CSV.")
@click.option(
    "--export", "kind", type=click.Choice(["csv", "jsonl", "parquet", "focus"]), help="Every single request as a file."
)
@click.option("-o", "--output", "target", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE")
@pass_session
def usage(session: Session, /, **given: Any) -> None:
    """Show what you used, and how long your credit lasts.

    WHAT is hour, day, week, month, model, provider, key, project or persona. All times are UTC.
    """
    asked = _asked(given)
    if given["kind"] is not None:
        _export(session, given["kind"], asked, given["target"])
        return
    times, groups = _parted(given["by"])
    if given["target"] is not None or (given["as_csv"] and session.on("json")):
        raise click.UsageError("-o goes with --export, and --csv without --json.")
    report, forecast = _read(session, asked, times, groups)
    if given["as_csv"]:
        output.write(_csv(report["groups"] if groups else report["daily_usage"]))
        return
    if groups:
        sections = [usage_sections.by_group(report, groups)]
    else:
        sections = [usage_sections.by_time(report)] if times else usage_sections.overview(report)
    if session.on("json") or not session.lively(sys.stdout):
        session.emit(report, text=lambda: _table(report, sections, forecast))
    else:
        _draw(session, report, sections, forecast)


def _asked(given: Mapping[str, Any]) -> dict[str, Any]:
    """The days and filters as the SDK takes them. Raises `UsageError`."""
    start, end = day(given["start"]), day(given["end"])
    if sum(1 for each in (start or end, given["days"], given["month"]) if each) > 1:
        raise click.UsageError("Give --from and --to, --days, or --month.")
    if given["days"] or not (start or end or given["month"]):
        start = day(datetime.now(UTC) - timedelta(days=(given["days"] or DAYS) - 1))
    if given["month"]:
        start, end = day(given["month"]), day((given["month"] + timedelta(days=31)).replace(day=1) - timedelta(days=1))
    return {"start": start, "end": end, **{name: list(given[name]) for name in _FILTERS if given[name]}}


def _parted(by: Sequence[Any]) -> "tuple[str | None, list[UsageDimension]]":
    """The time or the groups to tell usage apart by. Raises `UsageError`."""
    times, groups = [each for each in by if each in TIMES], [each for each in dict.fromkeys(by) if each in GROUPS]
    if len(times) > 1 or (times and groups) or len(groups) > 2:
        raise click.UsageError("--by takes one time, or one or two of the others.")
    return (times[0] if times else None), groups


def _read(
    session: Session, asked: dict[str, Any], times: str | None, groups: "list[UsageDimension]"
) -> "tuple[dict[str, Any], Forecast | None]":
    """The report with the groups of all its pages; the forecast beside an overview of everything."""
    from monkey_coder import NotFoundError  # noqa: PLC0415  # only where something is sent

    overview = not (times or groups or session.on("json") or {*asked} - {"start", "end"})
    with session.client() as client:
        pages = list(client.usage.pages(**asked, granularity=TIMES[times or "day"], group_by=groups))
        report = pages[0]
        if groups:
            report = {**report, "groups": [each for page in pages for each in page["groups"]], "next": None}
        try:
            return report, client.usage.forecast() if overview else None
        except NotFoundError:  # a gateway of before
            return report, None


def _export(session: Session, kind: Any, asked: dict[str, Any], target: Path | None) -> None:
    if target is None and (kind == "parquet" or session.on("json")):
        raise click.UsageError("Say where the file goes with -o FILE.")
    with session.client() as client:
        file = client.usage.export(kind, **asked)
    if target is None:
        output.write(file.decode())
        return
    target.write_bytes(file)
    session.note(f"wrote {target}")
    if session.on("json"):
        output.document({"file": str(target), "bytes": len(file)})


def _table(report: dict[str, Any], sections: Sequence[Section], forecast: "Forecast | None") -> str:
    """What programs and files get: exact amounts, and no bars."""
    parts = ["\n".join(_head(report))]
    for section in sections:
        used = [row for row in section.rows if isinstance(row, Bar) and row.requests]
        rows = [(*row.cells, output.usd(row.cost), row.requests, row.tokens) for row in used]
        if rows:
            table = output.columns((*section.names, "cost", "requests", "tokens"), rows)
            parts.append(f"{table}\n{section.note}" if section.note else table)
    if forecast is not None:
        parts.append(told(forecast))
    return "\n\n".join(parts)


def _head(report: Mapping[str, Any]) -> list[str]:
    """The days, the sums, and what was saved."""
    saved = usage_sections.saved_line(report)
    return [usage_sections.days_of(report), usage_sections.total_line(report), *([saved] if saved else [])]


def _draw(session: Session, report: dict[str, Any], sections: Sequence[Section], forecast: "Forecast | None") -> None:
    from monkey_coder.cli import render  # noqa: PLC0415  # only a terminal needs it

    paper = render.console(sys.stdout, colours=session.colours)
    blocks = "utf" in (sys.stdout.encoding or "").lower()
    styles = ("dim", "bold", "")
    lines: list[bars.Line] = [((line, style),) for line, style in zip(_head(report), styles, strict=False)]
    for section in sections:
        if section.rows:
            lines += [(), ((section.title, "bold cyan"),), *_rows(section, paper.width, blocks=blocks)]
    if forecast is not None:
        lines += [(), *[((line, ""),) for line in told(forecast).splitlines()]]
    render.styled(paper, lines)


def _rows(section: Section, width: int, *, blocks: bool) -> list[bars.Line]:
    """The bars of a section, with what stands between them."""
    drawn = iter(bars.lines([row for row in section.rows if isinstance(row, Bar)], width=width, blocks=blocks))
    rows: list[bars.Line] = [next(drawn) if isinstance(row, Bar) else ((row, "dim"),) for row in section.rows]
    return [*rows, ((section.note, "dim"),)] if section.note else rows


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows with the gateway's own names. A spreadsheet would run what begins like a formula: a `'` goes before it."""
    written = io.StringIO()
    if rows:
        writer = csv.DictWriter(written, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return written.getvalue()


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
