"""The ASGI types by their names."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Reply = Callable[[Scope, Receive, Send], Awaitable[None]]
"""What an endpoint returns: an ASGI application that sends one answer (`respond.Response`, `sse.EventStream`)."""
