"""What a gateway answers about alerts and webhooks."""

from typing import Any

ALERT: dict[str, Any] = {
    "alert_id": "alert_1",
    "kind": "balance.below",
    "amount_usd": "5.00",
    "percent": None,
    "mail": True,
    "created_at": "2026-11-30T10:00:00+00:00",
    "crossed": True,
    "fired_at": "2026-11-30T11:00:00+00:00",
}
SHARE = {**ALERT, "alert_id": "alert_2", "kind": "limit.share", "amount_usd": None, "percent": 80, "mail": False}
WEBHOOK: dict[str, Any] = {
    "webhook_id": "wh_1",
    "url": "https://example.com/hook",
    "kinds": [],
    "created_at": "2026-11-30T10:00:00+00:00",
    "former_secret_until": None,
}
SECRET = {**WEBHOOK, "secret": "whsec_c2VjcmV0"}
DELIVERY: dict[str, Any] = {
    "event_id": "evt_1",
    "kind": "balance.below",
    "channel": "webhook",
    "to": "wh_1",
    "state": "waiting",
    "tries": 3,
    "next_try_at": "2026-11-30T13:00:00+00:00",
    "at": "2026-11-30T11:00:00+00:00",
    "note": "it answered with 500",
}
DONE = {"message": "Done."}


def counted(name: str, *each: dict[str, Any]) -> dict[str, Any]:
    """A list as it is answered."""
    return {name: list(each), "count": len(each)}
