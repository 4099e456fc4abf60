"""Routing and middleware alone, in memory: the gateway's own ASGI class beside a Starlette application doing the same.

Both find `POST /v1/execute` among the gateway's routes, read the same body, and answer it with the same headers.
"""

import asyncio
import gc
import statistics
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request as StarletteRequest
from starlette.responses import Response as StarletteResponse
from starlette.routing import Route as StarletteRoute

from monkey_coder_server.adapters.metrics import Metrics
from monkey_coder_server.adapters.system.clock import SystemClock
from monkey_coder_server.adapters.system.ids import system_ids
from monkey_coder_server.app import Application, AppOptions, Drain, Services
from monkey_coder_server.web.asgi import Message, Receive, Reply, Scope, Send
from monkey_coder_server.web.feature import Feature, Route
from monkey_coder_server.web.problem import NativeProblems
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_bytes

BODY = b'{"task_type": "code_generation", "prompt": "hello"}'
PATHS = [f"/v1/endpoint-{number}" for number in range(24)] + ["/v1/receipts/{receipt_id}", "/v1/execute"]
REQUESTS = 4_000
ROUNDS = 7

App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


def main() -> None:
    """Run and print both sides."""
    asyncio.run(_measure())


async def _measure() -> None:
    sides: dict[str, App] = {"plain ASGI class": _plain(), "Starlette application": _starlette()}
    times: dict[str, list[float]] = {name: [] for name in sides}
    gc.disable()
    for _ in range(ROUNDS):
        for name, app in sides.items():
            times[name].append(await _once(app))
    gc.enable()
    print(f"Routing, request id and headers alone, in memory; medians of {ROUNDS} interleaved rounds")
    first = statistics.median(next(iter(times.values())))
    for name, taken in times.items():
        median = statistics.median(taken)
        print(f"{name:<24} {median * 1e6:>6.0f} us/request {median / first:>6.2f}")


async def _once(app: App) -> float:
    """Mean seconds of one request."""
    statuses: list[int] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": BODY, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    begun = time.perf_counter()
    for _ in range(REQUESTS):
        await app(_scope(), receive, send)
    taken = (time.perf_counter() - begun) / REQUESTS
    if statuses != [200] * REQUESTS:
        raise RuntimeError("an answer was not 200; the figures would mean nothing")
    return taken


def _scope() -> Scope:
    headers = [(b"host", b"127.0.0.1"), (b"content-type", b"application/json"), (b"content-length", b"51")]
    return {
        "type": "http",
        "method": "POST",
        "path": "/v1/execute",
        "raw_path": b"/v1/execute",
        "root_path": "",
        "query_string": b"",
        "headers": headers,
        "client": ("127.0.0.1", 50_000),
    }


def _plain() -> App:
    async def endpoint(request: Request) -> Reply:
        return json_bytes(await request.body())

    routes = tuple(Route("POST", path, endpoint, auth="public") for path in PATHS)
    metrics = Metrics("bench")
    services: Any = Services(
        authenticator=None,  # type: ignore[arg-type] # no route here asks who calls
        assurance=None,  # type: ignore[arg-type] # nor how sure it is
        problems=NativeProblems("http://localhost/billing"),
        telemetry=metrics,
        clock=SystemClock(),
        ids=system_ids(),
        observe=_unobserved,
        once=None,  # type: ignore[arg-type] # no route here makes anything
        refusals=None,  # type: ignore[arg-type] # nothing here is refused
    )
    return Application([Feature("bench", routes)], services, options=AppOptions(), drain=Drain())


def _unobserved(_method: str, _route: str, _status: int, _seconds: float) -> None:
    """Counting is the same on both sides, so neither counts."""


class _Headers:
    """Pure-ASGI middleware that does for Starlette what the plain class does itself."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._ids = system_ids()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = self._ids.new("req").encode("ascii")

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                added = [(b"x-request-id", request_id), *_STANDING]
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        await self._app(scope, receive, with_headers)


_STANDING = [
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
]


def _starlette() -> App:
    async def endpoint(request: StarletteRequest) -> StarletteResponse:
        return StarletteResponse(await request.body(), media_type="application/json")

    routes = [StarletteRoute(f"{alias}{path}", endpoint, methods=["POST"]) for path in PATHS for alias in ("", "/api")]
    return Starlette(routes=routes, middleware=[Middleware(_Headers)])
