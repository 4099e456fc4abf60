"""`monkey usage`: bars on a terminal, tables and CSV elsewhere, every page read, and the sums the gateway's own."""

import csv
import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from packages.client.tests.conftest import Ran
from packages.client.tests.fake_gateway import Answer, FakeGateway, error, reply
from packages.client.tests.usage_answers import FORECAST

Monkey = Callable[..., Ran]
PATH = "/v1/billing/usage"
GOLDEN = Path(__file__).parent / "golden_usage"
DAYS = [
    ("2026-11-02", 12, 90_000, "1.25"),
    ("2026-11-03", 1, 900, "0.000012345"),
    ("2026-11-05", 30, 1_234_567, "3.5"),
    ("2026-11-20", 2, 2_000, "0.25"),
]
MODELS = [
    ("anthropic", "claude-sonnet-4-5-with-a-very-long-name-of-its-own", 20, 1_000_000, "3.9"),
    ("openai", "gpt-5-mini", 25, 327_467, "1.100012345"),
]
ENOUGH = {
    **FORECAST,
    "enough_history": True,
    "days": 40,
    "a_day": {"low_usd": "0.15", "expected_usd": "0.17", "high_usd": "0.2"},
    "rest_of_month": {"low_usd": "0.1", "expected_usd": "0.2", "high_usd": "0.3"},
    "month": {"low_usd": "5.1", "expected_usd": "5.2", "high_usd": "5.3"},
    "spent_month_usd": "5.000012345",
    "runs_out": {"earliest": "2026-12-20", "expected": "2026-12-24", "latest": "2027-01-02"},
}


PIPED = """\
2026-11-01 to 2026-11-30 (UTC)
$5.000012345 · 45 requests (2 failed) · 1,327,467 tokens
$0.10 saved by caches

day                 cost  requests   tokens
2026-11-02         $1.25        12    90000
2026-11-03  $0.000012345         1      900
2026-11-05         $3.50        30  1234567
2026-11-20         $0.25         2     2000

model                                                                 cost  requests   tokens
anthropic/claude-sonnet-4-5-with-a-very-long-name-of-its-own         $3.90        20  1000000
openai/gpt-5-mini                                             $1.100012345        25   327467

At $0.17 a day, $4.50 lasts until 2026-12-20 to 2027-01-02.
This month will come to $5.10 to $5.30; $5.00 of it is spent.
Both hold in about 80 of 100 cases.
"""


def report(granularity: str = "daily", **more: Any) -> dict[str, Any]:
    return {
        "period": {
            "start_date": "2026-11-01T00:00:00+00:00",
            "end_date": "2026-12-01T00:00:00+00:00",
            "granularity": granularity,
        },
        "total_requests": 45,
        "total_tokens": 1_327_467,
        "total_cost_usd": "5.000012345",
        "cache_savings_usd": "0.1",
        "execution_stats": {"failed": 2},
        "by_model": [
            {"provider": provider, "model": model, "requests": requests, "total_tokens": tokens, "cost_usd": cost}
            for provider, model, requests, tokens, cost in MODELS
        ],
        "daily_usage": [
            {"date": date, "requests": requests, "tokens": tokens, "cost_usd": cost}
            for date, requests, tokens, cost in DAYS
        ],
        **more,
    }


def group(key: str, name: str | None, cost: str) -> dict[str, Any]:
    shown = {"requests": 3, "total_tokens": 30, "cost_usd": cost, "failed": 0}
    return {"key_id": key, "key_name": name, "persona": "none", **shown}


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """A terminal without colours, so many characters wide."""

    def put(width: int) -> None:
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
        monkeypatch.setenv("TERM", "xterm-256color")
        monkeypatch.setenv("NO_COLOR", "1")
        monkeypatch.setenv("COLUMNS", str(width))

    return put


@pytest.mark.parametrize("width", [50, 80, 120])
def test_a_terminal_sees_bars_that_fit_it(
    monkey: Monkey, gateway: FakeGateway, terminal: Callable[[int], None], width: int
) -> None:
    gateway.on(PATH, reply(report())).on("/v1/billing/forecast", reply(ENOUGH))
    terminal(width)
    shown = monkey("usage", "--month", "2026-11").out
    golden = GOLDEN / f"{width}.txt"
    if os.environ.get("MONKEY_GOLDEN") == "write":
        golden.write_text(shown, encoding="utf-8")
    assert shown == golden.read_text(encoding="utf-8")
    assert max(map(len, shown.splitlines())) <= width
    assert "\x1b" not in shown


