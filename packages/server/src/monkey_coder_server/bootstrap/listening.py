"""What every process of a gateway knows of its addresses; light to import."""

import gc
import socket
import sys

from monkey_coder_protocol.version import VERSION
from monkey_coder_server.adapters.listener import Listener, ListenerOptions, bind
from monkey_coder_server.adapters.system import huge_pages
from monkey_coder_server.adapters.system.heap import keep_trimmed, trim_of_libc
from monkey_coder_server.adapters.system.mapped import let_go_of_files
from monkey_coder_server.settings import Settings, SettingsError

GARBAGE_THRESHOLDS = (100_000, 20, 20)
"""Requests in flight hold thousands of objects that are no garbage; by default they are searched twice a request."""
SWITCH_SECONDS = 0.0005
"""How long a thread that has come back from the disk waits for the event loop's. By default it is ten times as long:
then a loop at its limit makes each commit, and all who wait for it, that much later."""


def public_options(settings: Settings) -> ListenerOptions:
    """How callers are listened to."""
    return ListenerOptions(settings.host, settings.port, per_address=settings.connections_per_address)


async def open_listener(listener: Listener, variable: str, host: str) -> None:
    """Start listening. Raises `SettingsError` that names the variable of the port."""
    try:
        await listener.start()
    except OSError as refused:
        raise cannot_listen(host, listener.port, variable, refused) from refused


def cannot_listen(host: str, port: int, variable: str, refused: OSError) -> SettingsError:
    """What to raise where an address is taken or not ours."""
    return SettingsError(f"Cannot listen on {host}:{port} ({refused.strerror}); choose another {variable}.")


def settle_in() -> None:
    """Tell the garbage collector that what is here now stays, and threads to wait for the event loop but a moment.

    What a start needed of libraries is let go, and from now on freed memory is given back while the loop runs.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    keep_trimmed(trim_of_libc())
    huge_pages.collapse()
    let_go_of_files()


def announcement(settings: Settings, port: int, metrics_port: int) -> str:
    """The first line of a gateway that serves."""
    return f"Monkey Coder {VERSION} listens on http://{settings.host}:{port}, metrics on port {metrics_port}\n"


def bound(host: str, port: int, variable: str) -> socket.socket:
    """A socket on an address, for other processes to listen on. Raises `SettingsError` as `open_listener`."""
    try:
        return bind(host, port)
    except OSError as refused:
        raise cannot_listen(host, port, variable, refused) from refused
