"""What we sign is what the receivers' own library accepts."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import standardwebhooks

from monkey_coder_server.domain.webhook_signing import PAUSES, pause_after, secret_text, signed_headers

NEW, OLD = bytes(range(32)), bytes(range(32, 64))
BODY = '{"type":"balance.below","data":{"of":"Zoë"}}'.encode()


def now() -> int:
    return int(datetime.now(UTC).timestamp())


@pytest.mark.parametrize("known", [NEW, OLD])
def test_the_official_library_accepts_each_of_two_secrets(known: bytes) -> None:
    headers = signed_headers("evt_1", now(), BODY, secrets=(NEW, OLD))
    receiver = standardwebhooks.Webhook(secret_text(known))
    assert receiver.verify(BODY, headers) == {"type": "balance.below", "data": {"of": "Zoë"}}


@pytest.mark.parametrize("changed", ["webhook-id", "webhook-timestamp", "body", "secret"])
def test_it_refuses_whatever_was_changed(changed: str) -> None:
    headers = signed_headers("evt_1", now(), BODY, secrets=(NEW,))
    if changed in headers:
        headers[changed] = {"webhook-id": "evt_2", "webhook-timestamp": str(now() - 7)}[changed]
    receiver = standardwebhooks.Webhook(secret_text(OLD if changed == "secret" else NEW))
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        receiver.verify(BODY + b" " if changed == "body" else BODY, headers)


def test_the_vector_of_the_specification() -> None:
    """Of its reference implementations' tests."""
    import base64

    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = signed_headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}', secrets=(secret,))
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert secret_text(secret) == "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_ten_tries_in_three_days_each_by_up_to_a_fifth_later() -> None:
    assert [pause_after(tries, 0.0) for tries in range(1, 11)] == [*PAUSES, None]
    assert pause_after(2, 1.0) == timedelta(minutes=6)
    assert timedelta(days=3) < sum(PAUSES, timedelta()) < timedelta(days=4)


def test_the_receiver_of_the_page_takes_what_is_ours_and_nothing_else() -> None:
    page = (Path(__file__).parents[4] / "docs/how-to/alerts.md").read_text(encoding="utf-8")
    found: dict[str, Any] = {}
    exec(re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0], found)  # noqa: S102 - the program of our own page
    is_genuine, secret = found["is_genuine"], secret_text(OLD)
    headers = signed_headers("evt_1", now(), BODY, secrets=(NEW, OLD))
    assert is_genuine(secret, headers, BODY)
    assert not is_genuine(secret, headers, BODY + b" ")
    assert not is_genuine(secret, headers | {"webhook-id": "evt_2"}, BODY)
    assert not is_genuine(secret, signed_headers("evt_1", now() - 400, BODY, secrets=(OLD,)), BODY)
