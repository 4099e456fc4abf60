"""One worker: a gateway on a socket it shares with others, that does what its supervisor says."""

import asyncio
import signal
import socket
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

import uvloop

from monkey_coder_server.adapters.listener import Listener
from monkey_coder_server.adapters.metrics import configure_logging
from monkey_coder_server.bootstrap import checking
from monkey_coder_server.bootstrap.books import starting
from monkey_coder_server.bootstrap.ending import Ending, end_in_order
from monkey_coder_server.bootstrap.gateway import open_gateway
from monkey_coder_server.bootstrap.listening import public_options, settle_in
from monkey_coder_server.bootstrap.migrating import upgrade_apart
from monkey_coder_server.bootstrap.supplies import states_of
from monkey_coder_server.bootstrap.workers import channel as channels
from monkey_coder_server.bootstrap.workers.channel import FIGURES, READY, REFUSED, Channel
from monkey_coder_server.settings import AwayError, Settings, SettingsError, read


@dataclass(frozen=True, slots=True)
class Place:
    """What a worker is given by its supervisor: two inherited descriptors, and where simulated providers are.

    `share` says which of how many workers it is, counted from 0.
    """

    channel: int
    listening: int
    simulated: Mapping[str, str]
    share: tuple[int, int]


def run(place: Place) -> int:
    """Serve until told to end, or until the supervisor is gone; the exit code."""
    for number in (signal.SIGINT, signal.SIGHUP):  # of the terminal: the supervisor hears them, too
        signal.signal(number, signal.SIG_IGN)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_work(place))


async def _work(place: Place) -> int:
    channel = await Channel.over(socket.socket(fileno=place.channel))
    try:
        settings = read()
        checking.insist(settings)
        configure_logging(settings.log_level, settings.log_format)
        upgrade_apart(settings.database_url.reveal())
        await _serve(settings, place, channel)
    except SettingsError as refused:
        channel.tell(REFUSED, problems=refused.problems, away=isinstance(refused, AwayError))
        return refused.exit_code
    finally:
        await channel.close()
    return 0


async def _serve(settings: Settings, place: Place, channel: Channel) -> None:
    ending = Ending()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ending.stopped.set)
    async with AsyncExitStack() as last:
        read_figures: list[Callable[[], bytes]] = []

        def tell_figures() -> None:
            for each in read_figures:
                channel.tell(FIGURES, text=each().decode())

        last.callback(tell_figures)
        last.callback(asyncio.create_task(_listen(channel, ending, tell_figures)).cancel)
        with starting():
            opening = open_gateway(settings, simulated=place.simulated, share=place.share)
            gateway = await last.enter_async_context(opening)
        read_figures.append(gateway.metrics.text)
        public = Listener(gateway.application, public_options(settings), bound=socket.socket(fileno=place.listening))
        await public.start()
        last.push_async_callback(public.stop)
        settle_in()
        channel.tell(READY, providers=states_of(gateway.supplies))
        await end_in_order(ending, gateway.drain, public, settings)


async def _listen(channel: Channel, ending: Ending, tell_figures: Callable[[], None]) -> None:
    async for message in channel.heard():
        match message["word"]:
            case channels.METRICS:
                tell_figures()
            case channels.LEAVE:
                ending.replaced.set()
            case channels.STOP:
                ending.stopped.set()
            case channels.HURRY:
                ending.stopped.set()
                ending.hurried.set()
    ending.stopped.set()  # the supervisor is gone: nobody would replace this process, or tell it to end