def test_colours_are_for_who_wants_them_and_plain_bars_for_plain_encodings(
    monkey: Monkey, gateway: FakeGateway, terminal: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.on(PATH, reply(report()), reply(report()))
    terminal(80)
    monkeypatch.delenv("NO_COLOR")
    coloured = monkey("usage").out
    assert "\x1b[36m" in coloured
    assert "█" in coloured
    monkeypatch.setattr(type(sys.stdout), "encoding", "ascii")
    assert "####" in monkey("usage", "--no-color").out


def test_a_pipe_gets_a_table_of_exact_amounts(monkey: Monkey, gateway: FakeGateway) -> None:
    gateway.on(PATH, reply(report())).on("/v1/billing/forecast", reply(ENOUGH))
    assert monkey("usage", "--month", "2026-11").out == PIPED
    assert gateway.seen[0].query == {"start_date": "2026-11-01", "end_date": "2026-11-30", "granularity": "daily"}


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        ((None, None, None), "lasts for more than a year."),
        (("2027-06-01", None, None), "lasts until 2027-06-01, or for more than a year."),
        (("2026-12-01",) * 3, "lasts until 2026-12-01."),
    ],
)
def test_the_forecast_says_how_long_it_lasts(
    monkey: Monkey, gateway: FakeGateway, ends: tuple[str | None, ...], words: str
) -> None:
    runs_out = dict(zip(("earliest", "expected", "latest"), ends, strict=True))
    gateway.on("/v1/billing/forecast", reply({**ENOUGH, "runs_out": runs_out}))
    assert words in monkey("billing", "forecast").out
    assert "Not enough history for a forecast: 3 of 21 days" in monkey("billing", "forecast").out
    assert json.loads(monkey("billing", "forecast", "--json").out) == FORECAST


def test_a_gateway_without_forecasts_still_shows_usage(monkey: Monkey, gateway: FakeGateway) -> None:
    gateway.on("/v1/billing/forecast", error(404, "not_found"))
    ran = monkey("usage")
    assert (ran.code, ran.out.count("\n")) == (0, 8)


def test_groups_are_read_over_all_their_pages(monkey: Monkey, gateway: FakeGateway) -> None:
    pages = [
        report(groups=[group("key_1", "laptop", "3")], next="more"),
        report(groups=[group("key_2", None, "2")], next=None),
    ]
    for _ in range(3):
        gateway.on(PATH, *map(reply, pages))
    asked = ("usage", "--days", "7", "--by", "key", "--by", "persona", "--model", "gpt-5", "--model", "xai/grok")
    assert (
        monkey(*asked).out.partition("\n\n")[2]
        == """\
key     persona   cost  requests  tokens
laptop  none     $3.00         3      30
key_2   none     $2.00         3      30
"""
    )
    first, second = (seen.query for seen in gateway.seen)
    assert (first["group_by"], first["model"], "after" in first) == ("key,persona", "gpt-5,xai/grok", False)
    assert second == {**first, "after": "more"}
    document = json.loads(monkey(*asked, "--json").out)
    assert ([each["key_id"] for each in document["groups"]], document["next"]) == (["key_1", "key_2"], None)
    rows = list(csv.DictReader(io.StringIO(monkey(*asked, "--csv").out)))
    assert [row["cost_usd"] for row in rows] == ["3", "2"]


def test_a_name_that_a_spreadsheet_would_run_is_quoted(monkey: Monkey, gateway: FakeGateway) -> None:
    gateway.on(PATH, reply(report(groups=[group("key_1", "=1+1", "3")], next=None)))
    [row] = csv.DictReader(io.StringIO(monkey("usage", "--by", "key", "--csv").out))
    assert row["key_name"] == "'=1+1"


