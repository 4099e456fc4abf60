"""The simulated Stripe beside a gateway: settings that lead there, and webhooks that come back."""

import contextlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from monkey_coder_server.sandbox.stripe.server import RunningStripe, start
from monkey_coder_server.settings import PaymentSettings, Secret, Settings, SettingsError

WEBHOOK = "/v1/billing/webhook"


@dataclass(frozen=True, slots=True)
class SimulatedPayments:
    """A running simulator, and the gateway's settings with it as where payments go."""

    stripe: RunningStripe
    settings: Settings
    key: str
    secret: str

    def variables(self) -> dict[str, str]:
        """What leads there, as an operator would set it: for gateways in other processes."""
        return {
            "STRIPE_SECRET_KEY": self.key,
            "STRIPE_WEBHOOK_SECRET": self.secret,
            "STRIPE_API_BASE": self.stripe.url,
        }

    def deliver_to(self, port: int) -> None:
        """From now on what happens there is told to the gateway on that port."""
        host = self.settings.host
        reached = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104 - compared, not bound
        self.stripe.control.add_endpoint(f"http://{reached}:{port}{WEBHOOK}", [self.secret])


@contextlib.asynccontextmanager
async def simulated_payments(settings: Settings) -> AsyncIterator[SimulatedPayments]:
    """A simulator until the end of the block. Raises `SettingsError` in production and beside a key of ours."""
    if settings.production:
        raise SettingsError("--stripe simulates payments, so nobody would pay: leave it out in production.")
    if settings.payments is not None:
        raise SettingsError("STRIPE_SECRET_KEY is set and --stripe simulates Stripe: unset one of them.")
    running = await start()
    key, secret = f"rk_test_{secrets.token_hex(16)}", f"whsec_{secrets.token_hex(16)}"
    payments = PaymentSettings(
        secret_key=Secret(key),
        public_key="",
        webhook_secrets=(Secret(secret),),
        api_base=running.url,
        live=False,
        tax=False,
    )
    try:
        yield SimulatedPayments(running, replace(settings, payments=payments), key, secret)
    finally:
        await running.close()
