"""Stripe's SDK in a few threads of its own, loaded when it is first needed, and silent."""

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, TypeVar

from monkey_coder_server.domain.errors import GatewayError, Unavailable

if TYPE_CHECKING:
    from stripe import StripeClient

T = TypeVar("T")
API_VERSION = "2026-10-28.endive"
"""The version whose shapes `shapes` states: Stripe answers in it whatever our account's default is."""
RETRIES = 2
"""How often the SDK itself asks again, under the same key: after a broken connection, 409 and 5xx."""
CONNECT_SECONDS, READ_SECONDS = 5.0, 20.0
_TALKATIVE = ("stripe", "urllib3", "requests")
"""Loggers that write addresses with ids in them, and bodies."""
_SILENT = logging.CRITICAL + 1


@dataclass(frozen=True, slots=True)
class StripeOptions:
    """`threads` call at once and `queue` more calls may wait; beyond that callers are told to come back."""

    secret_key: str = field(repr=False)
    api_base: str
    threads: int = 4
    queue: int = 64
    seconds: tuple[float, float] = (CONNECT_SECONDS, READ_SECONDS)


class Sdk:
    """Runs functions over a client of the SDK."""

    def __init__(self, options: StripeOptions) -> None:
        self._options = options
        self._pool = ThreadPoolExecutor(options.threads, thread_name_prefix="payments")
        self._room = threading.BoundedSemaphore(options.threads + options.queue)
        self._making = threading.Lock()
        self._client: StripeClient | None = None

    async def run(self, work: Callable[["StripeClient"], T]) -> T:
        """The result of a function that calls Stripe. Raises as `ports.payments.PaymentGate` says, and nothing else."""
        if not self._room.acquire(blocking=False):
            raise Unavailable("Too many payments are being handled right now; try again in a moment.", retry_after=2)
        future = self._pool.submit(self._outcome, work)
        future.add_done_callback(lambda _: self._room.release())
        outcome = await asyncio.wrap_future(future)
        if isinstance(outcome, _Failed):
            raise outcome.error
        return outcome

    async def loaded(self) -> None:
        """Return once the SDK is loaded. Raises `Unavailable` when too many calls wait."""
        if self._client is None:
            await self.run(lambda _: None)

    def close(self) -> None:
        """Let running calls end; those that wait are not made."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _outcome(self, work: Callable[["StripeClient"], T]) -> "T | _Failed":
        """In a thread. An error is handed over, not raised: nothing may be chained to the SDK's own."""
        try:
            return work(self._made())
        except Exception as error:  # noqa: BLE001 - whatever it is, its text may hold ids
            from monkey_coder_server.adapters.payments.refusals import told  # noqa: PLC0415 - imports the SDK

            return _Failed(told(error))

    def _made(self) -> "StripeClient":
        with self._making:
            if self._client is None:
                self._client = _new_client(self._options)
            return self._client


@dataclass(frozen=True, slots=True)
class _Failed:
    error: GatewayError


def quiet_sdk() -> ModuleType:
    """The SDK, told to write nothing anywhere, and nothing about us to Stripe. The first call takes a second."""
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(_SILENT)
    import stripe  # noqa: PLC0415 - heavy
    from stripe import _util  # noqa: PLC0415 - heavy

    _util.STRIPE_LOG = None  # read from the environment when it is imported, it prints every body to stderr
    stripe.log = None
    stripe.enable_telemetry = False
    return stripe


def _new_client(options: StripeOptions) -> "StripeClient":
    quiet_sdk()
    import stripe  # noqa: PLC0415 - heavy

    return stripe.StripeClient(
        options.secret_key,
        stripe_version=API_VERSION,
        base_addresses={"api": options.api_base},
        max_network_retries=RETRIES,
        http_client=stripe.RequestsClient(timeout=options.seconds),
    )
