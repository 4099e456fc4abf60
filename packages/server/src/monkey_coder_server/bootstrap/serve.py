"""The process that serves alone: sockets, signals, an orderly end."""

import asyncio
import logging
import sys
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import uvloop

from monkey_coder_server.adapters.listener import Listener, ListenerOptions
from monkey_coder_server.adapters.metrics import MetricsEndpoint, configure_logging
from monkey_coder_server.bootstrap import checking
from monkey_coder_server.bootstrap.books import starting
from monkey_coder_server.bootstrap.ending import Ending, end_in_order
from monkey_coder_server.bootstrap.gateway import open_gateway
from monkey_coder_server.bootstrap.listening import announcement, open_listener, public_options, settle_in
from monkey_coder_server.bootstrap.migrating import upgrade_apart
from monkey_coder_server.bootstrap.supplies import states_of
from monkey_coder_server.bootstrap.terminal import on_hangup
from monkey_coder_server.settings import Settings

if TYPE_CHECKING:
    from monkey_coder_server.bootstrap.simulated_payments import SimulatedPayments

logger = logging.getLogger(__name__)


def run(settings: Settings, *, sandbox: bool, stripe: bool = False) -> int:
    """Serve until SIGTERM or SIGINT; 0 after a clean end. Raises `SettingsError` for what `check-config` finds.

    `sandbox` simulates providers without a key, `stripe` the payment processor.
    """
    checking.insist(settings)
    configure_logging(settings.log_level, settings.log_format)
    for notice in settings.notices:
        logger.warning(notice)
    upgrade_apart(settings.database_url.reveal())
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(settings, sandbox=sandbox, stripe=stripe))


def _refuse_to_reload() -> None:
    logger.warning("SIGHUP replaces workers one by one, and there is one process; nothing was reloaded (set WORKERS)")


async def _simulate_payments(settings: Settings, until: AsyncExitStack) -> "SimulatedPayments":
    from monkey_coder_server.bootstrap.simulated_payments import simulated_payments  # noqa: PLC0415 - heavy

    return await until.enter_async_context(simulated_payments(settings))


async def _serve(settings: Settings, *, sandbox: bool, stripe: bool) -> int:
    ending = Ending()
    ending.listen_to_signals()
    on_hangup(_refuse_to_reload, ending.stopped.set)
    async with AsyncExitStack() as before:
        simulated = await _simulate_payments(settings, before) if stripe else None
        with starting():
            gateway = await before.enter_async_context(
                open_gateway(simulated.settings if simulated else settings, sandbox=sandbox)
            )
        sockets = await before.enter_async_context(AsyncExitStack())
        endpoint = MetricsEndpoint(gateway.metrics.read)
        metrics = Listener(endpoint, ListenerOptions(settings.host, settings.metrics_port))
        public = Listener(gateway.application, public_options(settings))
        for listener, name in ((metrics, "METRICS_PORT"), (public, "PORT")):
            await open_listener(listener, name, settings.host)
            sockets.push_async_callback(listener.stop)
        settle_in()
        sys.stdout.write(announcement(settings, public.port, metrics.port))
        sys.stdout.write(f"providers: {states_of(gateway.supplies)}\n")
        if simulated is not None:
            simulated.deliver_to(public.port)
            sys.stdout.write(f"payments: simulated Stripe at {simulated.stripe.url}\n")
        sys.stdout.flush()
        await end_in_order(ending, gateway.drain, public, settings)
    return 0
