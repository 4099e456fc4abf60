"""A request as its bytes: what begins it is the same for all requests to a place."""

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from yarl import URL

from monkey_coder_server.adapters.upstream.failures import NoRoute

FIXED_HEADERS = {"accept-encoding": "identity", "user-agent": "monkey-coder"}
_UNSAFE = re.compile(r"[\x00\r\n]")


class Target(NamedTuple):
    """What a connection leads to."""

    host: str
    port: int
    tls: bool


@dataclass(frozen=True, slots=True)
class Route:
    """Where requests go. `opening` begins every one; `credentials` are the base URL's own, for one without any."""

    target: Target
    opening: str
    credentials: str = ""


def route(url: URL) -> Route:
    """How to reach a URL. Raises `NoRoute`."""
    if url.scheme not in {"http", "https"} or not url.raw_host or url.port is None:
        raise NoRoute(url.scheme)
    target = Target(url.raw_host.rstrip("."), url.port, url.scheme == "https")
    lines = "".join([f"{name}: {value}\r\n" for name, value in FIXED_HEADERS.items()])
    opening = f"POST {url.raw_path_qs} HTTP/1.1\r\nhost: {url.host_port_subcomponent}\r\n{lines}"
    if _UNSAFE.search(f"{url.raw_path_qs}{url.host_port_subcomponent}"):
        raise NoRoute(url.scheme)
    if url.user is None and url.password is None:
        return Route(target, opening)
    named = b64encode(f"{url.user or ''}:{url.password or ''}".encode()).decode()
    return Route(target, opening, f"authorization: Basic {named}\r\n")


def written(there: Route, headers: Mapping[str, str], body: bytes) -> bytes:
    """The request as it is sent, up to its body. Raises `ValueError` for a header with a line break."""
    lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
    head = "".join(lines)
    if head.count("\n") != len(lines) or head.count("\r") != len(lines) or "\x00" in head:
        raise ValueError("a header holds a line break or a null")
    if there.credentials and not any(name.lower() == "authorization" for name in headers):
        head += there.credentials
    return f"{there.opening}{head}content-length: {len(body)}\r\n\r\n".encode()
