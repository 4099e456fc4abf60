"""Balance, quote, receipts and feedback. Money is a decimal USD string."""

from typing import Any, Literal

import msgspec


class Balance(msgspec.Struct, kw_only=True):
    """`available_usd` is what a new request can hold: balance less open holds. A frozen account can hold nothing.

    `debt_usd` is what refunds and banks took beyond the credit that was there; new credit pays it first. `frozen` says
    why nothing may be spent: null, `dispute`, `fraud_warning`, `debt` or `overdue`.
    """

    balance_usd: str
    held_usd: str
    available_usd: str
    currency: str
    spent_today_usd: str
    spent_month_usd: str
    debt_usd: str
    frozen: str | None
    top_up_url: str


class SpendForecast(msgspec.Struct, kw_only=True):
    """What is expected to be spent, and the interval around it."""

    low_usd: str
    expected_usd: str
    high_usd: str


class RunOutForecast(msgspec.Struct, kw_only=True):
    """UTC days on which the credit that is available now is used up; null: not within a year."""

    earliest: str | None
    expected: str | None
    latest: str | None


class Forecast(msgspec.Struct, kw_only=True):
    """`GET /v1/billing/forecast`: estimates from what past days cost.

    What comes lies within an interval in about `interval_percent` of 100 cases, as far as the days to come are like
    those that were. `available_usd` is balance and credit line less open holds; credit that is bought or expires
    meanwhile is not foreseen. `days` were looked at; with fewer than `days_needed` of them the estimates are null.
    `a_day` is a mean day of the next seven, `rest_of_month` from now on, `month` with what the month cost so far.
    """

    at: str
    available_usd: str
    days: int
    days_needed: int
    enough_history: bool
    interval_percent: int
    spent_month_usd: str
    a_day: SpendForecast | None
    rest_of_month: SpendForecast | None
    month: SpendForecast | None
    runs_out: RunOutForecast | None


class LimitStanding(msgspec.Struct, kw_only=True):
    """A spending limit and how it stands. Figures are USD for `unit` `money`, counts for `tokens`, as decimal strings.

    `source` is who says so: `operator` for the account's own, else the kind of its holder.
    `scope` is `account`, `project`, `key`, or `model` for a limit of one of those (`holder`) on one model.
    `resets_at` is null for `period` `total`.
    """

    scope: str
    holder: str
    holder_id: str
    source: str = ""
    model: str | None
    period: str
    unit: str
    limit: str
    spent: str
    held: str
    left: str
    resets_at: str | None


class LimitList(msgspec.Struct):
    """`GET /v1/billing/limits`: every limit of the account, its projects and its keys in use."""

    limits: list[LimitStanding]
    count: int


class QuoteRoute(msgspec.Struct, kw_only=True):
    """One candidate with its expected and greatest charge.

    The expected charge is a median: as many requests like this one cost more as cost less. `learned_from` is how many
    answers to such requests it rests on, 0 for a stated prior; `expected_cached_tokens` are a part of `input_tokens`.
    """

    provider: str
    model: str
    expected_usd: str
    maximum_usd: str
    input_tokens: int
    expected_output_tokens: int
    maximum_output_tokens: int
    price_row: str
    expected_cached_tokens: int = 0
    learned_from: int = 0


class Quote(msgspec.Struct, kw_only=True):
    """`expected_usd` is of the route that would be taken.

    `maximum_usd` is what would be held: executed under this quote, the request never costs more, whichever of the
    routes serves it.
    """

    quote_id: str
    expires_at: str
    price_book: str
    expected_usd: str
    maximum_usd: str
    route: str
    routes: list[QuoteRoute]


class Receipt(msgspec.Struct, kw_only=True):
    """A signed charge. `body` is the canonical JSON text that was signed; `signature` base64 Ed25519 over it.

    `chain_hash` is the SHA-256 (hex) over the previous receipt's chain hash and this body.
    """

    receipt_id: str
    body: str
    signature: str
    key_id: str
    chain_hash: str


class ReceiptPage(msgspec.Struct, kw_only=True):
    """`GET /v1/billing/receipts`, oldest first. `next` is the `after` of the next page; null on the last."""

    receipts: list[Receipt]
    next: str | None


class StatementLine(msgspec.Struct, kw_only=True):
    """What one API key was charged at one model."""

    key_id: str
    provider: str
    model: str
    requests: int
    input_tokens: int
    output_tokens: int
    charged_usd: str
    charged_nano: int


class CreditMovement(msgspec.Struct, kw_only=True):
    """What moved the balance and is no charge; an amount below zero takes credit.

    `kind` is `grant`, `promotion` (by a code; among what was `granted`), `purchase`, `plan` (credit of one),
    `credit_line` (free again with a paid invoice), `refund` (of the charge of `request_id`), `restored` (of what a
    refund or a bank took), `taken_back` (of a grant or line), `paid_back` (to a card), `disputed` (with a bank),
    `debt_paid` (from credit that came later) or `expired`.
    """

    at: str
    kind: str
    amount_usd: str
    amount_nano: int
    request_id: str | None


class StatementCredit(msgspec.Struct, kw_only=True):
    """The balance over a month, to the nano-dollar.

    closing = opening + granted + purchased + included + renewed + refunded + restored - taken_back - paid_back -
    disputed - debt_paid - expired - charged. `included` is credit of plans, `renewed` of a credit line whose invoice is
    paid. `movements` lists what is no charge, oldest first; `truncated` says that there are more, which the sums hold
    all the same.
    """

    opening_usd: str
    opening_nano: int
    granted_usd: str
    granted_nano: int
    purchased_usd: str
    purchased_nano: int
    included_usd: str
    included_nano: int
    renewed_usd: str
    renewed_nano: int
    refunded_usd: str
    refunded_nano: int
    restored_usd: str
    restored_nano: int
    taken_back_usd: str
    taken_back_nano: int
    paid_back_usd: str
    paid_back_nano: int
    disputed_usd: str
    disputed_nano: int
    debt_paid_usd: str
    debt_paid_nano: int
    expired_usd: str
    expired_nano: int
    charged_usd: str
    charged_nano: int
    closing_usd: str
    closing_nano: int
    movements: list[CreditMovement]
    truncated: bool


class Statement(msgspec.Struct, kw_only=True):
    """`GET /v1/billing/statement`: a UTC month; the total is the sum of its receipts, to the nano-dollar.

    `total_nano` and `lines` are of single usage rows and empty once those are dropped; `credit` is not.
    """

    account_id: str
    month: str
    start: str
    end: str
    receipts: int
    total_usd: str
    total_nano: int
    lines: list[StatementLine]
    credit: StatementCredit


class ReceiptKeys(msgspec.Struct):
    """`/.well-known/monkey-receipts.json`: key id to base64 Ed25519 public key, of every gateway of the same books."""

    keys: dict[str, str]


class Feedback(msgspec.Struct, kw_only=True):
    """What became of an answer; feeds routing. `verifier` says what passed or failed it: tests when left out."""

    request_id: str
    outcome: Literal["accepted", "rejected", "tests_passed", "tests_failed"]
    score: float | None = None
    verifier: Literal["tests", "build", "lint"] | None = None


UsageReport = dict[str, Any]
"""`GET /v1/billing/usage` carries two historic field sets in one body; see docs/reference."""


class WebhookTaken(msgspec.Struct, kw_only=True):
    """The answer to the payment processor: the event is kept."""

    received: bool
