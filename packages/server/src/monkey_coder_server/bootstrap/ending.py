"""How a process that serves comes to its end: told to stop, or replaced by another; in order, or in a hurry."""

import asyncio
import logging
import signal

from monkey_coder_server.adapters.listener import Listener
from monkey_coder_server.app import Drain
from monkey_coder_server.bootstrap.waiting import first_of
from monkey_coder_server.settings import Settings

logger = logging.getLogger(__name__)


class Ending:
    """What a process was told of its end: each event is set once and for all."""

    def __init__(self) -> None:
        self.replaced = asyncio.Event()
        """Others serve the same socket: end what runs here, refuse nothing."""
        self.stopped = asyncio.Event()
        """Nobody serves any more: end what runs here, refuse the rest."""
        self.hurried = asyncio.Event()
        """Wait no longer."""

    def listen_to_signals(self) -> None:
        """SIGTERM and SIGINT stop; a second one hurries."""

        def told() -> None:
            (self.hurried if self.stopped.is_set() else self.stopped).set()

        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, told)


async def end_in_order(ending: Ending, drain: Drain, public: Listener, settings: Settings) -> None:
    """Wait until told to end, then until nothing is being answered; `DRAIN_SECONDS` for that at most."""
    await first_of(ending.replaced.wait(), ending.stopped.wait())
    loop = asyncio.get_running_loop()
    deadline = loop.time() + settings.drain_seconds
    if not ending.stopped.is_set():
        logger.info("others take over; %d requests in flight", drain.in_flight)
        last = (ending.stopped.wait(), ending.hurried.wait())
        await first_of(public.leave(), *last, seconds=settings.drain_seconds)
    elif settings.drain_notice_seconds:
        logger.info("shutting down in %d seconds", settings.drain_notice_seconds)
        drain.announce()
        await first_of(ending.hurried.wait(), seconds=settings.drain_notice_seconds)
        deadline = loop.time() + settings.drain_seconds
    logger.info("shutting down; %d requests in flight", drain.in_flight)
    await first_of(drain.run_dry(), ending.hurried.wait(), seconds=max(0.0, deadline - loop.time()))
