"""The usage report: two historic field sets in one body, because published clients read one or the other.

`total_cost` at the top and under `provider_breakdown` is USD as a JSON number, as the published SDK expects; under
`summary`, `by_model`, `by_agent` and `daily_usage` costs are US cents, as the published CLI divides them by 100.
Exact amounts stand beside them as decimal strings ending in `_usd`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from monkey_coder_server.domain.money import NANO_PER_CENT, NANO_PER_USD, usd
from monkey_coder_server.features.billing.asking import NO_PERSONA
from monkey_coder_server.features.billing.period import bucket_of
from monkey_coder_server.ports.ledger import Wallet
from monkey_coder_server.ports.usage_reports import Dimension, Figures, Group, Grouping, UsageLine

MOST_LISTED = 100
"""Keys and projects in their lists, the dearest first; `group_by` pages through all of them."""
SIGNED_IN = "signed-in session"
"""The name of what a person did without an API key: it stands in usage under the id of the session."""
_SESSION = "ses_"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAMED: dict[Dimension, str] = {
    "provider": "provider",
    "model": "model",
    "key": "key_id",
    "project": "project_id",
    "cache": "cache",
}


@dataclass(frozen=True, slots=True)
class Parted:
    """Usage parted in the ways the report needs, in the order of `groupings`."""

    times: Sequence[Group]
    models: Sequence[Group]
    personas: Sequence[Group]
    keys: Sequence[Group]
    projects: Sequence[Group]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the report is of, and who asks. `rate_limits` are as `rate_limit_status` shows them.

    `rows_since`: single requests are kept from then on, and figures of earlier ones are missing.
    """

    start: datetime
    end: datetime
    granularity: str
    key_hash: str
    rate_limits: Sequence[dict[str, Any]] = field(default=())
    rows_since: datetime | None = None


def groupings(granularity: str) -> tuple[Grouping, ...]:
    """What `Parted` is made of."""
    return (
        Grouping(("hour",) if granularity == "hourly" else ("day",)),
        Grouping(("provider", "model")),
        Grouping(("persona",)),
        Grouping(("key",), MOST_LISTED),
        Grouping(("project",), MOST_LISTED),
    )


def usage_report(parted: Parted, asked: Asked, wallet: Wallet) -> dict[str, Any]:
    """The body of `GET /v1/billing/usage` but for its pages."""
    total = _together([each.figures for each in parted.personas])
    buckets, providers = _buckets(parted.times, asked.granularity), _providers(parted.models)
    return {
        "api_key_hash": asked.key_hash,
        "period": {
            "start_date": asked.start.isoformat(),
            "end_date": asked.end.isoformat(),
            "granularity": asked.granularity,
            "time_zone": "UTC",
            "rows_since": None if asked.rows_since is None else asked.rows_since.isoformat(),
        },
        "total_requests": total.requests,
        "total_tokens": total.tokens,
        "total_cost": _dollars(total.price),
        "total_cost_usd": usd(total.price),
        "cache_savings_usd": usd(total.cache_saving),
        "provider_breakdown": [_provider(name, models) for name, models in providers.items()],
        "execution_stats": _execution_stats(total),
        "rate_limit_status": list(asked.rate_limits),
        "summary": {
            "total_requests": total.requests,
            "total_tokens": total.tokens,
            "total_cost": _cents(total.price),
            "total_cost_usd": usd(total.price),
            "cache_savings_usd": usd(total.cache_saving),
            "credits_remaining": _cents(wallet.available),
            "credits_remaining_usd": usd(wallet.available),
        },
        "by_provider": [
            {"provider": name, **_shown(_together([each.figures for each in models]))}
            for name, models in providers.items()
        ],
        "by_model": [_model(each) for each in parted.models],
        "by_agent": [_agent(each) for each in parted.personas],
        "by_key": [_named(("key",), each) for each in parted.keys],
        "by_project": [_named(("project",), each) for each in parted.projects],
        "daily_usage": [_bucket(name, each) for name, each in buckets.items()],
        "cost_trends": {name: usd(each.price) for name, each in buckets.items()},
        "performance_metrics": {"average_latency_ms": _mean(total.latency_ms, total.requests)},
    }


