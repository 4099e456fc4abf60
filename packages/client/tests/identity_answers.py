"""What the fake gateway says of passwords and sessions."""

from typing import Any

SESSION: dict[str, Any] = {
    "session_id": "ses_there",
    "current": False,
    "created_at": "2026-11-29T20:00:00+00:00",
    "confirmed_at": "2026-11-29T20:00:00+00:00",
    "expires_at": "2026-12-29T20:00:00+00:00",
    "second_factor": False,
    "address": "203.0.113.9",
    "agent": "Firefox",
}
IDENTITY: dict[str, Any] = {
    "/v1/auth/logout/all": {"message": "2 sessions have ended.", "ended": 2},
    "/v1/auth/password/forgot": {"status": "ok", "message": "A mail is on its way."},
    "/v1/auth/password/change": {"status": "password_changed", "message": "The password is changed."},
    "/v1/auth/sessions": {"sessions": [SESSION, {**SESSION, "session_id": "ses_here", "current": True}], "count": 2},
    "/v1/auth/sessions/ses_there": {"message": "The session has ended."},
}
