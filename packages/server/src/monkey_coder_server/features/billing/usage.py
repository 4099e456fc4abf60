"""The usage report: two historic field sets in one body, because published clients read one or the other.

`total_cost` at the top and under `provider_breakdown` is USD as a JSON number, as the published SDK expects; under
`summary`, `by_model`, `by_agent` and `daily_usage` costs are US cents, as the published CLI divides them by 100.
Exact amounts stand beside them as decimal strings ending in `_usd`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from monkey_coder_server.domain.money import NANO_PER_CENT, NANO_PER_USD, usd
from monkey_coder_server.features.billing.period import Period, bucket_of
from monkey_coder_server.ports.ledger import Wallet
from monkey_coder_server.ports.usage_reports import UsageLine, UsageSum

MOST_DETAILS = 1000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Sum:
    """Running totals of some rows; money in nano-dollars, latency in milliseconds."""

    requests: int = 0
    failed: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    price: int = 0
    latency: int = 0
    models: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, part: UsageSum) -> None:
        """Count some requests in."""
        self.requests += part.requests
        self.failed += part.failed
        self.input_tokens += part.input_tokens
        self.output_tokens += part.output_tokens
        self.price += part.price
        self.latency += part.latency_ms
        self.models[part.model] += part.requests

    @property
    def tokens(self) -> int:
        """All tokens."""
        return self.input_tokens + self.output_tokens


def usage_report(
    sums: Sequence[UsageSum], details: Sequence[UsageLine], period: Period, wallet: Wallet, *, key_hash: str
) -> dict[str, Any]:
    """The whole body of `GET /v1/billing/usage`. `details` are the newest requests, one more than are shown at most."""
    rows = [part for part in sums if part.requests]
    total = _sum(rows)
    buckets = _grouped(rows, lambda part: bucket_of(_EPOCH + timedelta(hours=part.hour), period.granularity))
    report: dict[str, Any] = {
        "api_key_hash": key_hash,
        "period": {
            "start_date": period.start.isoformat(),
            "end_date": period.end.isoformat(),
            "granularity": period.granularity,
        },
        "total_requests": total.requests,
        "total_tokens": total.tokens,
        "total_cost": _dollars(total.price),
        "total_cost_usd": usd(total.price),
        "provider_breakdown": [
            _provider(name, each) for (name,), each in _grouped(rows, lambda row: (row.provider,)).items()
        ],
        "execution_stats": _execution_stats(total),
        "rate_limit_status": [],
        "summary": {
            "total_requests": total.requests,
            "total_tokens": total.tokens,
            "total_cost": _cents(total.price),
            "total_cost_usd": usd(total.price),
            "credits_remaining": _cents(wallet.available),
            "credits_remaining_usd": usd(wallet.available),
        },
        "by_model": [
            _model(provider, model, each)
            for (provider, model), each in _grouped(rows, lambda row: (row.provider, row.model)).items()
        ],
        "by_agent": [_agent(name, each) for name, each in _grouped(rows, lambda row: row.persona or "none").items()],
        "daily_usage": [_bucket(name, each) for name, each in sorted(buckets.items())],
        "cost_trends": {name: usd(each.price) for name, each in sorted(buckets.items())},
        "performance_metrics": {"average_latency_ms": _mean(total.latency, total.requests)},
    }
    if period.include_details:
        report["details"] = [_detail(row) for row in details[-MOST_DETAILS:]]
        report["details_truncated"] = len(details) > MOST_DETAILS
    return report


def _sum(rows: Iterable[UsageSum]) -> Sum:
    total = Sum()
    for row in rows:
        total.add(row)
    return total


def _grouped(rows: Iterable[UsageSum], name: Callable[[UsageSum], Any]) -> dict[Any, Sum]:
    groups: dict[Any, Sum] = {}
    for row in rows:
        groups.setdefault(name(row), Sum()).add(row)
    return groups


def _execution_stats(total: Sum) -> dict[str, Any]:
    return {
        "total": total.requests,
        "completed": total.requests - total.failed,
        "failed": total.failed,
        "average_latency_ms": _mean(total.latency, total.requests),
    }


def _provider(name: str, each: Sum) -> dict[str, Any]:
    return {
        "provider": name,
        "model_usage": dict(each.models),
        "total_tokens": each.tokens,
        "total_requests": each.requests,
        "total_cost": _dollars(each.price),
        "total_cost_usd": usd(each.price),
        "average_latency": _mean(each.latency, each.requests),
        "error_rate": _ratio(each.failed, each.requests),
    }


def _model(provider: str, model: str, each: Sum) -> dict[str, Any]:
    return {
        "provider": provider,
        "model": model,
        "requests": each.requests,
        "input_tokens": each.input_tokens,
        "output_tokens": each.output_tokens,
        "total_tokens": each.tokens,
        "cost": _cents(each.price),
        "cost_usd": usd(each.price),
    }


def _agent(name: str, each: Sum) -> dict[str, Any]:
    return {
        "agent_name": name,
        "requests": each.requests,
        "total_cost": _cents(each.price),
        "avg_cost_per_request": _decimal(Decimal(each.price) / each.requests / NANO_PER_CENT),
        "total_cost_usd": usd(each.price),
    }


def _bucket(name: str, each: Sum) -> dict[str, Any]:
    return {
        "date": name,
        "requests": each.requests,
        "tokens": each.tokens,
        "cost": _cents(each.price),
        "cost_usd": usd(each.price),
    }


def _detail(row: UsageLine) -> dict[str, Any]:
    return {
        "request_id": row.request_id,
        "at": row.at.isoformat(),
        "key_id": row.key_id,
        "provider": row.provider,
        "model": row.model,
        "task_type": row.task_type,
        "persona": row.persona,
        "stream": row.stream,
        "status": row.status,
        "input_tokens": row.input_tokens,
        "cached_tokens": row.cached_tokens,
        "output_tokens": row.output_tokens,
        "reasoning_tokens": row.reasoning_tokens,
        "cost_usd": usd(row.price),
        "latency_ms": row.latency_ms,
        "estimated": row.estimated,
    }


def _dollars(nano: int) -> Decimal:
    """USD as an exact JSON number."""
    return _decimal(Decimal(nano) / NANO_PER_USD)


def _cents(nano: int) -> Decimal:
    """US cents as an exact JSON number."""
    return _decimal(Decimal(nano) / NANO_PER_CENT)


def _decimal(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.000000001")).normalize() + Decimal(0)


def _mean(total: int, count: int) -> int:
    return round(total / count) if count else 0


def _ratio(part: int, whole: int) -> Decimal:
    return _decimal(Decimal(part) / whole) if whole else Decimal(0)
