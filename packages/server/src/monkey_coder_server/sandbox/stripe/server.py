"""The simulator served: the API, the pages a browser opens, the control of demos; start and stop."""

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web

from monkey_coder_server.sandbox.stripe import api, control_routes
from monkey_coder_server.sandbox.stripe.account import Account
from monkey_coder_server.sandbox.stripe.control import Control
from monkey_coder_server.sandbox.stripe.pages import routes as pages
from monkey_coder_server.sandbox.stripe.simulator import Simulator, Validator
from monkey_coder_server.sandbox.stripe.webhooks import Endpoint, Webhooks

KEY, SECRET = "rk_test_simulated", "whsec_simulated_for_a_sandbox"
"""What `monkey-server sandbox --stripe` tells a gateway to use: the simulator takes every key of that form."""


@dataclass(frozen=True, slots=True)
class RunningStripe:
    """A simulator that answers on `url`: what the SDK's base address is set to."""

    url: str
    control: Control
    simulator: Simulator
    _runner: web.AppRunner
    _task: "asyncio.Task[None]"

    async def close(self) -> None:
        """Stop answering and delivering, and free the port."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        await self.simulator.webhooks.close()
        await self._runner.cleanup()


async def start(  # noqa: PLR0913 - each argument is an independent option of a simulator, all named
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    seed: int = 0,
    endpoints: Sequence[Endpoint] = (),
    validators: Mapping[str, Validator] | None = None,
    automatic: bool = True,
    wall: Callable[[], float] = time.time,
) -> RunningStripe:
    """Start in this event loop; port 0 picks a free one.

    `validators`: route name → a check of its decoded parameters. `automatic`: webhooks go out by themselves; else
    when `Control.deliver` says so. `wall`: seconds since 1970, which signatures carry.
    """
    account = Account(seed=seed, wall=wall)
    webhooks = Webhooks(account, automatic=automatic, seed=seed)
    webhooks.endpoints += endpoints
    simulator = Simulator(account, webhooks, validators=validators or {})
    control = Control(simulator)
    runner = web.AppRunner(application(simulator, control), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, host, port, backlog=1_024).start()
    shown = f"[{host}]" if ":" in host else host
    account.base_url = f"http://{shown}:{int(runner.addresses[0][1])}"
    task = asyncio.create_task(webhooks.run())
    return RunningStripe(account.base_url, control, simulator, runner, task)


def application(simulator: Simulator, control: Control) -> web.Application:
    """Every address of one simulator."""
    app = web.Application()
    for route in api.ROUTES:
        app.router.add_route(route.method, route.path, api.handler(simulator, route))
    pages.add(app, simulator.account, control)
    control_routes.add(app, control)
    app.router.add_route("*", "/{rest:.*}", api.unknown)
    return app


def run(host: str = "127.0.0.1", port: int = 0, *, seed: int = 0, webhook: str | None = None) -> None:
    """Serve until SIGINT or SIGTERM. When ready, prints one line that exports what a gateway needs of it.

    `webhook`: where to tell of payments. Raises OSError for a port that is taken.
    """
    asyncio.run(_until_stopped(host, port, seed, webhook))


async def _until_stopped(host: str, port: int, seed: int, webhook: str | None) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    endpoints = [Endpoint(webhook, [SECRET])] if webhook else []
    running = await start(host=host, port=port, seed=seed, endpoints=endpoints)
    exports = f"STRIPE_API_BASE={running.url} STRIPE_SECRET_KEY={KEY} STRIPE_WEBHOOK_SECRET={SECRET}"
    sys.stdout.write(f"export {exports}\n")
    sys.stdout.flush()
    await stop.wait()
    await running.close()
