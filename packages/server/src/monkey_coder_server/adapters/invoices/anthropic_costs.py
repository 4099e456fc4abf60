"""Anthropic's usage and cost API: tokens by day and model, and cents by day and description.

`GET /v1/organizations/usage_report/messages` (`group_by[]=model`) and `GET /v1/organizations/cost_report`
(`group_by[]=description`), both with `bucket_width=1d` (platform.claude.com, Admin API, Usage and Cost API). Amounts
are decimal strings in cents of USD. Searches are billed without a model. It opens to admin keys (`sk-ant-admin…`).
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from monkey_coder_server.adapters.invoices import amounts
from monkey_coder_server.adapters.invoices.pages import CostApi
from monkey_coder_server.domain.errors import ProviderFailed
from monkey_coder_server.domain.invoices import Invoice, Invoiced

VERSION = "2023-06-01"
BUCKETS_A_PAGE = "31"


class AnthropicCosts:
    """Implements `ports.invoices.InvoiceSource`."""

    def __init__(self, base_url: str, admin_key: str, *, pause: float = 1.0) -> None:
        headers = {"x-api-key": admin_key, "anthropic-version": VERSION}
        self._api = CostApi("anthropic", base_url, headers, pause)

    async def fetch(self, first: date, last: date) -> Invoice:
        """Tokens and money of the days from `first` to `last`."""
        try:
            usage = [
                line
                async for bucket in self._api.buckets(
                    "/v1/organizations/usage_report/messages", _query(first, last, "model")
                )
                for line in _used(bucket)
            ]
            costs = [
                line
                async for bucket in self._api.buckets(
                    "/v1/organizations/cost_report", _query(first, last, "description")
                )
                for line in _billed(bucket)
            ]
        except (KeyError, TypeError, ValueError, ArithmeticError) as wrong:
            message = f"Anthropic's reports have another shape than documented ({type(wrong).__name__})."
            raise ProviderFailed(message, facts={"provider": "anthropic"}) from wrong
        return Invoice((*usage, *costs))


def _query(first: date, last: date, group: str) -> tuple[tuple[str, str], ...]:
    return (
        ("starting_at", f"{first.isoformat()}T00:00:00Z"),
        ("ending_at", f"{(last + timedelta(days=1)).isoformat()}T00:00:00Z"),
        ("bucket_width", "1d"),
        ("group_by[]", group),
        ("limit", BUCKETS_A_PAGE),
    )


def _used(bucket: dict[str, Any]) -> Iterator[Invoiced]:
    day = str(bucket["starting_at"])[:10]
    for result in bucket["results"]:
        written = result.get("cache_creation") or {}
        searched = (result.get("server_tool_use") or {}).get("web_search_requests") or 0
        counts = {
            "uncached_input": int(result["uncached_input_tokens"]),
            "cache_read": int(result["cache_read_input_tokens"]),
            "cache_write_5m": int(written.get("ephemeral_5m_input_tokens") or 0),
            "cache_write_1h": int(written.get("ephemeral_1h_input_tokens") or 0),
            "output": int(result["output_tokens"]),
            "searches": int(searched),
        }
        model = str(result["model"])
        yield Invoiced(day, model, counts, name=f"{day} {model} usage")


def _billed(bucket: dict[str, Any]) -> Iterator[Invoiced]:
    day = str(bucket["starting_at"])[:10]
    for result in bucket["results"]:
        description = str(result.get("description") or "")
        exact = amounts.read(result["amount"], amounts.CENTS, f"Anthropic's {description!r}")
        yield Invoiced(
            day,
            str(result.get("model") or ""),
            amount=amounts.whole(exact),
            currency=str(result["currency"]).upper(),
            name=f"{day} {description}",
        )
