"""`/v1/billing/alerts`: what an account wants to be told."""

import msgspec

from monkey_coder_protocol import alerts as wire
from monkey_coder_protocol.auth import Message
from monkey_coder_protocol.buying import Amount
from monkey_coder_server.domain.alerts import AlertKind, AlertRule, wrong_with
from monkey_coder_server.domain.errors import InvalidRequest, NotFound
from monkey_coder_server.domain.money import asked_usd, usd
from monkey_coder_server.domain.scopes import BILLING_MANAGE, BILLING_READ
from monkey_coder_server.features.billing.alerting.dependencies import Dependencies, note
from monkey_coder_server.features.billing.alerting.showing import shown_deliveries
from monkey_coder_server.ports.alerts import Alert
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.decode import json_body
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_reply

MOST = 50
"""Alerts of an account."""
_PATH = "/v1/billing/alerts"
_request = msgspec.json.Decoder(wire.AlertRequest)


class AlertRoutes:
    """The endpoints, over one set of dependencies."""

    def __init__(self, use: Dependencies) -> None:
        self._use = use

    def routes(self) -> tuple[Route, ...]:
        """Every route about alerts."""
        return (
            Route("GET", _PATH, self.alerts, scope=BILLING_READ, gives=wire.AlertList),
            Route(
                "POST",
                _PATH,
                self.set,
                scope=BILLING_MANAGE,
                once=True,
                action="alert.set",
                takes=wire.AlertRequest,
                gives=wire.Alert,
            ),
            Route(
                "DELETE",
                f"{_PATH}/{{alert_id}}",
                self.remove,
                scope=BILLING_MANAGE,
                action="alert.remove",
                gives=Message,
            ),
            Route("GET", f"{_PATH}/deliveries", self.deliveries, scope=BILLING_READ, gives=wire.DeliveryList),
        )

    async def alerts(self, request: Request) -> Reply:
        """The account's alerts, and which are crossed now."""
        found = await self._use.alerts.of_account(request.principal.account_id)
        return json_reply(wire.AlertList([_shown(each) for each in found], len(found)))

    async def set(self, request: Request) -> Reply:
        """Be told of something once each time it comes about."""
        wish, use, principal = await json_body(request, _request), self._use, request.principal
        rule = AlertRule(AlertKind(wish.kind), asked_usd("amount_usd", _text(wish.amount_usd)) or 0, wish.percent or 0)
        if wrong := wrong_with(rule):
            message = f"The field {wrong}"
            raise InvalidRequest(message)
        alert = Alert(
            alert_id=use.ids.new("alert"),
            account_id=principal.account_id,
            rule=rule,
            mail=wish.mail,
            created_by=principal.user_id or principal.key_id,
            created_at=use.clock.now(),
        )
        await use.alerts.add(alert, most=MOST)
        line = usd(rule.amount) if rule.amount else f"{rule.percent}%" if rule.percent else ""
        await note(use, request, "alert.set", target=alert.alert_id, details=f"{rule.kind} {line}".strip())
        return json_reply(_shown(alert))

    async def remove(self, request: Request) -> Reply:
        """Be told of it no more."""
        alert_id = request.parameters["alert_id"]
        if not await self._use.alerts.remove(request.principal.account_id, alert_id):
            raise NotFound("This account has no alert of that id; GET /v1/billing/alerts lists them.")
        await note(self._use, request, "alert.remove", target=alert_id)
        return json_reply(Message("The alert is removed."))

    async def deliveries(self, request: Request) -> Reply:
        """What was told lately, by mail and by webhooks, and whether it arrived."""
        return json_reply(await shown_deliveries(self._use, request.principal.account_id))


def _text(amount: Amount | None) -> str | None:
    return None if amount is None else str(amount)


def _shown(alert: Alert) -> wire.Alert:
    rule = alert.rule
    return wire.Alert(
        alert_id=alert.alert_id,
        kind=rule.kind.value,
        amount_usd=usd(rule.amount) if rule.amount else None,
        percent=rule.percent or None,
        mail=alert.mail,
        created_at=alert.created_at.isoformat(),
        crossed=bool(alert.standing.crossed),
        fired_at=None if alert.fired_at is None else alert.fired_at.isoformat(),
    )
