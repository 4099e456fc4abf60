"""A worker as its supervisor sees it: a process of its own interpreter, started, spoken to, waited for."""

import asyncio
import logging
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from monkey_coder_server.bootstrap.workers.channel import FIGURES, METRICS, READY, REFUSED, Channel
from monkey_coder_server.settings import AwayError, SettingsError

logger = logging.getLogger(__name__)
FIGURES_SECONDS = 1.0
"""How long a worker may take to tell its figures; later, those it told last stand for it."""
READY_SECONDS = 300.0
"""How long a worker may take to serve, the migration of the database included."""


class NotReady(Exception):
    """A worker ended, or took too long, before it served."""


@dataclass(frozen=True, slots=True)
class Post:
    """What all workers of a generation are started with: every variable, the socket, simulated providers."""

    values: Mapping[str, str]
    listening: socket.socket
    simulated: str
    """Their base URLs by name, as JSON."""


class Worker:
    """One process. `text` is what it told of its figures last."""

    def __init__(self, number: int, process: asyncio.subprocess.Process, channel: Channel) -> None:
        self.number = number
        self.pid = process.pid
        self.text = ""
        self.providers = ""
        self.serving = False
        self._process = process
        self._channel = channel
        self._started = asyncio.Event()
        self._told = asyncio.Event()
        self._refused: SettingsError | None = None
        self._listener = asyncio.create_task(self._listen())

    @classmethod
    async def start(cls, number: int, post: Post, share: tuple[int, int]) -> Self:
        """Start an interpreter on the code that is installed now, for one (from 0) of how many. Raises `OSError`."""
        ours, its = socket.socketpair()
        with its:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-P", "-m", "monkey_coder_server", "worker"),
                *("--channel", str(its.fileno()), "--listening", str(post.listening.fileno())),
                *("--number", str(number), "--simulated", post.simulated),
                *("--share", *map(str, share)),
                env=post.values,
                pass_fds=(its.fileno(), post.listening.fileno()),
                stdin=asyncio.subprocess.DEVNULL,
            )
        return cls(number, process, await Channel.over(ours))

    async def ready(self) -> None:
        """Wait until it serves. Raises `SettingsError` for what it was refused for, `NotReady` for any other end."""
        with suppress(TimeoutError):
            async with asyncio.timeout(READY_SECONDS):
                await self._started.wait()
        if self._refused is not None:
            raise self._refused
        if not self._started.is_set():
            message = f"worker {self.number} was not ready within {READY_SECONDS:.0f} seconds"
            raise NotReady(message)
        if not self.serving:
            message = f"worker {self.number} ended before it served, {ending_of(await self._process.wait())}"
            raise NotReady(message)

    async def ended(self) -> int:
        """Wait for its end; the exit code, or the signal that killed it as a negative number."""
        code = await self._process.wait()
        await self._listener
        await self._channel.close()
        return code

    def tell(self, word: str) -> None:
        """Say a word of `channel`."""
        self._channel.tell(word)

    def kill(self) -> None:
        """End it at once."""
        with suppress(ProcessLookupError):
            self._process.kill()

    async def look(self) -> None:
        """Bring `text` up to date, if it answers in time."""
        self._told.clear()
        self.tell(METRICS)
        with suppress(TimeoutError):
            async with asyncio.timeout(FIGURES_SECONDS):
                await self._told.wait()

    async def _listen(self) -> None:
        async for message in self._channel.heard():
            if message["word"] == READY:
                self.providers, self.serving = message["providers"], True
                self._started.set()
            elif message["word"] == REFUSED:
                kind = AwayError if message.get("away") else SettingsError
                self._refused = kind(*message["problems"])
            elif message["word"] == FIGURES:
                self.text = message["text"]
                self._told.set()
        self.serving = False
        self._started.set()
        self._told.set()


def ending_of(code: int) -> str:
    """How a process ended, in words."""
    return f"killed by signal {-code}" if code < 0 else f"with exit code {code}"
