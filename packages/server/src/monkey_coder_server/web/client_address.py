"""Whose connection a request came over: an address, never a caller's own words."""

import re
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from monkey_coder_server.web.asgi import Scope

_WITH_PORT = re.compile(r"(?:\[([0-9A-Fa-f:.%]+)\]|([0-9.]+))(?::[0-9]{1,5})?", re.ASCII)
_LONGEST = len("[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535")


def client_address(scope: Scope, trusted_hops: int) -> str:
    """The caller's address: the peer's, or what the outermost trusted proxy wrote into X-Forwarded-For.

    Proxies append to that header, so what a caller puts there stands to the left of what counts. Where fewer hops are
    named than are trusted, or the one that counts is no address, it is the peer's. `Forwarded` (RFC 7239) and other
    headers of this kind are not read.
    """
    peer = scope.get("client")
    address = str(peer[0]) if peer else ""
    if trusted_hops:
        hops = b",".join(value for name, value in scope["headers"] if name == b"x-forwarded-for").split(b",")
        if len(hops) >= trusted_hops:
            return _read(hops[-trusted_hops]) or _plain(address)
    return _plain(address)


@lru_cache(maxsize=4096)
def _read(hop: bytes) -> str:
    """An address with or without a port, as one; empty for anything else."""
    text = hop.strip().decode("latin-1")
    if len(text) > _LONGEST:
        return ""
    found = _WITH_PORT.fullmatch(text)
    try:
        return _written(found[1] or found[2] if found else text)
    except ValueError:
        return ""


@lru_cache(maxsize=4096)
def _plain(address: str) -> str:
    """The peer's address; an IPv4 one that an IPv6 socket shows as mapped is IPv4."""
    try:
        return _written(address)
    except ValueError:
        return address  # a Unix socket's, or none


def _written(text: str) -> str:
    found = ip_address(text.partition("%")[0])
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return str(mapped or found)
