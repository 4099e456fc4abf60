"""The ASGI types by their names."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Straight(Protocol):
    """What a server's `send` may offer as its attribute `straight`: bodies without a message or a wait."""

    def come(self) -> bytes | None:
        """The request's body, once, if all of it has come and nothing has to be said to its caller; else None."""

    @property
    def free(self) -> bool:
        """Whether the body goes on, and its reader keeps up: else `send` is to be asked, and waited for."""

    def write(self, body: bytes) -> None:
        """Write some of a body that is sent in chunks; nothing once its reader is gone."""

    def answer(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> bool:
        """Write a whole answer at once; False where its reader does not keep up: then `send` waits for that."""


Whole = Callable[[int, list[tuple[bytes, bytes]], bytes], bool]
"""What a `send` may offer as its attribute `whole`: `Straight.answer`, with what is added to every answer."""
Reply = Callable[[Scope, Receive, Send], Awaitable[None]]
"""What an endpoint returns: an ASGI application that sends one answer (`respond.Response`, `sse.EventStream`)."""
