"""What operators charge (`/v1/operator/markups`, …). Times are RFC 3339 UTC, amounts decimal strings in USD."""

import msgspec


class SetMarkup(msgspec.Struct, kw_only=True):
    """What is added to the cost of whatever matches every stated field: 1500 basis points are 15 %.

    Without `starts_at` it holds at once, without `ends_at` until it is ended. A day counts from its beginning in UTC.
    """

    basis_points: int
    reason: str
    plan: str | None = None
    provider: str | None = None
    model: str | None = None
    starts_at: str | None = None
    ends_at: str | None = None


class EndMarkup(msgspec.Struct, kw_only=True):
    """When a markup ends, by default now, and why."""

    reason: str
    ends_at: str | None = None


class MarkupInfo(msgspec.Struct, kw_only=True):
    """A markup. `state` is `to come`, `in force` or `over`; null for plan, provider or model means any."""

    markup_id: str
    basis_points: int
    plan: str | None
    provider: str | None
    model: str | None
    starts_at: str
    ends_at: str | None
    state: str
    reason: str
    set_by: str
    set_at: str


class MarkupList(msgspec.Struct):
    """`GET /v1/operator/markups`: every markup that was ever set, the newest first."""

    markups: list[MarkupInfo]
    count: int


class EndedMarkup(msgspec.Struct, kw_only=True):
    """A markup and when it ends; one that had not begun never begins."""

    markup_id: str
    ends_at: str | None


class PriceOfModel(msgspec.Struct, kw_only=True):
    """What a model costs us and a plan, for a million tokens of prompts in the first price tier.

    `input_usd`, `cached_usd` and `output_usd` are what the provider bills and `source` says so; `price_…` is what the
    plan pays. `margin_percent` is the part of the price that is left to us.
    """

    model: str
    input_usd: str
    cached_usd: str
    output_usd: str
    markup_basis_points: int
    price_input_usd: str
    price_cached_usd: str
    price_output_usd: str
    margin_percent: str
    source: str
    effective_from: str | None
    effective_until: str | None


class PriceList(msgspec.Struct, kw_only=True):
    """`GET /v1/operator/prices?plan&provider`: what is charged now. `refused` says why a model has no price.

    `markup_basis_points` is that of whatever no markup speaks of.
    """

    price_book: str
    plan: str
    markup_basis_points: int
    valid_until: str | None
    prices: list[PriceOfModel]
    refused: dict[str, str]


class BusinessLine(msgspec.Struct, kw_only=True):
    """Requests of a provider, model, plan, customer or day. `revenue_usd` is what customers were charged.

    `provider_cost_usd` includes failed requests; `estimated` counts requests whose usage is an estimate.
    `margin_percent` is null without revenue. `cache_savings_usd` is what caches spared customers.
    """

    name: str
    requests: int
    failed: int
    revenue_usd: str
    provider_cost_usd: str
    margin_usd: str
    margin_percent: str | None
    estimated: int
    cache_savings_usd: str


class ReconciledInvoice(msgspec.Struct, kw_only=True):
    """What the newest comparison with a provider's figures came to."""

    provider: str
    first_day: str
    last_day: str
    source: str
    booked_usd: str
    invoiced_usd: str
    unexplained_usd: str


class BusinessReport(msgspec.Struct, kw_only=True):
    """`GET /v1/operator/business?start&end&by`: how business went from `start` to `end`, both included (UTC days).

    `losses_usd` is by cause: `beyond_hold`, `failed`, `hedges`, `corrections`, and `estimated` for cost that is booked
    by estimate. `promotions_used_usd` is what is gone by now of credit given in this time: spent, expired or taken
    back. `accounts_usd` is what came to each kind of account of the ledger. `unexplained_…` is what the ledger has
    beyond the sums of requests: 0.
    """

    start: str
    end: str
    by: str
    total: BusinessLine
    lines: list[BusinessLine]
    refunded_usd: str
    losses_usd: dict[str, str]
    promotions_given_usd: str
    promotions_used_usd: str
    breakage_usd: str
    accounts_usd: dict[str, str]
    unexplained_revenue_usd: str
    unexplained_cost_usd: str
    invoices: list[ReconciledInvoice]
