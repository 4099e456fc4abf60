"""Requests as an endpoint gets them, made by hand."""

from collections.abc import Mapping
from typing import Any

from monkey_coder_server.web.request import Request


def asked(
    method: str, path: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None, address: str = "203.0.113.7"
) -> Request:
    """A request with these headers and this body, in one piece."""
    place, _, query = path.partition("?")
    scope = {
        "type": "http",
        "method": method,
        "path": place,
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in (headers or {}).items()],
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request(scope, receive, request_id="req_1", client_ip=address)
