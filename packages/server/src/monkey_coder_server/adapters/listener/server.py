"""Listening sockets: started from code, told when to stop, never touching signals."""

import asyncio
import contextlib
import socket
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from uvicorn import Config, Server

from monkey_coder_server.adapters.listener.complaints import Complaints
from monkey_coder_server.adapters.listener.crowd import Crowd
from monkey_coder_server.adapters.listener.leaving import Leaving
from monkey_coder_server.adapters.listener.protocol import BoundedProtocol

BACKLOG = 2048
LOOKED_EVERY_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class ListenerOptions:
    """`port` 0 takes a free one. `keep_alive` is how long an idle connection stays open, in seconds."""

    host: str
    port: int
    keep_alive: int = 75
    cut_off: int = 2
    """Seconds that connections still open at the stop are given before they are cut."""
    per_address: int = 0
    """Connections one address may hold at a time; 0 for any number."""
    leave_idle: float = 5.0
    """Seconds a connection has asked nothing before `leave` closes it: sooner, a request could be on its way."""


class _QuietServer(Server):
    """uvicorn's server with signals left to the process that owns it. `listening` is set once it accepts."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept connections, then say so."""
        await super().startup(sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Do nothing: the command line handles signals."""
        yield


class Listener:
    """One address served by one ASGI application."""

    def __init__(self, application: Any, options: ListenerOptions, *, bound: socket.socket | None = None) -> None:
        """`bound`: a socket that has the address already, perhaps shared with other processes; it is closed here."""
        self._application = application
        self._options = options
        self._bound = bound
        self._complaints = Complaints()
        self._leaving = Leaving()
        self._server: _QuietServer | None = None
        self._task: asyncio.Task[None] | None = None
        self.port = options.port

    async def start(self) -> None:
        """Bind and accept. Raises `OSError` when the address is taken or not ours."""
        listening = self._bound or bind(self._options.host, self._options.port)
        self.port = listening.getsockname()[1]
        self._server = _QuietServer(
            Config(
                self._application,
                http=type("Protocol", (BoundedProtocol,), self._of_this_listener()),
                ws="none",
                lifespan="off",
                interface="asgi3",
                access_log=False,
                log_config=None,
                proxy_headers=False,
                server_header=False,
                backlog=BACKLOG,
                timeout_keep_alive=self._options.keep_alive,
                timeout_graceful_shutdown=self._options.cut_off,
            )
        )
        self._task = asyncio.create_task(self._server.serve(sockets=[listening]))
        ready = asyncio.create_task(self._server.listening.wait())
        await asyncio.wait((self._task, ready), return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if self._task.done():
            self._task.result()

    async def leave(self) -> None:
        """Accept nothing more, leave a shared socket to its others, and wait until every open connection has ended.

        Requests on them are answered, also new ones: each answer says that its connection ends with it.
        """
        if self._server is None:
            return
        self._leaving.begun = True
        for server in self._server.servers:
            server.close()
        while connections := list(self._server.server_state.connections):
            for connection in connections:
                if isinstance(connection, BoundedProtocol):
                    connection.close_if_idle(self._options.leave_idle)
            await asyncio.sleep(LOOKED_EVERY_SECONDS)

    async def stop(self) -> None:
        """Close the socket, let open answers end for `cut_off` seconds, cut the rest."""
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await self._task
        self._complaints.close()

    def _of_this_listener(self) -> dict[str, object]:
        """What its connections share."""
        crowd = Crowd(self._options.per_address)
        return {"crowd": crowd, "complaints": self._complaints, "leaving": self._leaving}


def bind(host: str, port: int) -> socket.socket:
    """A socket on the address; whoever serves it listens. Raises `OSError` when the address is taken or not ours."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except OSError:
        listening.close()
        raise
    return listening
