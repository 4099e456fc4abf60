"""The process that serves: sockets, signals, an orderly end."""

import asyncio
import gc
import logging
import signal
import sys
from contextlib import AsyncExitStack

import uvloop

from monkey_coder_protocol.version import VERSION
from monkey_coder_server.adapters.listener import Listener, ListenerOptions
from monkey_coder_server.adapters.metrics import MetricsEndpoint, configure_logging
from monkey_coder_server.app import Drain
from monkey_coder_server.bootstrap import checking
from monkey_coder_server.bootstrap.gateway import Gateway, open_gateway
from monkey_coder_server.bootstrap.simulated_payments import simulated_payments
from monkey_coder_server.settings import Settings, SettingsError

logger = logging.getLogger(__name__)
GARBAGE_THRESHOLDS = (20_000, 20, 20)
"""Requests in flight hold thousands of objects that are no garbage; by default they are searched twice a request."""


def run(settings: Settings, *, sandbox: bool, stripe: bool = False) -> int:
    """Serve until SIGTERM or SIGINT; 0 after a clean end. Raises `SettingsError` for what `check-config` finds.

    `sandbox` simulates providers without a key, `stripe` the payment processor.
    """
    if problems := checking.look(settings).problems:
        raise SettingsError(*problems)
    configure_logging(settings.log_level, settings.log_format)
    for notice in settings.notices:
        logger.warning(notice)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(settings, sandbox=sandbox, stripe=stripe))


async def _serve(settings: Settings, *, sandbox: bool, stripe: bool) -> int:
    stop, hurry = asyncio.Event(), asyncio.Event()
    _listen_to_signals(stop, hurry)
    async with AsyncExitStack() as before:
        simulated = await before.enter_async_context(simulated_payments(settings)) if stripe else None
        gateway = await before.enter_async_context(
            open_gateway(simulated.settings if simulated else settings, sandbox=sandbox)
        )
        sockets = await before.enter_async_context(AsyncExitStack())
        metrics = Listener(MetricsEndpoint(gateway.metrics), ListenerOptions(settings.host, settings.metrics_port))
        public = Listener(
            gateway.application,
            ListenerOptions(settings.host, settings.port, per_address=settings.connections_per_address),
        )
        for listener, name in ((metrics, "METRICS_PORT"), (public, "PORT")):
            await _open(listener, name, settings.host)
            sockets.push_async_callback(listener.stop)
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GARBAGE_THRESHOLDS)
        sys.stdout.write(_announcement(settings, gateway, public.port, metrics.port))
        if simulated is not None:
            simulated.deliver_to(public.port)
            sys.stdout.write(f"payments: simulated Stripe at {simulated.stripe.url}\n")
        sys.stdout.flush()
        await stop.wait()
        await _drained(gateway.drain, hurry, settings.drain_seconds)
    return 0


async def _open(listener: Listener, variable: str, host: str) -> None:
    try:
        await listener.start()
    except OSError as refused:
        message = f"Cannot listen on {host}:{listener.port} ({refused.strerror}); choose another {variable}."
        raise SettingsError(message) from refused


def _listen_to_signals(stop: asyncio.Event, hurry: asyncio.Event) -> None:
    def told() -> None:
        (hurry if stop.is_set() else stop).set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told)


async def _drained(drain: Drain, hurry: asyncio.Event, seconds: int) -> None:
    """Wait until nothing is being answered, a second signal, or the deadline."""
    logger.info("shutting down; %d requests in flight", drain.in_flight)
    waits = [asyncio.create_task(drain.run_dry()), asyncio.create_task(hurry.wait())]
    await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()


def _announcement(settings: Settings, gateway: Gateway, port: int, metrics_port: int) -> str:
    states = ", ".join(f"{supply.provider.name} {supply.state}" for supply in gateway.supplies)
    return (
        f"Monkey Coder {VERSION} listens on http://{settings.host}:{port}, metrics on port {metrics_port}\n"
        f"providers: {states}\n"
    )
