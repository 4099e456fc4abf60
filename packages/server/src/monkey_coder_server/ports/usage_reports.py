"""Usage in sums, for reports: never more rows than there are hours, keys and models."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Protocol

from monkey_coder_server.ports.record import Record


class UsageSum(Record, frozen=True):
    """Requests of one key with one model and persona in one hour or day; `hour` counts whole hours since 1970 UTC.

    Of a day's sum, `hour` is its first. Money in nano-dollars, latency in milliseconds, both summed up.
    """

    hour: int
    key_id: str
    provider: str
    model: str
    persona: str
    requests: int
    failed: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    reasoning_tokens: int
    price: int
    provider_cost: int
    latency_ms: int
    estimated: int


class UsageLine(Record, frozen=True):
    """One request, for exports. Money in nano-dollars; `key_name` is empty when the key is not known any more.

    `input_tokens` includes `cached_tokens`, which were read from the provider's cache, and `cache_write_tokens`, which
    were written to it: None of requests from before that was counted.
    """

    account_id: str
    at: datetime
    request_id: str
    key_id: str
    key_name: str
    status: str
    error_code: str | None
    provider: str
    model: str
    task_type: str
    persona: str
    stream: bool
    input_tokens: int
    cached_tokens: int
    cache_write_tokens: int | None
    output_tokens: int
    reasoning_tokens: int
    price: int
    provider_cost: int
    latency_ms: int
    estimated: bool
    receipt_id: str | None


class UsageReports(Protocol):
    """What reports are made of. Raises `Unavailable`."""

    async def sums(self, account_id: str, *, start: datetime, end: datetime, hourly: bool) -> Sequence[UsageSum]:
        """An account's usage with start ≤ t < end in sums by day, or by hour; oldest first. Exact."""

    async def newest(self, account_id: str, *, start: datetime, end: datetime, most: int) -> Sequence[UsageLine]:
        """The newest requests of an account with start ≤ t < end, oldest first."""

    def lines(self, account_id: str | None, *, start: datetime, end: datetime) -> AsyncIterator[Sequence[UsageLine]]:
        """Every request with start ≤ t < end, a page at a time: an account's by time, or of all accounts (None)."""
