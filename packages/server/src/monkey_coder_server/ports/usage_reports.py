"""Usage in sums, for reports: never more rows than are asked for, whatever the account used."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Literal, Protocol

from monkey_coder_server.ports.record import Record
from monkey_coder_server.ports.statements import Place

Dimension = Literal["hour", "day", "provider", "model", "key", "project", "persona", "cache"]
"""What usage is parted by. Hours and days count from 1970 UTC; a key of no project is of the project without a name.

The caches are `prompt` (a provider's, less what writing to it cost), `response` (ours, of answers) and `none`.
"""
Named = Literal["provider", "model", "key", "project", "team", "persona"]


class Figures(Record, frozen=True):
    """Some requests together. Money in nano-dollars, latency in milliseconds, both summed up.

    `cache_saving` is what caches, providers' and ours, spared the account: nothing of requests from before it was kept.
    """

    requests: int = 0
    failed: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    price: int = 0
    provider_cost: int = 0
    latency_ms: int = 0
    estimated: int = 0
    cache_saving: int = 0

    @property
    def tokens(self) -> int:
        """All tokens."""
        return self.input_tokens + self.output_tokens


class Wanted(Record, frozen=True):
    """Which usage: start ≤ t < end, and of what there are names for, of one of them.

    A model is named as it is or as `provider/model`; a project and a team by id. Of `statuses`, figures are of single
    requests, which are kept shorter than their sums.
    """

    start: datetime
    end: datetime
    providers: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    personas: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()


class GroupPlace(Record, frozen=True):
    """Where a page of groups ended."""

    price: int
    names: tuple[str, ...]


class Grouping(Record, frozen=True):
    """One way to part usage: by time oldest first; by anything else the dearest first, `most` of them after a place.

    Hours and caches are told of single requests, which are kept shorter than their sums.
    """

    by: tuple[Dimension, ...]
    most: int = 100_000
    after: GroupPlace | None = None


class Group(Record, frozen=True):
    """The names are those of the dimensions, hours and days as digits; `labels` what people call keys and projects."""

    names: tuple[str, ...]
    labels: tuple[str, ...]
    figures: Figures


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
    cache_saving: int = 0


class UsageReports(Protocol):
    """What reports are made of. Raises `Unavailable`."""

    async def grouped(
        self, account_id: str, wanted: Wanted, groupings: Sequence[Grouping]
    ) -> Sequence[Sequence[Group]]:
        """An account's usage parted in several ways, all of one moment. Exact."""

    async def newest(
        self, account_id: str, wanted: Wanted, *, most: int, after: Place | None = None
    ) -> Sequence[UsageLine]:
        """An account's requests, newest first, those before a place."""

    def lines(self, account_id: str | None, wanted: Wanted) -> AsyncIterator[Sequence[UsageLine]]:
        """Every request, a page at a time: an account's by time, or of all accounts (None)."""

    async def unknown(self, account_id: str, kind: Named, names: Sequence[str]) -> Sequence[str]:
        """Those of some names that nothing of the account has, and none of its usage."""

    async def rows_since(self) -> datetime | None:
        """Since when single requests are kept; None when none was dropped yet."""
