"""The ASGI application of the metrics port: `GET /metrics` and nothing else."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from monkey_coder_server.adapters.metrics.registry import CONTENT_TYPE

Message = MutableMapping[str, Any]


class MetricsEndpoint:
    """Serves figures as text, read anew each time."""

    def __init__(self, read: Callable[[], Awaitable[bytes]]) -> None:
        self._read = read

    async def __call__(
        self,
        scope: Message,
        _receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """Answer one request."""
        found = scope["method"] in {"GET", "HEAD"} and scope["path"] == "/metrics"
        body = await self._read() if found else b"There is only GET /metrics here.\n"
        headers = [(b"content-type", CONTENT_TYPE), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200 if found else 404, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
