"""The ASGI application: every feature's routes behind one door that names, bounds, counts and explains each request."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial

from monkey_coder_server.domain.errors import ConfirmationRequired, GatewayError, Unavailable
from monkey_coder_server.ports.clock import Clock, Ids
from monkey_coder_server.ports.telemetry import Telemetry
from monkey_coder_server.web.asgi import Message, Receive, Reply, Scope, Send, Straight
from monkey_coder_server.web.assurance import Assurance
from monkey_coder_server.web.audited import Refusals
from monkey_coder_server.web.auth import Authenticator
from monkey_coder_server.web.client_address import client_address
from monkey_coder_server.web.cors import Cors
from monkey_coder_server.web.feature import ErrorRenderer, Feature, Route
from monkey_coder_server.web.once import Once
from monkey_coder_server.web.problem import UpgradeRequired
from monkey_coder_server.web.request import ClientGone, Request
from monkey_coder_server.web.respond import Headers
from monkey_coder_server.web.routing import RouteTable
from monkey_coder_server.web.turnstile import Turnstile

UNMATCHED = "unmatched"
Observe = Callable[[str, str, int, float], None]
"""Told of every finished request: method, route, status, seconds."""


@dataclass(frozen=True, slots=True)
class AppOptions:
    """Bounds of a request. `trusted_hops` is how many proxies in front of us append to X-Forwarded-For."""

    body_limit: int = 32 * 1024 * 1024
    body_seconds: float = 60.0
    cors_origins: frozenset[str] = frozenset()
    trusted_hops: int = 0
    https_only: bool = False


@dataclass(frozen=True, slots=True)
class Services:
    """What the application asks of others."""

    authenticator: Authenticator
    assurance: Assurance
    problems: ErrorRenderer
    telemetry: Telemetry
    clock: Clock
    ids: Ids
    observe: Observe
    once: Once
    refusals: Refusals


class Drain:
    """How the process shuts down, and how many requests are still being answered."""

    def __init__(self) -> None:
        self.draining = False
        """Balancers are told to look elsewhere."""
        self.refusing = False
        """No more work is taken."""
        self.in_flight = 0
        self._empty = asyncio.Event()

    def enter(self) -> None:
        """A request begins."""
        self.in_flight += 1

    def leave(self) -> None:
        """A request was answered."""
        self.in_flight -= 1
        if self.refusing and not self.in_flight:
            self._empty.set()

    def announce(self) -> None:
        """Say that the end is near, and go on."""
        self.draining = True

    async def run_dry(self) -> None:
        """Take no more work; wait until nothing is being answered."""
        self.draining = self.refusing = True
        if self.in_flight:
            await self._empty.wait()


class Application:
    """One instance serves one process. Nothing here knows a concrete feature, store or provider."""

    def __init__(self, features: Sequence[Feature], services: Services, *, options: AppOptions, drain: Drain) -> None:
        self.routes = RouteTable(route for feature in features for route in feature.routes)
        self.drain = drain
        self.services = services
        self.turnstile = Turnstile(services.clock)
        self.options = options
        self.cors = Cors(options.cors_origins, {route.method for _, route in self.routes})
        self.always = _standing_headers(https_only=options.https_only)
        self.always_on_pages = _transport_headers(https_only=options.https_only)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Coroutine[None, None, None]:
        """Serve one HTTP request; other ASGI scopes are not spoken here."""
        if scope["type"] != "http":
            message = f"this application serves HTTP only, not {scope['type']}"
            raise RuntimeError(message)
        return _Serving(self, scope, receive, send).run()


class _Serving:
    """One request on its way. It is the `send` of the endpoint's reply, so that every answer carries our headers."""

    __slots__ = ("_app", "_receive", "_request_id", "_route", "_scope", "_send", "_services", "_status", "straight")

    def __init__(self, app: Application, scope: Scope, receive: Receive, send: Send) -> None:
        self._app = app
        self._services = app.services
        self._scope = scope
        self._receive = receive
        self._send = send
        self.straight: Straight | None = getattr(send, "straight", None)
        """Where the server offers that: bodies need nothing of us."""
        self._request_id = self._services.ids.new("req")
        self._route: Route | None = None
        self._status = 0

    async def run(self) -> None:
        """Answer, whatever happens; then tell the observer."""
        drain, clock = self._app.drain, self._services.clock
        drain.enter()
        started = clock.monotonic()
        try:
            try:
                reply = await self._reply()
            except GatewayError as error:
                reply = self._problem(error)
            await reply(self._scope, self._receive, self)
        except ClientGone:
            self._status = 499  # nobody reads it; the count shows that it happened
        except Exception as error:  # noqa: BLE001 - the outermost boundary: counted, logged once, answered
            await self._defect(error)
        finally:
            drain.leave()
        path = UNMATCHED if self._route is None else self._route.path
        self._services.observe(self._scope["method"], path, self._status, clock.monotonic() - started)

    async def _reply(self) -> Reply:
        app, scope, services = self._app, self._scope, self._services
        method = scope["method"]
        if method == "OPTIONS" and (preflight := app.cors.preflight(scope)) is not None:
            return preflight
        if method == "GET":
            _refuse_websocket(scope)
        route, request = self._found(method)
        try:
            if route.auth != "public":
                request.principal = await services.authenticator.authenticate(request, route.auth, route.scope)
                account = request.principal.account_id
                if not app.turnstile.passes(account):
                    await app.turnstile.wait(account, request.announced_bytes)
                request.begun(partial(app.turnstile.left, account))
                if request.principal.session_id is not None:
                    told = await self._told_before(route, request)
                    if told is not None:
                        return told
                if request.principal.impersonator:
                    await services.refusals.look(request)
            if route.admit is not None:
                await route.admit(request)
            return await (services.once.serve(route, request) if route.once else route.endpoint(request))
        except GatewayError as error:
            await services.refusals.note(route, request, error)
            raise
        finally:
            request.under_way()

    def _found(self, method: str) -> tuple[Route, Request]:
        """Where it goes. Raises `NotFound`, `MethodNotAllowed`, `Unavailable` at the end of this process."""
        app, scope = self._app, self._scope
        match = app.routes.find(method, scope["path"])
        self._route = route = match.route
        if app.drain.refusing and not route.during_drain:
            raise Unavailable("This gateway process is shutting down; send the request again.", retry_after=1)
        options = app.options
        request = Request(
            scope,
            self._receive,
            request_id=self._request_id,
            client_ip=client_address(scope, options.trusted_hops),
            parameters=match.parameters,
            body_limit=options.body_limit,
            body_seconds=options.body_seconds,
            straight=self.straight,
        )
        return route, request

    async def _told_before(self, route: Route, request: Request) -> Reply | None:
        """The reply to a request that its session has confirmed before; None to serve it now. Raises as `Assurance`."""
        try:
            await self._services.assurance.check(request, route)
        except ConfirmationRequired:
            told = await self._services.once.proved_before(route, request)
            if told is None:
                raise
            return told
        return None

    def _problem(self, error: GatewayError) -> Reply:
        render = self._services.problems
        if self._route is not None and self._route.errors is not None:
            render = self._route.errors
        return render(error, self._request_id)

    async def _defect(self, error: Exception) -> None:
        self._services.telemetry.defect(UNMATCHED if self._route is None else self._route.path, error)
        if self._status:
            return  # the answer has begun: returning without its end makes the server abort the connection
        problem = GatewayError(
            "The gateway made a mistake; it was logged. Try again, and report the request id if not."
        )
        await self._problem(problem)(self._scope, self._receive, self)

    async def __call__(self, message: Message) -> None:
        """Add the headers every answer carries; note the status."""
        if message["type"] == "http.response.start":
            headers = self._begun(message["status"], message["headers"])
            message = {"type": "http.response.start", "status": self._status, "headers": headers}
        await self._send(message)

    def whole(self, status: int, headers: Headers, body: bytes) -> bool:
        """The same for an answer that can be written at once: implements `web.asgi.Whole`."""
        straight = self.straight
        return straight is not None and straight.answer(status, self._begun(status, headers), body)

    def _begun(self, status: int, headers: Headers) -> Headers:
        """The status is noted; what its answer carries."""
        self._status = status
        on_page = self._route is not None and self._route.page
        return [
            *headers,
            (b"x-request-id", self._request_id.encode("ascii")),
            *(self._app.always_on_pages if on_page else self._app.always),
            *self._app.cors.headers(self._scope),
        ]


def _refuse_websocket(scope: Scope) -> None:
    for name, value in scope["headers"]:
        if name == b"upgrade" and value.lower() == b"websocket":
            raise UpgradeRequired(
                "This gateway speaks plain HTTP and server-sent events, not WebSocket; send the request by POST."
            )


def _standing_headers(*, https_only: bool) -> Headers:
    return [
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
        *_transport_headers(https_only=https_only),
    ]


def _transport_headers(*, https_only: bool) -> Headers:
    return [(b"strict-transport-security", b"max-age=31536000")] if https_only else []
