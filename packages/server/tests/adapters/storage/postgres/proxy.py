"""A wire between the writer and the server that can be cut at a word, or made slow."""

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

CHUNK = 65_536


@dataclass(slots=True)
class Wire:
    """Passes bytes on. When the client says `cut_at`, once: the line is cut after that is passed on, or before.

    `ends` says that nobody can call again then. Whatever the client says is passed on `delay` seconds later.
    """

    to_port: int
    cut_at: bytes = b""
    passes_on: bool = True
    ends: bool = False
    cuts: int = 0
    delay: float = 0.0
    port: int = 0
    _listening: socket.socket = field(init=False)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._start(self._accept)

    def close(self) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def join(self) -> None:
        for thread in self._threads:
            thread.join(10)

    def _start(self, target: Callable[..., None], *arguments: socket.socket) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(("127.0.0.1", self.to_port))
                self._start(self._there, client, server)
                self._start(self._back, client, server)

    def _there(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError), client, server:
            try:
                while said := client.recv(CHUNK):
                    if self.cut_at and self.cut_at in said:
                        self._cut(client, server, said)
                        return
                    if self.delay:
                        time.sleep(self.delay)
                    server.sendall(said)
            finally:
                server.shutdown(socket.SHUT_WR)  # else the other thread would wait for ever

    def _cut(self, client: socket.socket, server: socket.socket, said: bytes) -> None:
        self.cut_at, self.cuts = b"", self.cuts + 1
        if self.ends:
            self.close()
        client.shutdown(socket.SHUT_RDWR)
        if self.passes_on:
            server.sendall(said)
        else:
            server.shutdown(socket.SHUT_RDWR)

    def _back(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError), client, server:
            while said := server.recv(CHUNK):
                client.sendall(said)
            client.shutdown(socket.SHUT_RDWR)
