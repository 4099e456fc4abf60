"""What the payment processor tells us of, and what the books make of it."""

from monkey_coder_server.features.billing.payments.handling import PaymentEvents, PaymentHandling
from monkey_coder_server.features.billing.payments.reconciling import PaymentReconciliation, reconcile
from monkey_coder_server.features.billing.payments.webhook import Webhook, WebhookParts
from monkey_coder_server.features.billing.payments.working_off import InboxWorker

__all__ = [
    "InboxWorker",
    "PaymentEvents",
    "PaymentHandling",
    "PaymentReconciliation",
    "Webhook",
    "WebhookParts",
    "reconcile",
]
