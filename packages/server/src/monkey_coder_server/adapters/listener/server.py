"""Listening sockets: started from code, told when to stop, never touching signals."""

import asyncio
import logging
import socket
from dataclasses import dataclass

from monkey_coder_server.adapters.listener.crowd import Crowd
from monkey_coder_server.adapters.listener.protocol import HttpProtocol
from monkey_coder_server.adapters.listener.serving import Application, Serving

BACKLOG = 2048
LOOKED_EVERY_SECONDS = 0.1

logger = logging.getLogger(__name__)


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


class Listener:
    """One address served by one ASGI application."""

    def __init__(
        self, application: Application, options: ListenerOptions, *, bound: socket.socket | None = None
    ) -> None:
        """`bound`: a socket that has the address already, perhaps shared with other processes; it is closed here."""
        self._options = options
        self._bound = bound
        self._serving = Serving(application, options.keep_alive, Crowd(options.per_address))
        self._server: asyncio.Server | None = None
        self._socket: socket.socket | None = None
        self.port = options.port

    async def start(self) -> None:
        """Bind and accept. Raises `OSError` when the address is taken or not ours."""
        self._socket = self._bound or bind(self._options.host, self._options.port)
        self.port = self._socket.getsockname()[1]
        self._server = await asyncio.get_running_loop().create_server(
            lambda: HttpProtocol(self._serving), sock=self._socket, backlog=BACKLOG
        )

    async def leave(self) -> None:
        """Accept nothing more, leave a shared socket to its others, and wait until every open connection has ended.

        Requests on them are answered, also new ones: each answer says that its connection ends with it.
        """
        if self._server is None:
            return
        serving = self._serving
        serving.leaving = True
        self._server.close()
        while serving.connections:
            for connection in list(serving.connections):
                connection.close_if_idle(self._options.leave_idle)
            await asyncio.sleep(LOOKED_EVERY_SECONDS)

    async def stop(self) -> None:
        """Close the socket, let open answers end for `cut_off` seconds, cut the rest."""
        if self._server is not None and self._socket is not None:
            self._server.close()
            self._socket.close()
            await self._end()
        self._serving.complaints.close()

    async def _end(self) -> None:
        serving = self._serving
        for connection in list(serving.connections):
            connection.end()
        if await self._emptied(self._options.cut_off):
            return
        logger.warning("%d requests were cut off at the stop", len(serving.tasks))
        for connection in list(serving.connections):
            connection.abort()
        for task in list(serving.tasks.values()):
            task.cancel()
        await self._emptied(self._options.cut_off)

    async def _emptied(self, seconds: float) -> bool:
        """Whether every connection was closed and every request over within so long."""
        serving = self._serving
        if not (serving.connections or serving.tasks):
            return True
        try:
            async with asyncio.timeout(seconds):
                await serving.empty.wait()
        except TimeoutError:
            return False
        return True


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
