"""Where a browser may be sent after it paid: to pages of ours, of configured origins, and of the person's own computer.

Anything else would let a link to the payment page of a gateway that somebody trusts end on a page of a stranger.
"""

import re
from urllib.parse import urlsplit

from monkey_coder_server.domain.errors import InvalidRequest

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_PLAIN = re.compile(r"[!-\[\]-~]{1,2000}", re.ASCII)
"""No spaces or controls; no backslash, which browsers read as a slash and parsers do not."""
_PORTS = {"https": 443, "http": 80}


class ReturnUrls:
    """`origins` are those a script may call the API from."""

    def __init__(self, base_url: str, origins: frozenset[str]) -> None:
        self._base_url = base_url
        self._origins = {origin for each in (base_url, *origins) if (origin := _origin(each)) is not None}

    def own(self, path: str) -> str:
        """A page of ours."""
        return f"{self._base_url}{path}"

    def checked(self, field: str, given: str | None, path: str) -> str:
        """The URL of a field, our page without one. Raises `InvalidRequest` for a place elsewhere."""
        if given is None:
            return self.own(path)
        if not self._allowed(given):
            message = (
                f"The field `{field}` must be an address of this gateway ({self._base_url}), of an origin its "
                "operator listed, or of your own computer (http://localhost, http://127.0.0.1)."
            )
            raise InvalidRequest(message)
        return given

    def kept(self, given: str | None, path: str) -> str:
        """The URL where it is allowed, else our page: for programs that were published with URLs of their own."""
        return given if given is not None and self._allowed(given) else self.own(path)

    def _allowed(self, url: str) -> bool:
        origin = _origin(url)
        return origin is not None and (origin in self._origins or origin[1] in _LOOPBACK)


def _origin(url: str) -> tuple[str, str, int] | None:
    """Scheme, host and port of a plain web address; None for all else."""
    if _PLAIN.fullmatch(url) is None:
        return None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not host or parts.username is not None or parts.password is not None:
        return None
    return parts.scheme, host, port or _PORTS[parts.scheme]
