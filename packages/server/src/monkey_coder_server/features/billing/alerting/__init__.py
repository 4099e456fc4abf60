"""Alerts: set, looked for in the books, told by mail and webhook."""

from monkey_coder_server.features.billing.alerting.alert_routes import AlertRoutes
from monkey_coder_server.features.billing.alerting.delivering import SENT_AT_ONCE, Delivering
from monkey_coder_server.features.billing.alerting.dependencies import Dependencies, WriteTo
from monkey_coder_server.features.billing.alerting.letters import AlertLetter
from monkey_coder_server.features.billing.alerting.watching import LOOKED_AT_ONCE, Watching
from monkey_coder_server.features.billing.alerting.webhook_routes import WebhookRoutes
from monkey_coder_server.web.feature import Route

__all__ = [
    "LOOKED_AT_ONCE",
    "SENT_AT_ONCE",
    "AlertLetter",
    "Delivering",
    "Dependencies",
    "Watching",
    "WriteTo",
    "routes",
]


def routes(use: Dependencies) -> tuple[Route, ...]:
    """Every route about alerts and webhooks."""
    return (*AlertRoutes(use).routes(), *WebhookRoutes(use).routes())
