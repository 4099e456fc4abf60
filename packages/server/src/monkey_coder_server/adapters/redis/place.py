"""Where Redis is: an address like `rediss://USER:PASSWORD@HOST:6380/0` taken apart."""

import ssl
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from hiredis import pack_command


def packed(*parts: str | bytes | int) -> bytes:
    """A command as it is sent."""
    command: Any = parts  # the library's types know commands of one word only
    wire: bytes = pack_command(command)
    return wire


class Place(NamedTuple):
    """`tls`: certificates are checked as everywhere else."""

    host: str
    port: int
    database: int = 0
    user: str = ""
    password: str = ""
    tls: bool = False

    @property
    def context(self) -> ssl.SSLContext | None:
        """How TLS is spoken, if it is."""
        return ssl.create_default_context() if self.tls else None

    def greeting(self) -> tuple[bytes, ...]:
        """The commands a connection begins with, packed."""
        commands: list[bytes] = []
        if self.password:
            who = (self.user, self.password) if self.user else (self.password,)
            commands.append(packed("AUTH", *who))
        if self.database:
            commands.append(packed("SELECT", self.database))
        return (*commands, packed("PING"))


def place_of(url: str) -> Place:
    """Raises `ValueError` for what is no address of a Redis."""
    parts = urlsplit(url)
    path = parts.path.strip("/")
    if parts.scheme not in {"redis", "rediss"} or not parts.hostname or parts.query or not (path or "0").isdigit():
        raise ValueError
    return Place(
        host=parts.hostname,
        port=parts.port or 6379,
        database=int(path or "0"),
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        tls=parts.scheme == "rediss",
    )
