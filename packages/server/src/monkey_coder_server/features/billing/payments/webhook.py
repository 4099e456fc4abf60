"""`POST /v1/billing/webhook`: what the payment processor tells is proved, kept, and answered at once."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from monkey_coder_protocol.billing import WebhookTaken
from monkey_coder_server.domain.errors import InvalidRequest, NotFound
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.payment_inbox import Notices, PaymentInbox
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_reply

logger = logging.getLogger(__name__)
LARGEST = 1024 * 1024
"""Bytes of a body; an event of Stripe is some kilobytes."""
NO_CONCERN = "of no concern"
OTHER_MODE = "refused: of the other mode"


@dataclass(frozen=True, slots=True)
class WebhookParts:
    """`live` is the mode of our key; `wake` tells that something came."""

    notices: Notices
    inbox: PaymentInbox
    clock: Clock
    live: bool
    wake: Callable[[], None]


class Webhook:
    """Without parts nobody can pay here, and nothing is taken."""

    def __init__(self, parts: WebhookParts | None) -> None:
        self._parts = parts

    def routes(self) -> tuple[Route, ...]:
        """The one route."""
        return (Route("POST", "/v1/billing/webhook", self.take, auth="public", gives=WebhookTaken),)

    async def take(self, request: Request) -> Reply:
        """Keep an event once, whatever it is about; work it off later.

        Raises `NotFound` without a payment processor, `InvalidRequest`, `RequestTooLarge`, and `Unavailable` when it
        cannot be kept: then it is sent again.
        """
        if self._parts is None:
            raise NotFound("No payments are taken here; credit of this gateway is added by its operator.")
        request.body_limit = min(request.body_limit, LARGEST)
        body = await request.body()
        event = await self._parts.notices.read(body, request.header("stripe-signature") or "")
        now, inbox = self._parts.clock.now(), self._parts.inbox
        if event.live is not self._parts.live:
            await inbox.take(event, now, handled=OTHER_MODE)
            logger.error("a webhook was refused: it is of %s mode and our key is not", "live" if event.live else "test")
            raise InvalidRequest("This event is of the other mode than this gateway's key.")
        new = await inbox.take(event, now, handled="" if event.object_kind else NO_CONCERN)
        if new and event.object_kind:
            self._parts.wake()
        return json_reply(WebhookTaken(received=True))
