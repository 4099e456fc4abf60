"""An answer with a known body goes out at once where the server can write it, and in two messages where it cannot."""

from typing import Any

import pytest

from monkey_coder_server.web.respond import Headers, Response

HEADERS = [(b"content-type", b"text/plain")]


class Server:
    """Takes messages; what is offered as a whole only while it `can`."""

    def __init__(self, *, can: bool) -> None:
        self.can = can
        self.offered: list[tuple[int, Headers, bytes]] = []
        self.messages: list[dict[str, Any]] = []

    def whole(self, status: int, headers: Headers, body: bytes) -> bool:
        self.offered.append((status, headers, body))
        return self.can

    async def __call__(self, message: Any) -> None:
        self.messages.append(message)


async def answered(method: str, status: int, body: bytes, *, can: bool) -> Server:
    server = Server(can=can)
    await Response(status, body, HEADERS)({"method": method}, server, server)  # type: ignore[arg-type] # asks nothing
    return server


@pytest.mark.parametrize(("method", "sent"), [("GET", b"hello"), ("HEAD", b"")])
async def test_at_once_or_in_two_messages_it_is_the_same_answer(method: str, sent: bytes) -> None:
    ready, slow = [await answered(method, 200, b"hello", can=can) for can in (True, False)]
    headers = [(b"content-length", b"5"), *HEADERS]
    assert ready.offered == slow.offered == [(200, headers, sent)]
    assert not ready.messages
    assert slow.messages == [
        {"type": "http.response.start", "status": 200, "headers": headers},
        {"type": "http.response.body", "body": sent},
    ]


async def test_what_has_no_body_names_no_length() -> None:
    server = await answered("GET", 204, b"", can=True)
    assert server.offered == [(204, HEADERS, b"")]
