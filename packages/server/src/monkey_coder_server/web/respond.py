"""Answers with a known body."""

from typing import Any

import msgspec

from monkey_coder_server.web.asgi import Receive, Scope, Send, Whole

Headers = list[tuple[bytes, bytes]]
_JSON = (b"content-type", b"application/json")
encode_json = msgspec.json.Encoder().encode


class Response:
    """A status, headers and a body, sent at once where the server can, else in two messages."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, body: bytes, headers: Headers) -> None:
        self.status = status
        self.body = body
        self.headers = headers

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Send it. A HEAD request gets the headers alone."""
        status, headers, body = self.status, self.headers, self.body
        if status != 204:  # RFC 9110, section 8.6
            headers = [(b"content-length", b"%d" % len(body)), *headers]
        if scope["method"] == "HEAD":
            body = b""
        whole: Whole | None = getattr(send, "whole", None)
        if whole is None or not whole(status, headers, body):
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": body})


def json_reply(value: Any, *, status: int = 200, headers: Headers | None = None) -> Response:
    """Any msgspec-encodable value as JSON."""
    return json_bytes(encode_json(value), status=status, headers=headers)


def json_bytes(body: bytes, *, status: int = 200, headers: Headers | None = None) -> Response:
    """JSON that is already encoded."""
    return Response(status, body, [_JSON, *headers] if headers else [_JSON])


def text_reply(body: str, *, status: int = 200, content_type: bytes = b"text/plain; charset=utf-8") -> Response:
    """Plain text."""
    return Response(status, body.encode(), [(b"content-type", content_type)])
