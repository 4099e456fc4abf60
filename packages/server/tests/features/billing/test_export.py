import csv
import io
import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pyarrow.parquet
import pytest

from monkey_coder_server.adapters.exports import parquet
from monkey_coder_server.adapters.exports.parquet import ParquetTable
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.features.billing.export import FORMATS, Export, checked, pieces
from monkey_coder_server.ports.usage_reports import UsageLine, Wanted

START, END = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
DANGEROUS = ("=cmd|'/C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\tx", "\rx")


def line(key_name: str = "laptop", **changes: Any) -> UsageLine:
    values: dict[str, Any] = {
        "account_id": "acc_1",
        "at": datetime(2026, 11, 23, 15, 0, 0, 7, tzinfo=UTC),
        "request_id": "req_1",
        "key_id": "key_1",
        "key_name": key_name,
        "status": "served",
        "error_code": None,
        "provider": "openai",
        "model": "gpt-5",
        "task_type": "chat",
        "persona": "developer",
        "stream": True,
        "input_tokens": 1000,
        "cached_tokens": 100,
        "cache_write_tokens": 70,
        "output_tokens": 200,
        "reasoning_tokens": 20,
        "price": 12_345_678,
        "provider_cost": 10_000_000,
        "latency_ms": 800,
        "estimated": False,
        "receipt_id": "rcp_1",
    }
    return UsageLine(**values | changes)


class Pages:
    """Reports of given pages."""

    def __init__(self, *given: Sequence[UsageLine]) -> None:
        self.given = given

    async def lines(self, _account: str | None, wanted: Wanted) -> AsyncIterator[Sequence[UsageLine]]:
        assert (wanted.start, wanted.end) == (START, END)
        for page in self.given:
            yield page


async def exported(name: str, *given: Sequence[UsageLine], account: str | None = "acc_1") -> list[bytes]:
    make = FORMATS[name][0] or ParquetTable
    reports: Any = Pages(*given)
    return [piece async for piece in pieces(reports, Export(name, Wanted(START, END), account), make)]


async def table(name: str, *given: Sequence[UsageLine], account: str | None = "acc_1") -> list[dict[str, str]]:
    text = b"".join(await exported(name, *given, account=account)).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("name", DANGEROUS)
@pytest.mark.parametrize(("format_name", "column"), [("csv", "key_name"), ("focus", "SubAccountName")])
async def test_what_a_spreadsheet_would_run_is_made_harmless(name: str, format_name: str, column: str) -> None:
    [row] = await table(format_name, [line(name)])
    assert row[column] == f"'{name}"


async def test_ordinary_names_stay_as_they_are() -> None:
    [row] = await table("csv", [line("laptop = mine")])
    assert row["key_name"] == "laptop = mine"


async def test_csv_is_exact_and_shows_what_the_house_pays_to_operators_only() -> None:
    [row] = await table("csv", [line()])
    assert (row["cost_usd"], row["at"], row["stream"]) == ("0.012345678", "2026-11-23T15:00:00.000007Z", "true")
    assert "provider_cost_usd" not in row
    [row] = await table("csv", [line()], account=None)
    assert row["provider_cost_usd"] == "0.01"


async def test_json_lines_are_objects_with_the_same_columns() -> None:
    lines = [json.loads(text) for text in b"".join(await exported("jsonl", [line(), line("=x")])).splitlines()]
    assert [each["key_name"] for each in lines] == ["laptop", "=x"]
    assert (lines[0]["cost_usd"], lines[0]["error_code"], lines[0]["input_tokens"]) == ("0.012345678", None, 1000)


@pytest.mark.parametrize("counted", [70, 0, None])
async def test_tokens_written_to_a_cache_have_a_column_that_is_empty_where_they_were_not_counted(
    counted: int | None,
) -> None:
    given = [line(cache_write_tokens=counted)]
    [row] = await table("csv", given)
    assert row["cache_write_tokens"] == ("" if counted is None else str(counted))
    assert json.loads(b"".join(await exported("jsonl", given)))["cache_write_tokens"] == counted
    read = pyarrow.parquet.read_table(io.BytesIO(b"".join(await exported("parquet", given))))
    assert read.column("cache_write_tokens").to_pylist() == [counted]
    assert not [name for name in (await table("focus", given))[0] if "write" in name.lower()]


async def test_focus_has_the_columns_of_the_specification() -> None:
    [row] = await table("focus", [line()])
    mandatory = {
        *("BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd"),
        *("BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargePeriodEnd"),
        *("ChargePeriodStart", "ContractedCost", "EffectiveCost", "InvoiceIssuerName", "ListCost", "PricingQuantity"),
        *("PricingUnit", "ProviderName", "PublisherName", "ServiceCategory", "ServiceName"),
    }
    assert mandatory <= set(row)
    assert (row["BilledCost"], row["BillingCurrency"], row["ConsumedQuantity"]) == ("0.012345678", "USD", "1200")
    assert row["BillingPeriodStart"] == "2026-11-01T00:00:00.000000Z"
    assert row["BillingPeriodEnd"] == "2026-12-01T00:00:00.000000Z"
    assert (row["ServiceCategory"], row["SkuId"]) == ("AI and Machine Learning", "openai/gpt-5")
    assert json.loads(row["Tags"]) == {"persona": "developer", "task_type": "chat"}
    assert all(name.startswith("x_") or name[0].isupper() for name in row)


async def test_parquet_comes_in_pieces_and_is_exact() -> None:
    many = [line(request_id=f"req_{number}") for number in range(500)]
    given = await exported("parquet", many, many, many)
    assert all(given)
    read = pyarrow.parquet.read_table(io.BytesIO(b"".join(given)))
    assert (read.num_rows, read.column("cost_usd")[0].as_py()) == (1_500, Decimal("0.012345678"))
    assert read.column("at")[0].as_py() == line().at
    assert pyarrow.parquet.ParquetFile(io.BytesIO(b"".join(given))).num_row_groups == 3


def test_without_pyarrow_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "find_spec", lambda _: None)
    with pytest.raises(InvalidRequest, match=r"monkey-coder-server\[parquet\]"):
        ParquetTable()


def test_an_unknown_format_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidRequest, match="csv, jsonl, parquet, focus"):
        checked("xls")
