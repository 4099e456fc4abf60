"""A name is looked up once for a connection, which goes to the addresses that were found and judged, or nowhere."""

import socket
from collections.abc import Set as AbstractSet

from aiohttp.abc import AbstractResolver, ResolveResult

from monkey_coder_server.domain.public_addresses import is_public


class NotPublic(OSError):
    """A name leads to an address that is not called."""


class PublicResolver(AbstractResolver):
    """Gives what another resolver finds when all of it is public; `excepted` are `host:port` that may lead anywhere."""

    def __init__(self, resolver: AbstractResolver, excepted: AbstractSet[str]) -> None:
        self._resolver = resolver
        self._excepted = excepted

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses to connect to. Raises `NotPublic` if only one of them is not public; `OSError`."""
        found = await self._resolver.resolve(host, port, family)
        if f"{host}:{port}" not in self._excepted and not all(is_public(each["host"]) for each in found):
            raise NotPublic
        return found

    async def close(self) -> None:
        """Close the other one."""
        await self._resolver.close()
