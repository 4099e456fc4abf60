"""SIGHUP means two things: a service is told to load its configuration again, and a terminal is gone."""

import asyncio
import os
import signal
from collections.abc import Callable


def on_hangup(reload: Callable[[], None], stop: Callable[[], None]) -> None:
    """From now on SIGHUP reloads; it stops a process whose terminal was closed."""
    had_terminal = _has_terminal()

    def told() -> None:
        (stop if had_terminal and not _has_terminal() else reload)()

    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, told)


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
