from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from monkey_coder_server.features.billing.period import Period
from monkey_coder_server.features.billing.usage import usage_report
from monkey_coder_server.ports.ledger import Wallet
from monkey_coder_server.ports.usage_reports import UsageLine, UsageSum

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
)
ROWS = [ROW, replace(ROW, request_id="req_2", at=datetime(2026, 11, 24, tzinfo=UTC), provider="groq", model="llama")]
ROWS.append(replace(ROW, request_id="req_3", status="failed", price=0, input_tokens=0, output_tokens=0))


def summed(row: UsageLine) -> UsageSum:
    return UsageSum(
        int(row.at.timestamp()) // 3_600,
        row.key_id,
        row.provider,
        row.model,
        row.persona,
        1,
        int(row.status != "served"),
        row.input_tokens,
        row.cached_tokens,
        row.output_tokens,
        row.reasoning_tokens,
        row.price,
        row.provider_cost,
        row.latency_ms,
        int(row.estimated),
    )


def report(rows: list[UsageLine] = ROWS, *, details: bool = False) -> dict[str, Any]:
    period = Period(START, END, "daily", include_details=details)
    encoded = msgspec.json.Encoder(decimal_format="number").encode(
        usage_report([summed(row) for row in rows], rows, period, WALLET, key_hash="ab")
    )
    read: dict[str, Any] = msgspec.json.decode(encoded)
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
    assert body["by_model"][0] == {
        "provider": "openai",
        "model": "gpt-5",
        "requests": 2,
        "input_tokens": 1000,
        "output_tokens": 200,
        "total_tokens": 1200,
        "cost": 1.2345678,
        "cost_usd": "0.012345678",
    }
    assert body["by_agent"][0]["agent_name"] == "developer"
    assert [entry["date"] for entry in body["daily_usage"]] == ["2026-11-23", "2026-11-24"]


def test_exact_amounts_stand_beside_as_text_and_agree() -> None:
    body = report()
    assert body["total_cost_usd"] == body["summary"]["total_cost_usd"] == "0.024691356"
    assert body["execution_stats"] == {"total": 3, "completed": 2, "failed": 1, "average_latency_ms": 800}


def test_nothing_used_is_a_whole_report_of_zeros() -> None:
    body = report([])
    assert (body["total_requests"], body["total_cost"], body["by_model"], body["daily_usage"]) == (0, 0, [], [])


def test_details_come_when_asked_for() -> None:
    assert "details" not in report()
    details = report(details=True)["details"]
    assert [entry["request_id"] for entry in details] == ["req_1", "req_2", "req_3"]
    assert details[0]["cost_usd"] == "0.012345678"
