"""A mail API over HTTPS, of Resend's shape: one POST of JSON with a bearer key and an idempotency key.

Source: https://resend.com/docs/api-reference/emails/send-email
"""

from http import HTTPStatus

import aiohttp

from monkey_coder_server.adapters.mail.delivery import Undeliverable
from monkey_coder_server.ports.mailer import Mail

PATIENCE = 20.0
"""Seconds for the whole exchange."""
_WORTH_ANOTHER_TRY = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)


class MailApi:
    """`delivery.Delivery` by POST to `url`. The connection pool is opened at first use."""

    def __init__(self, url: str, key: str, sender: str) -> None:
        self._url = url
        self._key = key
        self._sender = sender
        self._pool: aiohttp.ClientSession | None = None

    async def deliver(self, mail: Mail, mail_id: str) -> None:
        """Post one message. Raises `Undeliverable`, `OSError`, `aiohttp.ClientError`, `TimeoutError`."""
        body = {"from": self._sender, "to": [mail.to], "subject": mail.subject, "text": mail.text, "html": mail.html}
        headers = {"authorization": f"Bearer {self._key}", "idempotency-key": mail_id}
        post = self._opened().post(self._url, json=body, headers=headers, allow_redirects=False)
        async with post as answer:
            status = answer.status
        if status in range(HTTPStatus.OK, HTTPStatus.MULTIPLE_CHOICES):
            return
        said = f"the mail API answered with {status}"
        if status in _WORTH_ANOTHER_TRY or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise ConnectionError(said)
        raise Undeliverable(said)

    async def close(self) -> None:
        """Close the pool."""
        if self._pool is not None:
            await self._pool.close()
            self._pool = None

    def _opened(self) -> aiohttp.ClientSession:
        if self._pool is None:
            self._pool = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE))
        return self._pool
