"""What is asked in the query of an address. Names may be written in camelCase too; lists by commas or repetition."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Name = Annotated[str, Meta(max_length=200)]
Names = Annotated[list[Name], Meta(max_length=50)]
Granularity = Literal["hourly", "daily", "weekly", "monthly"]
UsageDimension = Literal["provider", "model", "key", "project", "persona", "cache"]
RequestStatus = Literal["served", "failed", "expired"]
ExportFormat = Literal["csv", "jsonl", "parquet", "focus"]
_FIRST = Meta(description="First day as YYYY-MM-DD, or an ISO time. UTC where no zone is named.", max_length=40)
_LAST = Meta(description="Last day, which counts whole, or an ISO time to stop before.", max_length=40)
Cursor = Annotated[str, Meta(description="The `next` of the page before.", max_length=2000)]


class PeriodQuery(msgspec.Struct, kw_only=True):
    """A span of time; the last 30 days where nothing is said."""

    start_date: Annotated[str, _FIRST] = ""
    end_date: Annotated[str, _LAST] = ""


class PolicyQuery(msgspec.Struct, kw_only=True):
    """`GET /v1/limits`: for another key of the caller's, or for a project; else for who asks."""

    key_id: Name = ""
    project_id: Name = ""


class UsageFilters(PeriodQuery, kw_only=True):
    """Which requests count: those that match one name of each list that is given. A model may be `provider/model`."""

    provider: Names = []
    model: Names = []
    key_id: Names = []
    project: Names = []
    team: Names = []
    persona: Names = []
    status: Annotated[list[RequestStatus], Meta(max_length=3)] = []


class UsageQuery(UsageFilters, kw_only=True):
    """`GET /v1/billing/usage`. `limit` and `after` page through groups, the dearest first, or details, newest first."""

    granularity: Granularity = "daily"
    include_details: bool = False
    group_by: Annotated[list[UsageDimension], Meta(max_length=2)] = []
    limit: Annotated[int, Meta(ge=1, le=1000)] = 1000
    after: Cursor = ""


class ExportQuery(UsageFilters, kw_only=True):
    """`GET /v1/billing/usage/export`."""

    format: ExportFormat = "csv"


class ReceiptsQuery(PeriodQuery, kw_only=True):
    """`GET /v1/billing/receipts`, oldest first."""

    key_id: Name = ""
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100
    after: Cursor = ""


class PurchasesQuery(msgspec.Struct, kw_only=True):
    """`GET /v1/billing/payments` and `/v1/billing/refunds`, newest first."""

    limit: Annotated[int, Meta(ge=1, le=1000)] = 1000
    after: Cursor = ""


class StatementQuery(msgspec.Struct, kw_only=True):
    """`GET /v1/billing/statement`."""

    month: Annotated[str, Meta(description="A UTC month as YYYY-MM; this one when left out.", max_length=7)] = ""


class AuditQuery(msgspec.Struct, kw_only=True):
    """`GET /v1/audit`, newest first."""

    limit: Annotated[int, Meta(ge=1, le=1000)] = 100
    before: Annotated[int, Meta(ge=1, le=10**18, description="The `next` of the page before.")] | None = None


class AuditExportQuery(msgspec.Struct, kw_only=True):
    """`GET /v1/audit/export`."""

    format: Literal["csv", "jsonl"] = "csv"


class PersonQuery(msgspec.Struct, kw_only=True):
    """`GET /v1/operator/accounts`: whose accounts."""

    email: Annotated[str, Meta(max_length=320)] = ""


class RoleQuery(msgspec.Struct, kw_only=True):
    """`DELETE /v1/operator/operators/{user_id}`: which role; every one when left out."""

    role: Annotated[str, Meta(max_length=40)] | None = None
