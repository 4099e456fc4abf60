"""A request as its bytes: what begins it is the same for all requests of a key to a place."""

import re
from base64 import b64encode
from collections.abc import Sequence
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


class Opening(NamedTuple):
    """How requests begin that differ in nothing but their body, and what they are sent to."""

    target: Target
    lines: bytes
    """All but the body's length."""

    def head(self, size: int) -> bytes:
        """What is sent before a body of so many bytes."""
        return b"%bcontent-length: %d\r\n\r\n" % (self.lines, size)


def opening(url: URL, headers: Sequence[tuple[str, str]]) -> Opening:
    """How to ask at a URL; its name and password are for requests without credentials of their own.

    Raises `NoRoute`, and `ValueError` for a header with a line break.
    """
    if url.scheme not in {"http", "https"} or not url.raw_host or url.port is None:
        raise NoRoute(url.scheme)
    if _UNSAFE.search(f"{url.raw_path_qs}{url.host_port_subcomponent}"):
        raise NoRoute(url.scheme)
    if any(_UNSAFE.search(text) for line in headers for text in line):
        raise ValueError("a header holds a line break or a null")
    said = [("host", f"{url.host_port_subcomponent}"), *FIXED_HEADERS.items(), *headers]
    nameless = url.user is None and url.password is None
    if not nameless and not any(name.lower() == "authorization" for name, _ in headers):
        named = b64encode(f"{url.user or ''}:{url.password or ''}".encode()).decode()
        said.append(("authorization", f"Basic {named}"))
    lines = "".join([f"{name}: {value}\r\n" for name, value in said])
    target = Target(url.raw_host.rstrip("."), url.port, url.scheme == "https")
    return Opening(target, f"POST {url.raw_path_qs} HTTP/1.1\r\n{lines}".encode())
