"""Calls of `/v1/billing/alerts` and `/webhooks`. Pure: nothing is sent."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TypeVar
from urllib.parse import quote as escape

import msgspec

from monkey_coder import _responses
from monkey_coder._requests import Call, Request, usd_text
from monkey_coder_protocol import alerts as wire
from monkey_coder_protocol.auth import Message

T = TypeVar("T")


def alerts() -> Call[wire.AlertList]:
    """`GET /v1/billing/alerts`."""
    return _call("GET", "alerts", wire.AlertList)


def set_alert(
    kind: wire.Kind, amount: Decimal | str | int | None, percent: int | None, *, mail: bool
) -> Call[wire.Alert]:
    """`POST /v1/billing/alerts`."""
    text = None if amount is None else usd_text(Decimal(amount))
    return _call(
        "POST", "alerts", wire.Alert, wire.AlertRequest(kind=kind, amount_usd=text, percent=percent, mail=mail)
    )


def remove_alert(alert_id: str) -> Call[Message]:
    """`DELETE /v1/billing/alerts/{alert_id}`."""
    return _call("DELETE", f"alerts/{escape(alert_id, safe='')}", Message)


def deliveries(webhook_id: str | None = None) -> Call[wire.DeliveryList]:
    """`GET /v1/billing/alerts/deliveries`, or those of one webhook."""
    path = "alerts" if webhook_id is None else _webhook(webhook_id)
    return _call("GET", f"{path}/deliveries", wire.DeliveryList)


def webhooks() -> Call[wire.WebhookList]:
    """`GET /v1/billing/webhooks`."""
    return _call("GET", "webhooks", wire.WebhookList)


def add_webhook(url: str, kinds: Sequence[wire.Kind]) -> Call[wire.WebhookSecret]:
    """`POST /v1/billing/webhooks`."""
    return _call("POST", "webhooks", wire.WebhookSecret, wire.WebhookRequest(url=url, kinds=list(kinds)))


def remove_webhook(webhook_id: str) -> Call[Message]:
    """`DELETE /v1/billing/webhooks/{webhook_id}`."""
    return _call("DELETE", _webhook(webhook_id), Message)


def rotate_webhook(webhook_id: str) -> Call[wire.WebhookSecret]:
    """`POST /v1/billing/webhooks/{webhook_id}/rotate`."""
    return _call("POST", f"{_webhook(webhook_id)}/rotate", wire.WebhookSecret)


def try_webhook(webhook_id: str) -> Call[Message]:
    """`POST /v1/billing/webhooks/{webhook_id}/test`."""
    return _call("POST", f"{_webhook(webhook_id)}/test", Message)


def _webhook(webhook_id: str) -> str:
    return f"webhooks/{escape(webhook_id, safe='')}"


def _call(method: str, name: str, kind: type[T], body: msgspec.Struct | None = None) -> Call[T]:
    sent = None if body is None else msgspec.json.encode(body)
    return Call(Request(method, f"/v1/billing/{name}", sent), _responses.parse_as(kind))
