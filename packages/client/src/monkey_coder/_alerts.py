"""`client.alerts` and `client.webhooks`, sync and async. They only name the prepared calls."""

from collections.abc import Sequence

from monkey_coder import _alert_calls as calls
from monkey_coder._accounts import AsyncCaller, Caller
from monkey_coder._payment_calls import Usd
from monkey_coder_protocol import alerts as wire
from monkey_coder_protocol.auth import Message


class Alerts:
    """What the account is told, once each time it comes about; webhooks are told of each alert."""

    def __init__(self, client: Caller) -> None:
        self._client = client

    def list(self) -> wire.AlertList:
        """The account's alerts, and which are crossed now."""
        return self._client.call(calls.alerts())

    def set(
        self, kind: wire.Kind, *, amount_usd: Usd | None = None, percent: int | None = None, mail: bool = True
    ) -> wire.Alert:
        """Be told of `balance.below` an amount, `limit.share` of some percent, `account.frozen`, and so on."""
        return self._client.call(calls.set_alert(kind, amount_usd, percent, mail=mail))

    def remove(self, alert_id: str) -> Message:
        """Be told of it no more."""
        return self._client.call(calls.remove_alert(alert_id))

    def deliveries(self) -> wire.DeliveryList:
        """What was told lately, by mail and by webhooks, and whether it arrived."""
        return self._client.call(calls.deliveries())


class Webhooks:
    """Where alerts are posted to, signed as https://www.standardwebhooks.com says."""

    def __init__(self, client: Caller) -> None:
        self._client = client

    def list(self) -> wire.WebhookList:
        """The account's webhooks, without their secrets."""
        return self._client.call(calls.webhooks())

    def add(self, url: str, *, kinds: Sequence[wire.Kind] = ()) -> wire.WebhookSecret:
        """Post alerts there, of some kinds or of all; the secret is told only here."""
        return self._client.call(calls.add_webhook(url, kinds))

    def remove(self, webhook_id: str) -> Message:
        """Post nothing there any more."""
        return self._client.call(calls.remove_webhook(webhook_id))

    def rotate(self, webhook_id: str) -> wire.WebhookSecret:
        """Sign with a new secret, and for a day with the one before, too."""
        return self._client.call(calls.rotate_webhook(webhook_id))

    def test(self, webhook_id: str) -> Message:
        """Post a `webhook.test` event soon."""
        return self._client.call(calls.try_webhook(webhook_id))

    def deliveries(self, webhook_id: str) -> wire.DeliveryList:
        """What was posted there lately, and whether it was taken."""
        return self._client.call(calls.deliveries(webhook_id))


class WithAlerts:
    """The part of a client that is about alerts."""

    @property
    def alerts(self: Caller) -> Alerts:
        """Alerts on balance, spending and limits."""
        return Alerts(self)

    @property
    def webhooks(self: Caller) -> Webhooks:
        """Where alerts are posted to."""
        return Webhooks(self)


class AsyncAlerts:
    """What the account is told, once each time it comes about; webhooks are told of each alert."""

    def __init__(self, client: AsyncCaller) -> None:
        self._client = client

    async def list(self) -> wire.AlertList:
        """The account's alerts, and which are crossed now."""
        return await self._client.call(calls.alerts())

    async def set(
        self, kind: wire.Kind, *, amount_usd: Usd | None = None, percent: int | None = None, mail: bool = True
    ) -> wire.Alert:
        """Be told of `balance.below` an amount, `limit.share` of some percent, `account.frozen`, and so on."""
        return await self._client.call(calls.set_alert(kind, amount_usd, percent, mail=mail))

    async def remove(self, alert_id: str) -> Message:
        """Be told of it no more."""
        return await self._client.call(calls.remove_alert(alert_id))

    async def deliveries(self) -> wire.DeliveryList:
        """What was told lately, by mail and by webhooks, and whether it arrived."""
        return await self._client.call(calls.deliveries())


class AsyncWebhooks:
    """Where alerts are posted to, signed as https://www.standardwebhooks.com says."""

    def __init__(self, client: AsyncCaller) -> None:
        self._client = client

    async def list(self) -> wire.WebhookList:
        """The account's webhooks, without their secrets."""
        return await self._client.call(calls.webhooks())

    async def add(self, url: str, *, kinds: Sequence[wire.Kind] = ()) -> wire.WebhookSecret:
        """Post alerts there, of some kinds or of all; the secret is told only here."""
        return await self._client.call(calls.add_webhook(url, kinds))

    async def remove(self, webhook_id: str) -> Message:
        """Post nothing there any more."""
        return await self._client.call(calls.remove_webhook(webhook_id))

    async def rotate(self, webhook_id: str) -> wire.WebhookSecret:
        """Sign with a new secret, and for a day with the one before, too."""
        return await self._client.call(calls.rotate_webhook(webhook_id))

    async def test(self, webhook_id: str) -> Message:
        """Post a `webhook.test` event soon."""
        return await self._client.call(calls.try_webhook(webhook_id))

    async def deliveries(self, webhook_id: str) -> wire.DeliveryList:
        """What was posted there lately, and whether it was taken."""
        return await self._client.call(calls.deliveries(webhook_id))


class WithAsyncAlerts:
    """The part of a client that is about alerts."""

    @property
    def alerts(self: AsyncCaller) -> AsyncAlerts:
        """Alerts on balance, spending and limits."""
        return AsyncAlerts(self)

    @property
    def webhooks(self: AsyncCaller) -> AsyncWebhooks:
        """Where alerts are posted to."""
        return AsyncWebhooks(self)
