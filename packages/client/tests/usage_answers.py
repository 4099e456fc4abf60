"""What the fake gateway answers about usage."""

from typing import Any

FORECAST = {
    "at": "2026-11-30T12:00:00+00:00",
    "available_usd": "4.49877",
    "days": 3,
    "days_needed": 21,
    "enough_history": False,
    "interval_percent": 80,
    "spent_month_usd": "0.00246",
    "a_day": None,
    "rest_of_month": None,
    "month": None,
    "runs_out": None,
}
USAGE: dict[str, Any] = {
    "/v1/billing/usage": {
        "period": {
            "start_date": "2026-11-01T00:00:00+00:00",
            "end_date": "2026-11-30T23:59:59+00:00",
            "granularity": "daily",
        },
        "total_requests": 2,
        "total_tokens": 2460,
        "total_cost": 0.00246,
        "total_cost_usd": "0.00246",
        "cache_savings_usd": "0.00",
        "execution_stats": {"failed": 0},
        "by_model": [
            {"provider": "openai", "model": "gpt-5-mini", "requests": 2, "total_tokens": 2460, "cost_usd": "0.00246"}
        ],
        "daily_usage": [{"date": "2026-11-23", "requests": 2, "tokens": 2460, "cost_usd": "0.00246"}],
    },
    "/v1/billing/forecast": FORECAST,
}
