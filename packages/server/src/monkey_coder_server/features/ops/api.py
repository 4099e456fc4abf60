"""`/health` and its kin. They ask for no key and go on while the process drains."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from monkey_coder_protocol.catalog import Health
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.openapi import document
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import encode_json, json_bytes, json_reply

CHECK_SECONDS = 2.0
HEALTHY = "healthy"
CARRIED = "failing, requests go on"
"""Of a component that is away while what it is needed for can be done without it for a while."""
READY = "ready"
DRAINING = "draining"
DEGRADED = "degraded"


@dataclass(frozen=True, slots=True)
class Check:
    """`probe` gives words on a component. A process is ready while those `needed` say `HEALTHY` or `CARRIED`."""

    probe: Callable[[], Awaitable[str]]
    needed: bool


@dataclass(frozen=True, slots=True)
class Dependencies:
    """`draining` says whether the process is shutting down, `others` are the routes of all other features."""

    checks: Mapping[str, Check]
    draining: Callable[[], bool]
    clock: Clock
    version: str
    base_url: str
    others: Sequence[Route]


class OpsRoutes:
    """The endpoints, over one set of dependencies."""

    def __init__(self, use: Dependencies) -> None:
        self._use = use
        self._document: bytes | None = None

    def routes(self) -> tuple[Route, ...]:
        """Every route of the feature."""
        health = [
            Route("GET", path, self.health, auth="public", during_drain=True, gives=Health)
            for path in ("/health", "/healthz", "/api/health", "/v1/health")
        ]
        return (
            *health,
            Route("GET", "/health/ready", self.ready, auth="public", during_drain=True, gives=Health),
            Route("GET", "/", self.root, auth="public", during_drain=True),
            Route("GET", "/v1/openapi.json", self.openapi, auth="public"),
        )

    async def health(self, _request: Request) -> Reply:
        """Exactly four keys; 200 while the process can serve at all."""
        words = await self._words()
        status = HEALTHY if self._all_say(words, {HEALTHY}) else DEGRADED
        return json_reply(self._body(status, words))

    async def ready(self, _request: Request) -> Reply:
        """200 when requests should be sent here; 503 while draining, or without a needed store and leases to go on."""
        words = await self._words()
        if self._use.draining():
            return json_reply(self._body(DRAINING, words), status=503)
        status = READY if self._all_say(words, {HEALTHY}) else DEGRADED
        return json_reply(self._body(status, words), status=200 if self._all_say(words, {HEALTHY, CARRIED}) else 503)

    async def root(self, _request: Request) -> Reply:
        """What this is, for people who open the address; HEAD is what some agents probe with."""
        base = self._use.base_url
        return json_reply(
            {"service": "Monkey Coder", "version": self._use.version, "api": f"{base}/v1", "health": f"{base}/health"}
        )

    async def openapi(self, _request: Request) -> Reply:
        """This API as an OpenAPI 3.1 document."""
        if self._document is None:
            use = self._use
            routes = [*use.others, *self.routes()]
            self._document = encode_json(document(routes, version=use.version, base_url=use.base_url))
        return json_bytes(self._document)

    def _body(self, status: str, words: dict[str, str]) -> Health:
        return Health(status, self._use.version, self._use.clock.now().isoformat(), words)

    def _all_say(self, words: Mapping[str, str], these: Collection[str]) -> bool:
        """Whether every needed component says one of these."""
        return all(words[name] in these for name, check in self._use.checks.items() if check.needed)

    async def _words(self) -> dict[str, str]:
        words = await asyncio.gather(*(_word(check) for check in self._use.checks.values()))
        return dict(zip(self._use.checks, words, strict=True))


async def _word(check: Check) -> str:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await check.probe()
    except TimeoutError:
        return "slow"
