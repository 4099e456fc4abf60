"""Secrets of webhooks, sealed where they are kept."""

from datetime import datetime

from monkey_coder_server.ports.replies import Sealing
from monkey_coder_server.ports.webhooks import Undelivered, Webhook


def sealed(sealing: Sealing, webhook_id: str, secret: bytes) -> bytes:
    """A secret as it is kept; opened for this webhook alone."""
    return sealing.seal(secret, _purpose(webhook_id))


def secrets_of(sealing: Sealing, webhook: Webhook, now: datetime) -> tuple[bytes, ...]:
    """The secrets that sign now, the newest first. Raises `Undelivered` when none can be opened."""
    kept = [webhook.secret]
    if webhook.former_secret is not None and webhook.former_until is not None and now < webhook.former_until:
        kept.append(webhook.former_secret)
    opened = [sealing.open(each, _purpose(webhook.webhook_id)) for each in kept]
    if opened[0] is None:
        raise Undelivered("its secret cannot be opened any more; rotate it")
    return tuple([each for each in opened if each is not None])


def _purpose(webhook_id: str) -> bytes:
    return b"webhook secret:" + webhook_id.encode()
