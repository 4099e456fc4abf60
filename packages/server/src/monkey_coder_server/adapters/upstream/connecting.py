"""From a name to an open socket: its addresses, the first of them that answers, and TLS."""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Callable
from functools import cache

from aiohappyeyeballs import start_connection
from aiohappyeyeballs.types import AddrInfoType
from aiohappyeyeballs.utils import pop_addr_infos_interleave

from monkey_coder_server.adapters.upstream.failures import Unreachable
from monkey_coder_server.adapters.upstream.request import Target
from monkey_coder_server.adapters.upstream.wire import Connection

_HEAD_START = 0.25
"""Seconds an address gets before the next is tried beside it, by RFC 8305."""


class Names:
    """Looks names up and remembers the addresses for `keep` seconds; who asks for the same at once waits together."""

    def __init__(self, keep: float) -> None:
        self._keep = keep
        self._known: dict[tuple[str, int], tuple[float, list[AddrInfoType]]] = {}
        self._asked: dict[tuple[str, int], asyncio.Task[list[AddrInfoType]]] = {}

    async def addresses(self, host: str, port: int) -> list[AddrInfoType]:
        """Where a name leads, each time beginning with another address. Raises `Unreachable`."""
        if (address := _address(host, port)) is not None:
            return [address]
        asked = (host, port)
        until, found = self._known.get(asked, (0.0, []))
        if until <= asyncio.get_running_loop().time():
            found = await asyncio.shield(self._asking(asked))
        addresses = list(found)
        found.append(found.pop(0))
        return addresses

    def _asking(self, asked: tuple[str, int]) -> asyncio.Task[list[AddrInfoType]]:
        task = self._asked.get(asked)
        if task is None:
            task = self._asked[asked] = asyncio.get_running_loop().create_task(self._look_up(*asked))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())  # who asked may have left
        return task

    async def _look_up(self, host: str, port: int) -> list[AddrInfoType]:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
        except (OSError, UnicodeError) as away:
            cause = away if isinstance(away, OSError) else OSError(str(away))
            raise Unreachable(cause, looking_up=True) from away
        finally:
            del self._asked[host, port]
        if not found:
            raise Unreachable(OSError("no address"), looking_up=True)
        addresses: list[AddrInfoType] = list(found)
        self._known[host, port] = (loop.time() + self._keep, addresses)
        return addresses


async def connected(target: Target, names: Names, make: Callable[[], Connection]) -> Connection:
    """An open connection. Raises `Unreachable`."""
    left = await names.addresses(target.host, target.port)
    while True:
        try:
            return await _connected(target, left, make())
        except OSError as away:
            pop_addr_infos_interleave(left, 1)
            if not left:
                raise Unreachable(away) from away


async def _connected(target: Target, addresses: list[AddrInfoType], connection: Connection) -> Connection:
    """By one of the addresses. Raises `OSError`."""
    loop = asyncio.get_running_loop()
    opened = await start_connection(addresses, happy_eyeballs_delay=_HEAD_START, interleave=1, loop=loop)
    try:
        await loop.create_connection(
            lambda: connection,
            sock=opened,
            ssl=trusted() if target.tls else None,
            server_hostname=target.host if target.tls else None,
        )
    except BaseException:
        connection.close()
        raise
    return connection


@cache
def trusted() -> ssl.SSLContext:
    """Whom we believe to be who they say: the authorities of the system, or of SSL_CERT_FILE and SSL_CERT_DIR."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def _address(host: str, port: int) -> AddrInfoType | None:
    """The address that a host is already; None for a name."""
    try:
        version = ipaddress.ip_address(host.partition("%")[0]).version
    except ValueError:
        return None
    family = socket.AF_INET if version == 4 else socket.AF_INET6
    place = (host, port) if version == 4 else (host, port, 0, 0)
    return (family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", place)