def groups_shown(by: Sequence[Dimension], groups: Sequence[Group]) -> list[dict[str, Any]]:
    """The groups of `group_by`."""
    return [_named(by, each) for each in groups]


def details_shown(lines: Sequence[UsageLine]) -> list[dict[str, Any]]:
    """Single requests."""
    return [_detail(line) for line in lines]


def _together(parts: Sequence[Figures]) -> Figures:
    return Figures(*[sum([getattr(each, name) for each in parts]) for name in Figures.__struct_fields__])


def _buckets(times: Sequence[Group], granularity: str) -> dict[str, Figures]:
    """By the names of hours, days, weeks or months, oldest first."""
    hours = 1 if granularity == "hourly" else 24
    parts: dict[str, list[Figures]] = {}
    for each in times:
        moment = _EPOCH + timedelta(hours=int(each.names[0]) * hours)
        parts.setdefault(bucket_of(moment, granularity), []).append(each.figures)
    return {name: _together(figures) for name, figures in parts.items()}


def _providers(models: Sequence[Group]) -> dict[str, list[Group]]:
    """Models by their provider, the dearest provider first."""
    found: dict[str, list[Group]] = {}
    for each in models:
        found.setdefault(each.names[0], []).append(each)
    return dict(sorted(found.items(), key=lambda item: (-sum([each.figures.price for each in item[1]]), item[0])))


def _execution_stats(total: Figures) -> dict[str, Any]:
    return {
        "total": total.requests,
        "completed": total.requests - total.failed,
        "failed": total.failed,
        "average_latency_ms": _mean(total.latency_ms, total.requests),
    }


def _provider(name: str, models: Sequence[Group]) -> dict[str, Any]:
    each = _together([model.figures for model in models])
    return {
        "provider": name,
        "model_usage": {_bare(model): model.figures.requests for model in models},
        "total_tokens": each.tokens,
        "total_requests": each.requests,
        "total_cost": _dollars(each.price),
        "total_cost_usd": usd(each.price),
        "average_latency": _mean(each.latency_ms, each.requests),
        "error_rate": _ratio(each.failed, each.requests),
    }


def _model(each: Group) -> dict[str, Any]:
    return {"provider": each.names[0], "model": _bare(each), **_shown(each.figures)}


def _bare(each: Group) -> str:
    """The model of a group by provider and model, as its provider calls it."""
    provider, model = each.names
    return model.removeprefix(f"{provider}/")


def _named(by: Sequence[Dimension], each: Group) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for dimension, name, label in zip(by, each.names, each.labels, strict=True):
        if dimension == "persona":
            named["persona"] = name or NO_PERSONA
            continue
        named[_NAMED[dimension]] = name or None if dimension == "project" else name
        if dimension in {"key", "project"}:
            named[f"{dimension}_name"] = label or (SIGNED_IN if name.startswith(_SESSION) else None)
    return {**named, **_shown(each.figures), "failed": each.figures.failed}


def _shown(each: Figures) -> dict[str, Any]:
    return {
        "requests": each.requests,
        "input_tokens": each.input_tokens,
        "output_tokens": each.output_tokens,
        "total_tokens": each.tokens,
        "cost": _cents(each.price),
        "cost_usd": usd(each.price),
        "cache_savings_usd": usd(each.cache_saving),
    }


def _agent(each: Group) -> dict[str, Any]:
    figures = each.figures
    return {
        "agent_name": each.names[0] or NO_PERSONA,
        "requests": figures.requests,
        "total_cost": _cents(figures.price),
        "avg_cost_per_request": _decimal(Decimal(figures.price) / figures.requests / NANO_PER_CENT),
        "total_cost_usd": usd(figures.price),
    }


def _bucket(name: str, each: Figures) -> dict[str, Any]:
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
        "cache_savings_usd": usd(row.cache_saving),
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
