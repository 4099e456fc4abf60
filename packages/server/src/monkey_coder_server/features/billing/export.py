"""Exports of usage, row by row: what the columns are, and the file in pieces.

`focus` has the columns of FOCUS, the FinOps Open Cost and Usage Specification 1.2 (focus.finops.org), with the service
and host provider of 1.3 beside the provider and publisher they replace; columns of our own begin with `x_`, as it asks.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.ports.exports import Column, Kind, MakeWriter, Value
from monkey_coder_server.ports.usage_reports import UsageLine, UsageReports, Wanted
from monkey_coder_server.web.plain_tables import CsvTable, JsonLines

SELLER = "Monkey Coder"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TEXT, _COUNT, _FLAG, _MONEY, _TIME = Kind.TEXT, Kind.COUNT, Kind.FLAG, Kind.MONEY, Kind.TIME
_PLAIN = {
    "at": _TIME,
    "request_id": _TEXT,
    "account_id": _TEXT,
    "key_id": _TEXT,
    "key_name": _TEXT,
    "status": _TEXT,
    "error_code": _TEXT,
    "provider": _TEXT,
    "model": _TEXT,
    "task_type": _TEXT,
    "persona": _TEXT,
    "stream": _FLAG,
    "input_tokens": _COUNT,
    "cached_tokens": _COUNT,
    "cache_write_tokens": _COUNT,
    "output_tokens": _COUNT,
    "reasoning_tokens": _COUNT,
    "cost_usd": _MONEY,
    "latency_ms": _COUNT,
    "estimated": _FLAG,
    "receipt_id": _TEXT,
}
_FOCUS = {
    "BilledCost": _MONEY,
    "BillingAccountId": _TEXT,
    "BillingAccountName": _TEXT,
    "BillingCurrency": _TEXT,
    "BillingPeriodEnd": _TIME,
    "BillingPeriodStart": _TIME,
    "ChargeCategory": _TEXT,
    "ChargeClass": _TEXT,
    "ChargeDescription": _TEXT,
    "ChargeFrequency": _TEXT,
    "ChargePeriodEnd": _TIME,
    "ChargePeriodStart": _TIME,
    "ConsumedQuantity": _COUNT,
    "ConsumedUnit": _TEXT,
    "ContractedCost": _MONEY,
    "EffectiveCost": _MONEY,
    "HostProviderName": _TEXT,
    "InvoiceIssuerName": _TEXT,
    "ListCost": _MONEY,
    "PricingCategory": _TEXT,
    "PricingQuantity": _COUNT,
    "PricingUnit": _TEXT,
    "ProviderName": _TEXT,
    "PublisherName": _TEXT,
    "ResourceId": _TEXT,
    "ServiceCategory": _TEXT,
    "ServiceName": _TEXT,
    "ServiceProviderName": _TEXT,
    "ServiceSubcategory": _TEXT,
    "SkuId": _TEXT,
    "SubAccountId": _TEXT,
    "SubAccountName": _TEXT,
    "Tags": _TEXT,
    "x_RequestId": _TEXT,
    "x_Status": _TEXT,
    "x_InputTokens": _COUNT,
    "x_CachedTokens": _COUNT,
    "x_OutputTokens": _COUNT,
    "x_ReasoningTokens": _COUNT,
    "x_ReceiptId": _TEXT,
}
_OF_THE_HOUSE = "provider_cost_usd"
FORMATS: Mapping[str, tuple[MakeWriter | None, str]] = {
    "csv": (CsvTable, "csv"),
    "jsonl": (JsonLines, "jsonl"),
    "parquet": (None, "parquet"),
    "focus": (CsvTable, "csv"),
}
"""By name: what writes it, and the file's ending. Parquet is written by what the composition root brings."""


@dataclass(frozen=True, slots=True)
class Export:
    """What to export. No account: every account, with what the house pays providers."""

    format: str
    wanted: Wanted
    account_id: str | None = None

    @property
    def file_name(self) -> str:
        """A name for the file."""
        last = (self.wanted.end - timedelta(microseconds=1)).date()
        kind = "-focus" if self.format == "focus" else ""
        return f"usage-{self.wanted.start.date()}-{last}{kind}.{FORMATS[self.format][1]}"


