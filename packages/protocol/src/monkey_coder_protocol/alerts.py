"""Alerts and webhooks. Money is a decimal USD string, times ISO 8601."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from monkey_coder_protocol.buying import Amount

Kind = Literal[
    "balance.below",
    "spent.day",
    "spent.month",
    "limit.share",
    "account.frozen",
    "invoice.overdue",
    "top_up.failed",
]
Url = Annotated[str, Meta(max_length=2000, description="https, a public host, port 443 or 8443.")]


class AlertRequest(msgspec.Struct, kw_only=True):
    """Be told of something once each time it comes about, by webhook and, with `mail`, by mail.

    `amount_usd` is for `balance.below`, `spent.day` and `spent.month`; `percent` of a spending limit for `limit.share`.
    """

    kind: Kind
    amount_usd: Amount | None = None
    percent: int | None = None
    mail: bool = True


class Alert(msgspec.Struct, kw_only=True):
    """An alert. `crossed`: it is so now; the alert comes again after it was not so. `fired_at` is of the last one."""

    alert_id: str
    kind: str
    amount_usd: str | None
    percent: int | None
    mail: bool
    created_at: str
    crossed: bool
    fired_at: str | None


class AlertList(msgspec.Struct):
    """`GET /v1/billing/alerts`, oldest first."""

    alerts: list[Alert]
    count: int


class WebhookRequest(msgspec.Struct, kw_only=True):
    """Tell this address of alerts, of some kinds or of all."""

    url: Url
    kinds: Annotated[list[Kind], Meta(max_length=20)] = []


class Webhook(msgspec.Struct, kw_only=True):
    """Where alerts are told. Until `former_secret_until` the secret before the last rotation signs, too."""

    webhook_id: str
    url: str
    kinds: list[str]
    created_at: str
    former_secret_until: str | None


class WebhookSecret(Webhook, kw_only=True):
    """A webhook that was just made or rotated. The secret is told only here: `whsec_` and base64."""

    secret: str


class WebhookList(msgspec.Struct):
    """`GET /v1/billing/webhooks`, oldest first."""

    webhooks: list[Webhook]
    count: int


class Delivery(msgspec.Struct, kw_only=True):
    """An event on its way to a webhook or, by mail, to a user. `state` is `waiting`, `delivered` or `given_up`.

    `event_id` is the header `webhook-id`. `note` says why the last try failed.
    """

    event_id: str
    kind: str
    channel: str
    to: str
    state: str
    tries: int
    next_try_at: str | None
    at: str
    note: str


class DeliveryList(msgspec.Struct):
    """Deliveries, newest first."""

    deliveries: list[Delivery]
    count: int
