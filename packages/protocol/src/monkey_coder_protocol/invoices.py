"""Invoices: what a month came to. Money is a decimal USD string, times ISO 8601."""

import msgspec


class InvoiceSummary(msgspec.Struct, kw_only=True):
    """A month's invoice.

    `state` is `draft`, `open`, `overdue`, `paid`, `void`, `uncollectible`, or `statement` for a month that was paid
    from credit: nothing is due then. `charged_usd` is what the month's requests cost; `total_usd` what is invoiced.
    """

    invoice_id: str
    month: str
    state: str
    charged_usd: str
    total_usd: str
    currency: str
    made_at: str | None
    due_at: str | None
    paid_at: str | None
    hosted_url: str | None


class InvoiceList(msgspec.Struct):
    """`GET /v1/billing/invoices`, newest first."""

    invoices: list[InvoiceSummary]
    count: int


class InvoiceLine(msgspec.Struct, kw_only=True):
    """One line: `exact_usd` to the nano-dollar, and the whole cents of it, `total_usd`, which sum to the invoice's."""

    description: str
    project_id: str | None
    model: str | None
    exact_usd: str
    total_usd: str


class Invoice(InvoiceSummary, kw_only=True):
    """`GET /v1/billing/invoices/{invoice_id}`."""

    lines: list[InvoiceLine]
