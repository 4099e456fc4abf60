"""`client.usage`, sync and async: reports of usage, their pages, files of single requests, and the forecast."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any, TypedDict, Unpack

from monkey_coder import _responses
from monkey_coder._accounts import AsyncCaller, Caller
from monkey_coder._requests import Call, Request
from monkey_coder_protocol import billing
from monkey_coder_protocol.queries import ExportFormat, Granularity, RequestStatus, UsageDimension

EXPORT_TIMEOUT = 600.0
"""Seconds for a whole file of usage."""
_WIRE = {"start": "start_date", "end": "end_date"}


class UsageFilters(TypedDict, total=False):
    """Which usage: of some days (`YYYY-MM-DD`, both included), and of one of the names of each list."""

    start: str
    end: str
    provider: str | Sequence[str]
    model: str | Sequence[str]
    """As it is, or as `provider/model`."""
    key_id: str | Sequence[str]
    project: str | Sequence[str]
    team: str | Sequence[str]
    persona: str | Sequence[str]
    status: RequestStatus | Sequence[RequestStatus]


class UsageOptions(UsageFilters, total=False):
    """How usage is told apart. Groups and details are two reports; each comes in pages."""

    granularity: Granularity
    group_by: UsageDimension | Sequence[UsageDimension]
    """One or two of them."""
    include_details: bool
    limit: int
    """Groups or details on a page, 1 to 1,000."""


class Usage:
    """What was used. Numbers with a fraction are `Decimal`."""

    def __init__(self, client: Caller) -> None:
        self._client = client

    def __call__(self, *, after: str | None = None, **asked: Unpack[UsageOptions]) -> billing.UsageReport:
        """One report; `after` is the `next` of the page before."""
        return self._client.call(report(asked, after))

    def pages(self, **asked: Unpack[UsageOptions]) -> Iterator[billing.UsageReport]:
        """A report in all its pages: each has `groups` or `details` that the others have not."""
        after: str | None = None
        while True:
            page = self(after=after, **asked)
            yield page
            after = page.get("next")
            if after is None:
                return

    def export(self, kind: ExportFormat, **asked: Unpack[UsageFilters]) -> bytes:
        """Every single request as a file of at most 64 MiB: ask for more of them in shorter periods."""
        return self._client.call(exported(kind, asked))

    def forecast(self) -> billing.Forecast:
        """When the credit runs out, and what the month will come to."""
        return self._client.call(forecast())


class AsyncUsage:
    """As `Usage`."""

    def __init__(self, client: AsyncCaller) -> None:
        self._client = client

    async def __call__(self, *, after: str | None = None, **asked: Unpack[UsageOptions]) -> billing.UsageReport:
        """One report; `after` is the `next` of the page before."""
        return await self._client.call(report(asked, after))

    async def pages(self, **asked: Unpack[UsageOptions]) -> AsyncIterator[billing.UsageReport]:
        """A report in all its pages: each has `groups` or `details` that the others have not."""
        after: str | None = None
        while True:
            page = await self(after=after, **asked)
            yield page
            after = page.get("next")
            if after is None:
                return

    async def export(self, kind: ExportFormat, **asked: Unpack[UsageFilters]) -> bytes:
        """Every single request as a file of at most 64 MiB: ask for more of them in shorter periods."""
        return await self._client.call(exported(kind, asked))

    async def forecast(self) -> billing.Forecast:
        """When the credit runs out, and what the month will come to."""
        return await self._client.call(forecast())


def report(asked: UsageOptions, after: str | None) -> Call[dict[str, Any]]:
    """`GET /v1/billing/usage`."""
    query = _query(asked) | ({"after": after} if after else {})
    return Call(Request("GET", "/v1/billing/usage", query=query), _responses.parse_object)


def exported(kind: ExportFormat, asked: UsageFilters) -> Call[bytes]:
    """`GET /v1/billing/usage/export`."""
    query = {"format": kind, **_query(asked)}
    request = Request("GET", "/v1/billing/usage/export", query=query, timeout=EXPORT_TIMEOUT)
    return Call(request, lambda reply: reply.body)


def forecast() -> Call[billing.Forecast]:
    """`GET /v1/billing/forecast`."""
    return Call(Request("GET", "/v1/billing/forecast"), _responses.parse_as(billing.Forecast))


def _query(asked: Mapping[str, Any]) -> dict[str, str]:
    """Parameters as they are sent: lists with commas, and nothing of what was not said."""
    return {_WIRE.get(name, name): _text(value) for name, value in asked.items() if value not in (None, "", (), [])}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (str, int)) else ",".join(value)
