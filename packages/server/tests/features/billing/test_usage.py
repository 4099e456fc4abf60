from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from monkey_coder_server.features.billing.usage import Asked, Parted, details_shown, groups_shown, usage_report
from monkey_coder_server.ports.ledger import Wallet
from monkey_coder_server.ports.usage_reports import Dimension, Figures, Group, UsageLine

START, END = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
WALLET = Wallet("acc_1", balance=5_000_000_000, held=500_000_000)
ROW = UsageLine(
    account_id="acc_1",
    key_name="mine",
    error_code=None,
    receipt_id="rcp_1",
    request_id="req_1",
    at=datetime(2026, 11, 23, 15, tzinfo=UTC),
    key_id="key_1",
    provider="openai",
    model="gpt-5",
    task_type="chat",
    persona="developer",
    stream=False,
    status="served",
    input_tokens=1000,
    cached_tokens=0,
    cache_write_tokens=0,
    output_tokens=200,
    reasoning_tokens=0,
    price=12_345_678,
    provider_cost=10_000_000,
    latency_ms=800,
    estimated=False,
    cache_saving=90,
)
ROWS = [ROW, replace(ROW, request_id="req_2", at=datetime(2026, 11, 24, tzinfo=UTC), provider="groq", model="llama")]
ROWS.append(replace(ROW, request_id="req_3", status="failed", price=0, input_tokens=0, output_tokens=0, cache_saving=0))


