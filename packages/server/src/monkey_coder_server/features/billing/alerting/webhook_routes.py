"""`/v1/billing/webhooks`: where an account's alerts are posted to."""

from typing import Any

import msgspec

from monkey_coder_protocol import alerts as wire
from monkey_coder_protocol.auth import Message
from monkey_coder_server.domain.errors import Conflict, InvalidRequest, NotFound, RateLimited
from monkey_coder_server.domain.public_addresses import NoPublicPlace, place_of
from monkey_coder_server.domain.scopes import BILLING_MANAGE, BILLING_READ
from monkey_coder_server.domain.webhook_signing import BOTH_SIGN, SECRET_BYTES, secret_text
from monkey_coder_server.features.billing.alerting.dependencies import Dependencies, note
from monkey_coder_server.features.billing.alerting.letters import TEST_KIND, Event
from monkey_coder_server.features.billing.alerting.showing import shown_deliveries
from monkey_coder_server.features.billing.alerting.webhook_secrets import sealed
from monkey_coder_server.ports.notices import Channel, Notice
from monkey_coder_server.ports.webhooks import Webhook
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.decode import json_body
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_reply

MOST = 10
"""Webhooks of an account."""
TESTS_A_MINUTE = 6
_PATH = "/v1/billing/webhooks"
_request = msgspec.json.Decoder(wire.WebhookRequest)


class WebhookRoutes:
    """The endpoints, over one set of dependencies."""

    def __init__(self, use: Dependencies) -> None:
        self._use = use

    def routes(self) -> tuple[Route, ...]:
        """Every route about webhooks."""
        one, gives = f"{_PATH}/{{webhook_id}}", wire.WebhookSecret
        manage = BILLING_MANAGE
        return (
            Route("GET", _PATH, self.webhooks, scope=BILLING_READ, gives=wire.WebhookList),
            Route(
                "POST",
                _PATH,
                self.add,
                scope=manage,
                once=True,
                action="webhook.add",
                takes=wire.WebhookRequest,
                gives=gives,
            ),
            Route("DELETE", one, self.remove, scope=manage, action="webhook.remove", gives=Message),
            Route("POST", f"{one}/rotate", self.rotate, scope=manage, once=True, action="webhook.rotate", gives=gives),
            Route("POST", f"{one}/test", self.test, scope=manage, once=True, action="webhook.test", gives=Message),
            Route("GET", f"{one}/deliveries", self.deliveries, scope=BILLING_READ, gives=wire.DeliveryList),
        )

    async def webhooks(self, request: Request) -> Reply:
        """The account's webhooks; their secrets are told only when they are made."""
        found = await self._use.webhooks.of_account(request.principal.account_id)
        return json_reply(wire.WebhookList([wire.Webhook(**_shown(each)) for each in found], len(found)))

    async def add(self, request: Request) -> Reply:
        """Post alerts to an address from now on; the answer has the secret they are signed with."""
        wish, use, principal = await json_body(request, _request), self._use, request.principal
        try:
            place = place_of(wish.url, use.excepted)
        except NoPublicPlace as wrong:
            message = f"The field url {wrong}."
            raise InvalidRequest(message) from wrong
        webhook_id, secret = use.ids.new("wh"), use.random_bytes(SECRET_BYTES)
        webhook = Webhook(
            webhook_id=webhook_id,
            account_id=principal.account_id,
            url=wish.url,
            kinds=frozenset(wish.kinds),
            secret=sealed(use.sealing, webhook_id, secret),
            created_by=principal.user_id or principal.key_id,
            created_at=use.clock.now(),
        )
        await use.webhooks.add(webhook, most=MOST)
        await note(use, request, "webhook.add", target=webhook_id, details=place.host)
        return json_reply(wire.WebhookSecret(**_shown(webhook), secret=secret_text(secret)))

    async def remove(self, request: Request) -> Reply:
        """Post nothing there any more; what waits is given up."""
        webhook_id = request.parameters["webhook_id"]
        if not await self._use.webhooks.remove(request.principal.account_id, webhook_id):
            raise _unknown()
        await note(self._use, request, "webhook.remove", target=webhook_id)
        return json_reply(Message("The webhook is removed."))

    async def rotate(self, request: Request) -> Reply:
        """Sign with a new secret, and for a day with the one before, too."""
        use, webhook, secret = self._use, await self._found(request), self._use.random_bytes(SECRET_BYTES)
        kept, until = sealed(use.sealing, webhook.webhook_id, secret), use.clock.now() + BOTH_SIGN
        if not await use.webhooks.rotate(webhook, kept, until=until):
            raise Conflict("Somebody else rotated or removed this webhook just now; look at it again.")
        await note(use, request, "webhook.rotate", target=webhook.webhook_id)
        shown = _shown(webhook) | {"former_secret_until": until.isoformat()}
        return json_reply(wire.WebhookSecret(**shown, secret=secret_text(secret)))

    async def test(self, request: Request) -> Reply:
        """Post an event of the kind `webhook.test` soon; the deliveries tell what came of it."""
        use, webhook = self._use, await self._found(request)
        taken = await use.limiter.take(f"webhook tests:{webhook.account_id}", limit=TESTS_A_MINUTE, period=60.0)
        if not taken.allowed:
            message = f"At most {TESTS_A_MINUTE} tests a minute are sent."
            raise RateLimited(message, retry_after=taken.retry_after)
        now, notice_id = use.clock.now(), use.ids.new("evt")
        data = {"account_id": webhook.account_id, "webhook_id": webhook.webhook_id}
        body = msgspec.json.encode(Event(TEST_KIND, now.isoformat(), data)).decode()
        notice = Notice(notice_id, webhook.account_id, "", notice_id, TEST_KIND, body, now)
        await use.outbox.post(notice, Channel.WEBHOOK, webhook.webhook_id)
        await note(use, request, "webhook.test", target=webhook.webhook_id)
        return json_reply(
            Message(f"The event {notice_id} is sent within seconds; the webhook's deliveries tell of it.")
        )

    async def deliveries(self, request: Request) -> Reply:
        """What was posted there lately, and whether it was taken."""
        webhook = await self._found(request)
        return json_reply(await shown_deliveries(self._use, webhook.account_id, webhook.webhook_id))

    async def _found(self, request: Request) -> Webhook:
        found = await self._use.webhooks.find(request.principal.account_id, request.parameters["webhook_id"])
        if found is None:
            raise _unknown()
        return found


def _unknown() -> NotFound:
    return NotFound("This account has no webhook of that id; GET /v1/billing/webhooks lists them.")


def _shown(webhook: Webhook) -> dict[str, Any]:
    return {
        "webhook_id": webhook.webhook_id,
        "url": webhook.url,
        "kinds": sorted(webhook.kinds),
        "created_at": webhook.created_at.isoformat(),
        "former_secret_until": None if webhook.former_until is None else webhook.former_until.isoformat(),
    }