@pytest.mark.parametrize(
    "case",
    [
        ("hour", ("2026-11-02T09:00:00Z", "2026-11-02T11:00:00Z"), ["11-02 09:00", "11-02 10:00", "11-02 11:00"]),
        ("week", ("2026-10-26", "2026-11-09"), ["week of 10-26", "week of 11-02", "week of 11-09"]),
        ("month", ("2025-12", "2026-02"), ["2025-12", "2026-01", "2026-02"]),
        ("month", ("2025-12", "2026-06"), ["2025-12", "5 months without usage", "2026-06"]),
    ],
)
def test_periods_without_usage_have_their_place(
    monkey: Monkey, gateway: FakeGateway, terminal: Callable[[int], None], case: tuple[str, tuple[str, str], list[str]]
) -> None:
    by, dates, shown = case
    long = {"hour": "hourly", "week": "weekly", "month": "monthly"}[by]
    used = [{"date": date, "requests": 1, "tokens": 1_500_000_000, "cost_usd": "0.5"} for date in dates]
    gateway.on(PATH, reply(report(long, daily_usage=used)))
    terminal(80)
    lines = monkey("usage", "--by", by).out.splitlines()
    assert [line.split("  ")[0] for line in lines[lines.index(f"By {by}") + 1 :]] == shown
    assert lines[-1].endswith("$0.5000  1 req  1.5G tok")
    assert gateway.seen[0].query["granularity"] == long


def test_what_each_cache_spared_is_told(monkey: Monkey, gateway: FakeGateway) -> None:
    shown = {"requests": 3, "total_tokens": 30, "failed": 0}
    groups = [
        {"cache": "prompt", "cost_usd": "3", "cache_savings_usd": "5.25", **shown},
        {"cache": "none", "cost_usd": "2", "cache_savings_usd": "0.00", **shown},
        {"cache": "response", "cost_usd": "0.00", "cache_savings_usd": "1.50", **shown},
        {"cache": "of tomorrow", "cost_usd": "0.00", "cache_savings_usd": "0.10", **shown},
    ]
    gateway.on(PATH, reply(report(groups=groups, next=None)))
    table = monkey("usage", "--by", "cache").out.partition("\n\n")[2]
    assert [" ".join(line.split()) for line in table.splitlines()] == [
        "cache cost requests tokens",
        "prompts kept by providers ($5.25 saved, writing paid) $3.00 3 30",
        "no cache $2.00 3 30",
        "answers given again ($1.50 saved) $0.00 3 30",
        "of tomorrow ($0.10 saved) $0.00 3 30",
    ]


def test_nothing_used_is_said_in_figures(monkey: Monkey, gateway: FakeGateway, terminal: Callable[[int], None]) -> None:
    empty = {"total_requests": 0, "total_tokens": 0, "total_cost_usd": "0.00", "cache_savings_usd": "0.00"}
    gateway.on(PATH, reply(report(**empty, daily_usage=[], by_model=[], execution_stats={"failed": 0})))
    terminal(80)
    assert monkey("usage", "--month", "2026-11").out.splitlines()[1] == "$0.00 · 0 requests · 0 tokens"


def test_more_models_than_an_overview_has_are_told(monkey: Monkey, gateway: FakeGateway) -> None:
    models = [{**report()["by_model"][0], "model": f"m{number}"} for number in range(10)]
    gateway.on(PATH, reply(report(by_model=models)))
    assert "and 2 more: `monkey usage --by model`\n" in monkey("usage").out


@pytest.mark.parametrize("to_file", [True, False])
def test_every_request_is_a_file(monkey: Monkey, gateway: FakeGateway, tmp_path: Path, to_file: bool) -> None:
    gateway.on(f"{PATH}/export", Answer(200, {"content-type": "text/csv"}, (b"at,cost\n", b"x,1\n")))
    target = tmp_path / "usage.csv"
    more = ("-o", str(target)) if to_file else ()
    ran = monkey("usage", "--from", "2026-11-01", "--status", "failed", "--export", "csv", *more)
    assert (target.read_text() if to_file else ran.out) == "at,cost\nx,1\n"
    assert gateway.seen[0].query == {"format": "csv", "start_date": "2026-11-01", "status": "failed"}


@pytest.mark.parametrize(
    "words",
    [
        ("--days", "7", "--month", "2026-11"),
        ("--from", "2026-11-01", "--days", "7"),
        ("--by", "day", "--by", "week"),
        ("--by", "day", "--by", "model"),
        ("--by", "key", "--by", "model", "--by", "persona"),
        ("--csv", "--json"),
        ("-o", "file"),
        ("--export", "parquet"),
        ("--export", "csv", "--json"),
        ("--month", "11-2026"),
    ],
)
def test_what_does_not_go_together_is_a_mistake_of_usage(
    monkey: Monkey, gateway: FakeGateway, words: tuple[str, ...]
) -> None:
    assert monkey("usage", *words).code == 2
    assert not gateway.seen
