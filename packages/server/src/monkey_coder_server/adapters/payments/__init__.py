"""Money in and out through Stripe, whose SDK is loaded at the first call and stays in here."""

from monkey_coder_server.adapters.payments.client import StripeOptions
from monkey_coder_server.adapters.payments.gate import StripeGate
from monkey_coder_server.adapters.payments.signed_events import SignedEvents

__all__ = ["SignedEvents", "StripeGate", "StripeOptions"]
