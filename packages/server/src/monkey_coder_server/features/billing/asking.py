"""What a report or an export is asked for, checked: a name that nothing has is refused and no empty report."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import msgspec

from monkey_coder_protocol.queries import UsageFilters, UsageQuery
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.personas import PERSONAS
from monkey_coder_server.features.billing.cursor import read
from monkey_coder_server.features.billing.period import checked_span, read_period
from monkey_coder_server.ports.usage_reports import Named, UsageReports, Wanted

NO_PERSONA = "none"
"""What requests without a persona are called."""


AwareTime = Annotated[datetime, msgspec.Meta(tz=True)]


class Page(msgspec.Struct, array_like=True, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a page ended, with the span it was of: one that ends now ends at the same moment on every page.

    `at` is the price of a page of groups, and the moment of one of requests, in microseconds.
    """

    grouped: bool
    start: AwareTime
    end: AwareTime
    at: Annotated[int, msgspec.Meta(ge=-(2**62), le=2**62)]
    names: Annotated[tuple[Annotated[str, msgspec.Meta(pattern="^[^\\x00]*$")], ...], msgspec.Meta(min_length=1)]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of names without looking: the models on offer, by provider and name."""

    offers: Collection[tuple[str, str]]

    def has(self, kind: Named, name: str) -> bool:
        """Whether it is a name of the catalogue."""
        if kind == "provider":
            return any(name == provider for provider, _ in self.offers)
        if kind == "model":
            return any(name in {model, f"{provider}/{model}"} for provider, model in self.offers)
        return kind == "persona" and name in {*PERSONAS, NO_PERSONA}


async def wanted_of(
    filters: UsageFilters, span: tuple[datetime, datetime], account_id: str, known: Known, reports: UsageReports
) -> Wanted:
    """Which usage is asked for. Raises `InvalidRequest` for a name nothing has."""
    asked: dict[Named, Sequence[str]] = {
        "provider": filters.provider,
        "model": filters.model,
        "key": filters.key_id,
        "project": filters.project,
        "team": filters.team,
        "persona": filters.persona,
    }
    for kind, names in asked.items():
        strange = [name for name in names if not known.has(kind, name)]
        unread = [name for name in strange if not name.isprintable()]
        missing = unread or await reports.unknown(account_id, kind, strange)
        if missing:
            parameter = "key_id" if kind == "key" else kind
            message = f"The query parameter `{parameter}` names {missing[0]!r}, which this account has no {kind} of."
            raise InvalidRequest(message)
    return Wanted(
        start=span[0],
        end=span[1],
        providers=tuple(filters.provider),
        models=tuple(filters.model),
        keys=tuple(filters.key_id),
        projects=tuple(filters.project),
        teams=tuple(filters.team),
        personas=tuple("" if name == NO_PERSONA else name for name in filters.persona),
        statuses=tuple(filters.status),
    )


def span_of(query: UsageQuery, now: datetime) -> tuple[tuple[datetime, datetime], Page | None]:
    """The span, and where the page before ended: its span counts on, unless another is named.

    Raises `InvalidRequest`.
    """
    if bool(query.group_by) and query.include_details:
        raise InvalidRequest("Ask for groups or for details: `group_by` and `include_details` are two reports.")
    if not query.after:
        return read_period(query, now), None
    page = read(Page, query.after)
    if page.grouped != bool(query.group_by) or (page.grouped and len(page.names) != len(query.group_by)):
        raise InvalidRequest("The query parameter `after` is of another report than this one.")
    named = query.start_date or query.end_date
    return read_period(query, now) if named else checked_span(page.start, page.end), page
