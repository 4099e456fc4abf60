"""What the simulators were sent, kept for tests that ask whether a setting really reached the provider."""

from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import msgspec

REMEMBERED = 200
LARGEST = 256 * 1024
"""Bytes of a body that is kept; of a larger request only path and headers are."""
_SECRET_HEADERS = frozenset({"authorization", "x-api-key", "x-goog-api-key"})


@dataclass(frozen=True, slots=True)
class Received:
    """One inference request as it came.

    Credentials are left out of `headers`; `body` is null when it is no JSON or too large.
    """

    provider: str
    path: str
    headers: dict[str, str]
    body: Any


class Inbox:
    """The last `REMEMBERED` requests. Bodies stay bytes until somebody asks for them."""

    def __init__(self) -> None:
        self._kept: deque[tuple[str, str, Mapping[str, str], bytes]] = deque(maxlen=REMEMBERED)

    def add(self, provider: str, path: str, headers: Mapping[str, str], raw: bytes) -> None:
        """Keep a request, dropping the oldest."""
        self._kept.append((provider, path, headers, raw if len(raw) <= LARGEST else b""))

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()

    def document(self) -> dict[str, Any]:
        """The requests as JSON, oldest first."""
        requests = [
            Received(provider, path, _shown(headers), _body(raw)) for provider, path, headers, raw in self._kept
        ]
        return {"requests": [asdict(request) for request in requests]}


def _shown(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items() if name.lower() not in _SECRET_HEADERS}


def _body(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return None
