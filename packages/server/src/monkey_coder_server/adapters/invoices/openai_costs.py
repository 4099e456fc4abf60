"""OpenAI's cost API: dollars by day and line item, with the tokens each line item counts.

`GET /v1/organization/costs` with `group_by=line_item` and `bucket_width=1d` (platform.openai.com, API reference, Costs;
shapes as in OpenAPI document 2.3.0 of OpenAI). An amount's `value` comes as a number or a decimal string, and
`quantity` beside it. Line items read `gpt-4o-mini-2024-07-18, cached input`. It opens to admin keys (`sk-admin-…`).
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from monkey_coder_server.adapters.invoices import amounts
from monkey_coder_server.adapters.invoices.pages import CostApi
from monkey_coder_server.domain.errors import ProviderFailed
from monkey_coder_server.domain.invoices import Invoice, Invoiced

BUCKETS_A_PAGE = "31"
_KINDS = {
    "input": "uncached_input",
    "cached input": "cache_read",
    "cache write": "cache_write",
    "cache write input": "cache_write",
    "output": "output",
}
SEARCHES = "web search"


class OpenAICosts:
    """Implements `ports.invoices.InvoiceSource`."""

    def __init__(self, base_url: str, admin_key: str, *, pause: float = 1.0) -> None:
        self._api = CostApi("openai", base_url, {"authorization": f"Bearer {admin_key}"}, pause)

    async def fetch(self, first: date, last: date) -> Invoice:
        """Every line item of the days from `first` to `last`."""
        query = (
            ("start_time", str(_seconds(first))),
            ("end_time", str(_seconds(last + timedelta(days=1)))),
            ("bucket_width", "1d"),
            ("group_by", "line_item"),
            ("limit", BUCKETS_A_PAGE),
        )
        lines: list[Invoiced] = []
        try:
            async for bucket in self._api.buckets("/organization/costs", query):
                day = datetime.fromtimestamp(int(bucket["start_time"]), UTC).date().isoformat()
                lines += [_line(day, result) for result in bucket["results"]]
        except (KeyError, TypeError, ValueError, ArithmeticError) as wrong:
            message = f"OpenAI's costs have another shape than documented ({type(wrong).__name__})."
            raise ProviderFailed(message, facts={"provider": "openai"}) from wrong
        return Invoice(tuple(lines))


def _line(day: str, result: dict[str, Any]) -> Invoiced:
    item = str(result.get("line_item") or "")
    amount = result["amount"]
    exact = amounts.read(amount["value"], amounts.DOLLARS, f"OpenAI's line item {item!r}")
    model, kind = _model_and_kind(item)
    quantity = result.get("quantity")
    counted = {} if quantity is None or kind is None else {kind: int(Decimal(str(quantity)))}
    return Invoiced(
        day, model, counted, amounts.whole(exact), currency=str(amount["currency"]).upper(), name=f"{day} {item}"
    )


def _model_and_kind(item: str) -> tuple[str, str | None]:
    """What a line item bills. Searches name no model; what we do not know keeps its words as its model's name."""
    model, comma, words = item.rpartition(", ")
    if item.startswith(SEARCHES):
        return "", "searches"
    if comma and words in _KINDS:
        return model, _KINDS[words]
    return item or "unnamed line item", None


def _seconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
