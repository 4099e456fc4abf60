"""Where a customer may have us connect to: public addresses of the Internet, by HTTPS, at two ports.

An address of our own network, of this machine or of a cloud's metadata service is none, however it is written. Beside
them the operator may name hosts with their ports, which may be any.
"""

import ipaddress
import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from urllib.parse import urlsplit

PORTS = frozenset({443, 8443})
LONGEST_URL = 2_000
_DEFAULT_PORTS = {"http": 80, "https": 443}
_NOT_PUBLIC_V4 = tuple(
    ipaddress.IPv4Network(each)
    for each in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32",
    )
)  # fmt: skip
"""IANA's registry of special-purpose addresses, multicast, what is reserved, and the host of Azure's machines."""
_PUBLIC_V6 = ipaddress.IPv6Network("2000::/3")
_NOT_PUBLIC_V6 = tuple(
    ipaddress.IPv6Network(each)
    for each in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)
"""Within what is given out: IANA's registry again; with Teredo and 6to4, which hold an IPv4 address."""
_NAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
"""A name with a dot in it whose last part is no number: what is read as an address by some is none here."""
_WRITTEN = re.compile(r"[!-\[\]-~]+", re.ASCII)
"""Without spaces, backslashes and what is not ASCII: readers differ on them."""
_AUTHORITY = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Place:
    """A host in small letters, without brackets, and a port. `excepted`: the operator named it."""

    host: str
    port: int
    excepted: bool


class NoPublicPlace(ValueError):
    """An address that is not called; the message says why, as the end of a sentence that begins with `url`."""


def is_public(address: str) -> bool:
    """Whether an IP address, as it is resolved to, is one of the Internet's."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv4Address):
        return not any(found in network for network in _NOT_PUBLIC_V4)
    return not found.scope_id and found in _PUBLIC_V6 and not any(found in network for network in _NOT_PUBLIC_V6)


def place_of(url: str, excepted: AbstractSet[str]) -> Place:
    """Where an address leads. `excepted` are `host:port` as the operator named them. Raises `NoPublicPlace`."""
    if len(url) > LONGEST_URL or not _WRITTEN.fullmatch(url):
        message = f"must be at most {LONGEST_URL} characters of ASCII, without spaces and backslashes"
        raise NoPublicPlace(message)
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)
    except ValueError as wrong:
        raise NoPublicPlace("names a host or a port that there cannot be") from wrong
    if not port or not _AUTHORITY.fullmatch(parts.netloc) or "#" in url:
        raise NoPublicPlace("must be an address like https://example.com/hook, without a user and without #")
    host = parts.hostname or ""
    if f"{host}:{port}" in excepted:
        return Place(host, port, excepted=True)
    if parts.scheme != "https":
        raise NoPublicPlace("must begin with https://")
    if port not in PORTS:
        message = f"may name no port but {' and '.join(map(str, sorted(PORTS)))}"
        raise NoPublicPlace(message)
    if not _NAME.fullmatch(host) and not is_public(host):
        raise NoPublicPlace("must name a host of the public Internet")
    return Place(host, port, excepted=False)
