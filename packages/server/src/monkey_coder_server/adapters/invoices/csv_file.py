"""Invoices as CSV files: one line a request, or one line a day and model. Columns: docs/how-to/reconcile.md.

Google's cost table (Cloud Billing reports, `SKU description`, `Usage start date`, `Usage amount`, `Cost ($)`) is read
as it is downloaded: its SKUs name model and token kind in words.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import takewhile
from pathlib import Path

from monkey_coder_server.adapters.invoices import amounts
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.invoices import USD, Invoice, Invoiced

LARGEST_FIELD = 10_000
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "request": ("request_id", "x_request_id", "provider_request_id", "response_id"),
    "day": ("day", "date", "time", "timestamp", "created_at", "usage_date", "usage_start_date"),
    "model": ("model", "model_name", "model_id"),
    "sku": ("sku_description", "sku"),
    "quantity": ("usage_amount", "quantity"),
    "currency": ("currency", "cost_currency"),
}
_AMOUNTS = (
    (("amount_usd", "cost_usd", "amount", "cost", "cost_$", "total_cost"), amounts.DOLLARS),
    (("amount_cents", "cost_cents"), amounts.CENTS),
    (("cost_in_usd_ticks",), amounts.TICKS),
)
_KINDS: Mapping[str, tuple[str, ...]] = {
    "input": ("input_tokens", "prompt_tokens"),
    "uncached_input": ("uncached_input_tokens",),
    "cache_read": ("cache_read_tokens", "cached_input_tokens", "cached_tokens", "cache_read_input_tokens"),
    "cache_write": ("cache_write_tokens", "cache_creation_input_tokens"),
    "cache_write_5m": ("cache_write_5m_tokens", "ephemeral_5m_input_tokens"),
    "cache_write_1h": ("cache_write_1h_tokens", "ephemeral_1h_input_tokens"),
    "output": ("output_tokens", "completion_tokens"),
    "reasoning": ("reasoning_tokens",),
    "searches": ("searches", "num_search_queries", "web_search_requests"),
}
_SKU_ENDS = frozenset(
    (
        "ga",
        "text",
        "short",
        "long",
        "image",
        "audio",
        "video",
        "input",
        "output",
        "cached",
        "caching",
        "thinking",
        "batch",
    )
)
"""Words of a SKU that no longer belong to its model's name."""
_SKU_KINDS = (("cach", "cache_read"), ("think", "output"), ("output", "output"), ("input", "uncached_input"))


class CsvInvoice:
    """Implements `ports.invoices.InvoiceSource`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def fetch(self, first: date, last: date) -> Invoice:
        """The lines of the period, and of a request-level file those of a day before and after, too."""
        try:
            text = self._path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as wrong:
            message = f"{self._path} cannot be read as UTF-8 text ({type(wrong).__name__})."
            raise InvalidRequest(message) from wrong
        return parse(text, first, last)


def parse(text: str, first: date, last: date) -> Invoice:
    """An invoice from the text of a CSV file. Raises `InvalidRequest` that names the line and what is wrong."""
    csv.field_size_limit(LARGEST_FIELD)
    reader = csv.reader(text.splitlines())
    try:
        names = [_name(cell) for cell in next(reader, [])]
        columns = _Columns(names)
        rows = [(number, row) for number, row in enumerate(reader, 2) if any(cell.strip() for cell in row)]
    except csv.Error as wrong:
        message = f"The file is not CSV: {wrong}."
        raise InvalidRequest(message) from wrong
    read = [line for number, row in rows for line in columns.line(number, row)]
    by_request = any(line.provider_request_id for line, _ in read)
    lines = [line for line, _ in read if by_request or first.isoformat() <= line.day <= last.isoformat()]
    exact = [amount for _, amount in read if amount is not None]
    return Invoice(tuple(lines), amounts.resolution(exact), by_request)


class _Columns:
    """Where in a row what stands."""

    def __init__(self, names: list[str]) -> None:
        self._width = len(names)
        self._at = {role: _place(names, known) for role, known in _COLUMNS.items()}
        self._kinds = {kind: at for kind, known in _KINDS.items() if (at := _place(names, known)) is not None}
        costs = [(at, unit) for known, unit in _AMOUNTS if (at := _place(names, known)) is not None]
        self._amount = costs[0] if costs else None
        if self._at["day"] is None or (self._at["model"] is None and self._at["sku"] is None):
            message = f"The first line must name the columns, a day and a model among them; it has {', '.join(names)}."
            raise InvalidRequest(message[:400])
        if self._amount is None and not self._kinds:
            raise InvalidRequest("The file has neither an amount nor a count of tokens; see docs/how-to/reconcile.md.")

    def line(self, number: int, row: list[str]) -> Iterator[tuple[Invoiced, Decimal | None]]:
        """The line of a row, with its exact amount in nano-dollars."""
        where = f"Line {number}"
        if len(row) != self._width:
            message = f"{where} has {len(row)} fields; the first line names {self._width}."
            raise InvalidRequest(message)
        counts = {kind: _count(row[at], where) for kind, at in self._kinds.items() if row[at].strip()}
        model = self._cell(row, "model")
        if self._at["sku"] is not None:
            model, kind = _sku(self._cell(row, "sku"))
            if self._at["quantity"] is not None:
                counts = {kind: _count(self._cell(row, "quantity"), where)}
        exact = None
        if self._amount is not None and row[self._amount[0]].strip():
            exact = amounts.read(row[self._amount[0]], self._amount[1], where)
        yield (
            Invoiced(
                day=_day(self._cell(row, "day"), where),
                model=model,
                tokens=counts,
                amount=None if exact is None else amounts.whole(exact),
                provider_request_id=self._cell(row, "request") or None,
                currency=self._cell(row, "currency").upper() or USD,
                name=f"line {number}",
            ),
            exact,
        )

    def _cell(self, row: list[str], role: str) -> str:
        at = self._at[role]
        return "" if at is None else row[at].strip()


def _name(cell: str) -> str:
    words = re.sub(r"[^a-z0-9$]+", "_", cell.strip().lower())
    return words.strip("_")


def _place(names: list[str], known: tuple[str, ...]) -> int | None:
    return next((names.index(name) for name in known if name in names), None)


def _day(text: str, where: str) -> str:
    """The UTC day of a date, an ISO time, or seconds since 1970."""
    try:
        if text.isascii() and text.isdigit() and len(text) >= 9:
            return datetime.fromtimestamp(int(text), UTC).date().isoformat()
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError) as wrong:
        message = f"{where}: {text[:40]!r} is not a date like 2026-11-23 or an ISO time."
        raise InvalidRequest(message) from wrong
    return (moment.astimezone(UTC) if moment.tzinfo else moment).date().isoformat()


def _count(text: str, where: str) -> int:
    plain = text.strip().replace(",", "").removesuffix(".0")
    if not (plain.isascii() and plain.isdigit()):
        message = f"{where}: {text[:40]!r} is not a count."
        raise InvalidRequest(message)
    return int(plain)


def _sku(description: str) -> tuple[str, str]:
    """Model and token kind of one of Google's SKUs, such as `Gemini 2.5 Flash GA Text Input - Predictions`."""
    words = description.lower().replace("-", " ").split()
    named = words[words.index("gemini") :] if "gemini" in words else []
    model = "-".join(takewhile(lambda word: word not in _SKU_ENDS, named))
    text = " ".join(words)
    kind = next((kind for word, kind in _SKU_KINDS if word in text), "output")
    return model or description, kind
