"""Buying credit and giving it back: checkout, payments, refunds, the saved card, automatic top-up.

Money is a decimal USD string, in whole cents where a card is charged. No id is the payment processor's.
"""

import msgspec

Amount = str | int
"""USD: a decimal string, or a number of whole dollars."""


class CheckoutRequest(msgspec.Struct, kw_only=True):
    """Buy credit for `amount_usd`, or a `plan`; with neither, `save_card` takes a card and no money.

    Without URLs the browser ends on pages of the gateway.
    """

    amount_usd: Amount | None = None
    plan: str | None = None
    success_url: str | None = None
    cancel_url: str | None = None
    save_card: bool = False


class CheckoutPage(msgspec.Struct, kw_only=True):
    """Where to pay. `session_id` is found again as the `reference` of the payment."""

    checkout_url: str
    session_id: str
    expires_at: str | None


class PaymentRequest(msgspec.Struct, kw_only=True):
    """What the service's published command line sends: `amount` in cents."""

    amount: int
    description: str = ""
    success_url: str | None = None
    cancel_url: str | None = None


class PaymentPage(msgspec.Struct, kw_only=True):
    """Where to pay, as the published command line reads it."""

    payment_url: str
    session_id: str


class PortalRequest(msgspec.Struct, kw_only=True):
    """`return_url` may be a query parameter, too."""

    return_url: str | None = None


class PortalPage(msgspec.Struct, kw_only=True):
    """`session_url` and `portal_url` are the same page. `customer_id` is the account's id here."""

    session_url: str
    portal_url: str
    customer_id: str
    expires_at: str | None
    created_at: str


class PaymentInfo(msgspec.Struct, kw_only=True):
    """A payment. `purpose`: credit, top_up, subscription or invoice. `refundable_usd` can be given back now.

    `state`: pending, needs_action, succeeded or failed. `amount_usd` includes `tax_usd`.
    """

    payment_id: str
    at: str
    purpose: str
    state: str
    amount_usd: str
    tax_usd: str
    refunded_usd: str
    refundable_usd: str
    reference: str
    failure: str


class PaymentList(msgspec.Struct):
    """`GET /v1/billing/payments`, newest first. `refundable_usd` is all that can be given back now, of every page."""

    payments: list[PaymentInfo]
    count: int
    refundable_usd: str
    next: str | None = None


class RefundRequest(msgspec.Struct, kw_only=True):
    """`amount_usd` may be `all`: whatever of the credit that was bought is neither spent nor held, in whole cents."""

    amount_usd: Amount
    reason: str = ""


class RefundInfo(msgspec.Struct, kw_only=True):
    """A part of a refund, of one payment. `state`: pending, succeeded or failed."""

    refund_id: str
    payment_id: str
    amount_usd: str
    state: str
    reason: str
    ordered_at: str


class RefundList(msgspec.Struct):
    """`GET /v1/billing/refunds`, newest first, and what `POST` ordered."""

    refunds: list[RefundInfo]
    count: int
    next: str | None = None


class CardInfo(msgspec.Struct, kw_only=True):
    """The saved card. `expires` is a month such as 2027-03."""

    brand: str
    last_four: str
    expires: str


class TopUpRequest(msgspec.Struct, kw_only=True):
    """Buy `amount_usd` whenever the balance is below `threshold_usd`, at most `monthly_maximum_usd` in a UTC month."""

    threshold_usd: Amount
    amount_usd: Amount
    monthly_maximum_usd: Amount


class TopUp(msgspec.Struct, kw_only=True):
    """Automatic top-up as it stands. `state` is `on`, or `off` after three payments in a row that failed.

    `charged_this_month_usd` counts a payment under way.
    """

    threshold_usd: str
    amount_usd: str
    monthly_maximum_usd: str
    state: str
    charged_this_month_usd: str
    failures_in_a_row: int
    last_failure: str


class OperatorRefundRequest(msgspec.Struct, kw_only=True):
    """Give back part of a customer's payment, for a reason."""

    amount_usd: Amount
    reason: str
    payment_id: str | None = None


class ThawRequest(msgspec.Struct, kw_only=True):
    """Lift an account's fraud warnings; with `forgive` the house bears its debts. An open dispute freezes it anyway."""

    reason: str
    forgive: bool = False


class AccountStanding(msgspec.Struct, kw_only=True):
    """What stands between an account and its next request. `frozen` says why; empty when nothing does."""

    account_id: str
    frozen: str
    debt_usd: str