def groups(rows: list[UsageLine], *by: Dimension) -> list[Group]:
    """What the stores make of rows, the dearest group first, or by time."""
    days = "day" in by
    found: dict[tuple[str, ...], list[UsageLine]] = {}
    for row in rows:
        names: dict[Dimension, str] = {
            "day": str(int(row.at.timestamp()) // 86_400),
            "provider": row.provider,
            "model": f"{row.provider}/{row.model}",
            "key": row.key_id,
            "project": "",
            "persona": row.persona,
            "cache": "prompt" if row.cache_saving else "none",
        }
        found.setdefault(tuple(names[each] for each in by), []).append(row)
    made = [Group(names, ("mine",) * len(by), figures(some)) for names, some in found.items()]
    return sorted(made, key=lambda each: each.names if days else (str(-each.figures.price), *each.names))


def figures(rows: list[UsageLine]) -> Figures:
    return Figures(
        requests=len(rows),
        failed=sum(row.status != "served" for row in rows),
        input_tokens=sum(row.input_tokens for row in rows),
        output_tokens=sum(row.output_tokens for row in rows),
        price=sum(row.price for row in rows),
        latency_ms=sum(row.latency_ms for row in rows),
        cache_saving=sum(row.cache_saving for row in rows),
    )


def report(rows: list[UsageLine] = ROWS, granularity: str = "daily", **more: Any) -> dict[str, Any]:
    parted = Parted(
        groups(rows, "day"),
        groups(rows, "provider", "model"),
        groups(rows, "persona"),
        groups(rows, "key"),
        groups(rows, "project"),
    )
    made = usage_report(parted, Asked(START, END, granularity, "ab", **more), WALLET)
    read: dict[str, Any] = msgspec.json.decode(msgspec.json.Encoder(decimal_format="number").encode(made))
    return read


def test_the_published_sdk_finds_the_servers_field_set() -> None:
    body = report()
    assert {"api_key_hash", "period", "provider_breakdown", "execution_stats", "rate_limit_status"} <= set(body)
    assert {"daily_usage", "cost_trends", "performance_metrics"} <= set(body)
    assert (body["total_requests"], body["total_tokens"], body["total_cost"]) == (3, 2400, 0.024691356)
    openai = next(entry for entry in body["provider_breakdown"] if entry["provider"] == "openai")
    assert (openai["total_requests"], openai["error_rate"], openai["model_usage"]) == (2, 0.5, {"gpt-5": 2})


def test_the_published_cli_finds_cents_where_it_divides_by_a_hundred() -> None:
    body = report()
    assert body["summary"]["total_cost"] == 2.4691356
    assert body["summary"]["credits_remaining"] == 450
    assert next(entry for entry in body["by_model"] if entry["model"] == "gpt-5") == {
        "provider": "openai",
        "model": "gpt-5",
        "requests": 2,
        "input_tokens": 1000,
        "output_tokens": 200,
        "total_tokens": 1200,
        "cost": 1.2345678,
        "cost_usd": "0.012345678",
        "cache_savings_usd": "0.00000009",
    }
    assert body["by_agent"][0]["agent_name"] == "developer"
    assert [entry["date"] for entry in body["daily_usage"]] == ["2026-11-23", "2026-11-24"]


def test_a_persons_session_is_called_what_it_is_and_a_key_by_its_name() -> None:
    used = figures([ROW])
    shown = groups_shown(
        ("key",),
        [Group(("ses_1",), ("",), used), Group(("key_1",), ("laptop",), used), Group(("key_gone",), ("",), used)],
    )
    assert [(each["key_id"], each["key_name"]) for each in shown] == [
        ("ses_1", "signed-in session"),
        ("key_1", "laptop"),
        ("key_gone", None),
    ]


def test_exact_amounts_stand_beside_as_text_and_agree() -> None:
    body = report()
    assert body["total_cost_usd"] == body["summary"]["total_cost_usd"] == "0.024691356"
    assert body["execution_stats"] == {"total": 3, "completed": 2, "failed": 1, "average_latency_ms": 800}


def test_nothing_used_is_a_whole_report_of_zeros() -> None:
    body = report([])
    assert (body["total_requests"], body["total_cost"], body["by_model"], body["daily_usage"]) == (0, 0, [], [])


def test_details_are_shown_as_they_come() -> None:
    details = details_shown(ROWS)
    assert [entry["request_id"] for entry in details] == ["req_1", "req_2", "req_3"]
    assert (details[0]["cost_usd"], details[0]["cache_savings_usd"]) == ("0.012345678", "0.00000009")


def test_lists_by_key_project_and_provider_agree_with_the_total() -> None:
    body = report()
    for name in ("by_key", "by_project", "by_provider", "by_model"):
        assert sum(Decimal(entry["cost_usd"]) for entry in body[name]) == Decimal(body["total_cost_usd"])
        assert sum(entry["requests"] for entry in body[name]) == body["total_requests"]
    assert (body["by_key"][0]["key_id"], body["by_key"][0]["key_name"], body["by_key"][0]["failed"]) == (
        "key_1",
        "mine",
        1,
    )
    assert body["by_project"][0]["project_id"] is None
    assert body["cache_savings_usd"] == body["summary"]["cache_savings_usd"] == "0.00000018"


@pytest.mark.parametrize(
    ("granularity", "named"), [("weekly", {"2026-11-23": 3}), ("monthly", {"2026-11": 3}), ("daily", {"2026-11-23": 2})]
)
def test_days_are_put_together_to_weeks_and_months(granularity: str, named: dict[str, int]) -> None:
    shown = {entry["date"]: entry["requests"] for entry in report(granularity=granularity)["daily_usage"]}
    assert named.items() <= shown.items()
    assert sum(shown.values()) == 3


def test_the_report_says_whose_time_it_tells_and_since_when_rows_are_kept() -> None:
    assert report()["period"]["time_zone"] == "UTC"
    assert report()["period"]["rows_since"] is None
    assert report(rows_since=START)["period"]["rows_since"] == START.isoformat()
    limits = [{"provider": "monkey-coder", "limit": 60}]
    assert report(rate_limits=limits)["rate_limit_status"] == limits


def test_groups_are_named_by_what_parts_them() -> None:
    [shown, *_] = groups_shown(("key", "persona"), groups(ROWS, "key", "persona"))
    assert (shown["key_id"], shown["key_name"], shown["persona"], shown["requests"]) == (
        "key_1",
        "mine",
        "developer",
        3,
    )
    caches = {each["cache"]: each["cache_savings_usd"] for each in groups_shown(("cache",), groups(ROWS, "cache"))}
    assert caches == {"prompt": "0.00000018", "none": "0.00"}
    without = [replace(row, persona="") for row in ROWS]
    assert [each["persona"] for each in groups_shown(("persona",), groups(without, "persona"))] == ["none"]
    assert [each["agent_name"] for each in report(without)["by_agent"]] == ["none"]