def checked(name: str | None) -> str:
    """The name of a format. Raises `InvalidRequest`."""
    if name is None or name not in FORMATS:
        message = f"The format of an export must be one of {', '.join(FORMATS)}."
        raise InvalidRequest(message)
    return name


async def pieces(reports: UsageReports, export: Export, make: MakeWriter) -> AsyncIterator[bytes]:
    """The file, a page of rows at a time."""
    columns = _FOCUS if export.format == "focus" else _PLAIN
    house = export.account_id is None and columns is _PLAIN
    writer = make()
    named = [Column(name, kind) for name, kind in columns.items()] + ([Column(_OF_THE_HOUSE, _MONEY)] if house else [])
    yield writer.begin(named)
    async for page in reports.lines(export.account_id, export.wanted):
        rows = [_focus(line) if columns is _FOCUS else _plain(line) for line in page]
        if house:
            rows = [(*row, line.provider_cost) for row, line in zip(rows, page, strict=True)]
        yield writer.rows(rows)
    yield writer.end()


def _plain(line: UsageLine) -> Sequence[Value]:
    return (
        _micros(line.at),
        line.request_id,
        line.account_id,
        line.key_id,
        line.key_name,
        line.status,
        line.error_code,
        line.provider,
        line.model,
        line.task_type,
        line.persona,
        line.stream,
        line.input_tokens,
        line.cached_tokens,
        line.cache_write_tokens,
        line.output_tokens,
        line.reasoning_tokens,
        line.price,
        line.latency_ms,
        line.estimated,
        line.receipt_id,
    )


def _focus(line: UsageLine) -> Sequence[Value]:
    sku, price, tokens = f"{line.provider}/{line.model}", line.price, line.input_tokens + line.output_tokens
    month = line.at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    next_month = (month + timedelta(days=32)).replace(day=1)
    ended = _micros(line.at)
    tags = {"persona": line.persona, "task_type": line.task_type}
    values: dict[str, Value] = {
        "BilledCost": price,
        "BillingAccountId": line.account_id,
        "BillingCurrency": "USD",
        "BillingPeriodEnd": _micros(next_month),
        "BillingPeriodStart": _micros(month),
        "ChargeCategory": "Usage",
        "ChargeDescription": f"{sku}: {line.input_tokens} input and {line.output_tokens} output tokens",
        "ChargeFrequency": "Usage-Based",
        "ChargePeriodEnd": ended + 1,
        "ChargePeriodStart": ended - line.latency_ms * 1_000,
        "ConsumedQuantity": tokens,
        "ConsumedUnit": "Tokens",
        "ContractedCost": price,
        "EffectiveCost": price,
        "HostProviderName": line.provider or None,
        "InvoiceIssuerName": SELLER,
        "ListCost": price,
        "PricingCategory": "Standard",
        "PricingQuantity": tokens,
        "PricingUnit": "Tokens",
        "ProviderName": SELLER,
        "PublisherName": line.provider or None,
        "ResourceId": line.request_id,
        "ServiceCategory": "AI and Machine Learning",
        "ServiceName": "Model inference",
        "ServiceProviderName": SELLER,
        "ServiceSubcategory": "Generative AI",
        "SkuId": sku,
        "SubAccountId": line.key_id,
        "SubAccountName": line.key_name or None,
        "Tags": msgspec.json.encode({name: value for name, value in tags.items() if value}).decode(),
        "x_RequestId": line.request_id,
        "x_Status": line.status,
        "x_InputTokens": line.input_tokens,
        "x_CachedTokens": line.cached_tokens,
        "x_OutputTokens": line.output_tokens,
        "x_ReasoningTokens": line.reasoning_tokens,
        "x_ReceiptId": line.receipt_id,
    }
    return tuple(values.get(name) for name in _FOCUS)


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)
