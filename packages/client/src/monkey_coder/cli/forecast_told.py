"""A forecast in words."""

from decimal import ROUND_HALF_UP, Decimal

from monkey_coder_protocol.billing import Forecast, RunOutForecast, SpendForecast


def told(found: Forecast) -> str:
    """How long the credit lasts and what the month comes to, or why nothing can be said."""
    if found.runs_out is None or found.month is None or found.a_day is None:
        return (
            f"Not enough history for a forecast: {found.days} of {found.days_needed} days with usage behind them, "
            "and usage on five of those."
        )
    return (
        f"At {_usd(found.a_day.expected_usd)} a day, {_usd(found.available_usd)} lasts {_lasting(found.runs_out)}.\n"
        f"This month will come to {_range(found.month)}; {_usd(found.spent_month_usd)} of it is spent.\n"
        f"Both hold in about {found.interval_percent} of 100 cases."
    )


def _lasting(ends: RunOutForecast) -> str:
    if ends.earliest is None:
        return "for more than a year"
    if ends.latest is None:
        return f"until {ends.earliest}, or for more than a year"
    return f"until {ends.latest}" if ends.latest == ends.earliest else f"until {ends.earliest} to {ends.latest}"


def _range(span: SpendForecast) -> str:
    low, high = _usd(span.low_usd), _usd(span.high_usd)
    return low if low == high else f"{low} to {high}"


def _usd(amount: str) -> str:
    """An estimate needs no more than cents."""
    value = Decimal(amount)
    places = Decimal("0.01") if abs(value) >= Decimal("0.1") else Decimal("0.0001")
    return f"${value.quantize(places, ROUND_HALF_UP):,}"
