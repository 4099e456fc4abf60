"""What a feature hands to the application: its routes and its hooks."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import UnionType
from typing import Literal

import msgspec

from monkey_coder_server.domain.confirmation import Action
from monkey_coder_server.domain.errors import GatewayError
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.request import Request

Endpoint = Callable[[Request], Awaitable[Reply]]
Hook = Callable[[], Awaitable[None]]
Credential = Literal["public", "key", "session", "any"]
"""`key`: an `mk-` key; `session`: a person's token; `any`: either; `public`: none is asked for."""
ErrorRenderer = Callable[[GatewayError, str], Reply]
"""Writes an error (with the request id) in the shape the route's clients read."""


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint. A path under `/v1/` is served under `/api/v1/` too; any other path is served as it is.

    `{name}` in the path is one segment, `{name:path}` greedy. `scope` is asked of keys, and of the role of a person.
    `errors` None means the native shape. `during_drain`: served while the process is shutting down.
    `takes` and `gives` are the structs of the body and of the answer, for the OpenAPI document; None for no body, and
    for an answer that is no JSON. `query` is the struct of the address's query, as `web.query.read_query` reads it.
    `once`: it makes something, and under one idempotency key makes it once. `admit` comes before that: whoever it
    refuses has left no trace. `action` is what the audit trail calls it when it is refused; empty for what is not of an
    account's or money's safety. `confirm` is what a person must have proved for it only just now; keys are not asked.
    `enrolling`: open to a person who lacks the second factor required of them. `page`: a page for browsers, with
    headers of its own (`web.pages`) in place of those that every answer for programs carries. `redirects`: a route that
    is no page and may send a browser on.
    """

    method: str
    path: str
    endpoint: Endpoint
    auth: Credential = "any"
    scope: str | None = None
    errors: ErrorRenderer | None = None
    during_drain: bool = False
    once: bool = False
    query: type[msgspec.Struct] | None = None
    takes: type | None = None
    gives: type | UnionType | None = None
    admit: Callable[[Request], Awaitable[None]] | None = None
    action: str = ""
    page: bool = False
    redirects: bool = False
    confirm: Action | None = None
    enrolling: bool = False


@dataclass(frozen=True, slots=True)
class Feature:
    """`start` runs before the first request, `stop` after the last answer left: background work is finished there."""

    name: str
    routes: tuple[Route, ...]
    start: Hook | None = None
    stop: Hook | None = None
