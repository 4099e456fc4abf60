"""The process that starts workers, replaces them at SIGHUP, and tells their figures as one. It serves nobody itself."""

import asyncio
import contextlib
import json
import logging
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

from monkey_coder_server.adapters.listener import Listener, ListenerOptions
from monkey_coder_server.adapters.metrics import MetricsEndpoint, configure_logging
from monkey_coder_server.bootstrap.listening import announcement, bound, open_listener
from monkey_coder_server.bootstrap.simulators import simulators
from monkey_coder_server.bootstrap.terminal import on_hangup
from monkey_coder_server.bootstrap.waiting import end_of, first_of
from monkey_coder_server.bootstrap.workers.generation import Generation
from monkey_coder_server.bootstrap.workers.process import NotReady, Post
from monkey_coder_server.bootstrap.workers.staff import Staff
from monkey_coder_server.settings import Settings, SettingsError, read

logger = logging.getLogger(__name__)
Gather = Callable[[], Mapping[str, str]]
"""Every variable, read anew. Raises `SettingsError`."""
FAILED = 1
STOP_MARGIN_SECONDS = 45.0
"""What a worker may need beyond its deadlines to settle and to close its stores."""
FIXED = ("host", "port", "metrics_port", "data_dir", "database_url")
"""What no reload changes: sockets of this process, and books that two generations of workers share for a while."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """Which simulators run beside the workers, in the supervisor's process."""

    providers: bool = False
    payments: bool = False


def run(gather: Gather, simulated: Simulated) -> int:
    """Serve with as many workers as `WORKERS` says, until SIGTERM or SIGINT; 0 after a clean end.

    Raises `SettingsError` when the first workers are refused.
    """
    settings = read(gather())
    configure_logging(settings.log_level, settings.log_format)
    for notice in settings.notices:
        logger.warning(notice)
    return asyncio.run(_Supervisor(gather, settings).run(simulated))


class _Supervisor:
    def __init__(self, gather: Gather, settings: Settings) -> None:
        self._gather = gather
        self._settings = settings
        self._staff = Staff()
        self._stopped, self._hurried, self._reloaded = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._simulators = "{}"
        self._simulated_payments: Mapping[str, str] = {}
        self._former: dict[asyncio.Task[None], Generation] = {}

    async def run(self, simulated: Simulated) -> int:
        """See `run` of this module."""
        self._listen_to_signals()
        settings = self._settings
        async with AsyncExitStack() as stack:
            deliver_to = await stack.enter_async_context(self._simulations(simulated))
            listening = stack.enter_context(bound(settings.host, settings.port, "PORT"))
            port = listening.getsockname()[1]
            options = ListenerOptions(settings.host, settings.metrics_port)
            metrics = Listener(MetricsEndpoint(self._staff.figures), options)
            await open_listener(metrics, "METRICS_PORT", settings.host)
            stack.push_async_callback(metrics.stop)
            deliver_to(port)
            generation = Generation(self._staff, self._post(self._gather(), listening), settings.workers)
            try:
                providers = await self._begun(generation, together=True)
            except NotReady as failed:
                logger.error("%s", failed)  # noqa: TRY400 - a sentence, no traceback
                return FAILED
            if providers:
                sys.stdout.write(f"{announcement(settings, port, metrics.port)}providers: {providers}\n")
                sys.stdout.write(f"workers: {settings.workers}\n")
                sys.stdout.flush()
            return await self._watch(generation, listening)

    async def _watch(self, generation: Generation, listening: socket.socket) -> int:
        """Until the end, which is 0 when it was asked for."""
        while not self._stopped.is_set():
            await first_of(self._stopped.wait(), self._reloaded.wait(), end_of(generation.failed))
            if generation.failed.done():
                logger.error("%s", generation.failed.exception())
                await self._stop(generation)
                return FAILED
            if self._reloaded.is_set() and not self._stopped.is_set():
                self._reloaded.clear()
                generation = await self._reload(generation, listening)
        await self._stop(generation)
        return 0

    async def _reload(self, generation: Generation, listening: socket.socket) -> Generation:
        """The generation that serves from now on: another, or the same one where the other was refused."""
        try:
            values = self._gather()
            settings = read({**values, **self._simulated_payments})
            self._refuse_changes(settings)
            fresh = Generation(self._staff, self._post(values, listening), settings.workers)
            await self._begun(fresh, together=False)
        except (SettingsError, NotReady, OSError) as refused:
            self._staff.reloads_refused += 1
            logger.error("nothing was reloaded, the workers of before go on: %s", refused)  # noqa: TRY400 - a sentence
            return generation
        if self._stopped.is_set():
            return generation
        self._settings = settings
        configure_logging(settings.log_level, settings.log_format)
        self._staff.reloads_done += 1
        logger.info("%d new workers serve; those of before end what they have begun", settings.workers)
        generation.leave()
        leaving = asyncio.create_task(generation.ended())
        self._former[leaving] = generation
        leaving.add_done_callback(self._former.pop)
        return fresh

    def _refuse_changes(self, settings: Settings) -> None:
        changed = [name.upper() for name in FIXED if getattr(settings, name) != getattr(self._settings, name)]
        if changed:
            message = f"{' and '.join(changed)} cannot change while serving; restart for that."
            raise SettingsError(message)

    async def _begun(self, generation: Generation, *, together: bool) -> str:
        """What the workers of a generation say when all serve; empty when told to stop before, and none is left then.

        Raises as `Generation.begin`, and none is left then either.
        """
        beginning = asyncio.create_task(generation.begin(together=together))
        await first_of(self._stopped.wait(), end_of(beginning))
        if beginning.done() and not beginning.cancelled() and not beginning.exception():
            return beginning.result()
        beginning.cancel()
        generation.kill()
        await generation.ended()
        return "" if not beginning.done() or beginning.cancelled() else beginning.result()

    async def _stop(self, generation: Generation) -> None:
        """End every worker there is, in order; again asked, at once."""
        all_of_them = [generation, *self._former.values()]
        for each in all_of_them:
            each.stop()
        ended = asyncio.gather(*[each.ended() for each in all_of_them])
        longest = self._settings.drain_seconds + self._settings.drain_notice_seconds + STOP_MARGIN_SECONDS
        await first_of(self._hurried.wait(), end_of(ended), seconds=longest)
        for each in all_of_them:
            each.hurry()
        await first_of(end_of(ended), seconds=STOP_MARGIN_SECONDS)
        for each in all_of_them:
            each.kill()
        await ended

    def _post(self, values: Mapping[str, str], listening: socket.socket) -> Post:
        return Post({**values, **self._simulated_payments}, listening, self._simulators)

    @contextlib.asynccontextmanager
    async def _simulations(self, simulated: Simulated) -> AsyncIterator[Callable[[int], None]]:
        """Run what is simulated; to be told the port, for webhooks. Raises `SettingsError`."""
        async with AsyncExitStack() as stack:
            if simulated.providers:
                self._simulators = json.dumps(dict(await stack.enter_async_context(simulators())))
            if not simulated.payments:
                yield lambda _port: None
                return
            from monkey_coder_server.bootstrap.simulated_payments import simulated_payments  # noqa: PLC0415 - heavy

            payments = await stack.enter_async_context(simulated_payments(self._settings))
            self._simulated_payments = payments.variables()
            self._settings = payments.settings
            yield payments.deliver_to

    def _listen_to_signals(self) -> None:
        def stop() -> None:
            (self._hurried if self._stopped.is_set() else self._stopped).set()

        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop)
        on_hangup(self._reloaded.set, stop)
