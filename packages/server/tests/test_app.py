"""The application around any endpoint: headers, limits, defects, proxies, browsers."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, MutableMapping
from dataclasses import dataclass, field
from typing import Any, cast

import httpx2
import pytest

from monkey_coder_server.adapters.system.clock import SystemClock
from monkey_coder_server.app import Application, AppOptions, Drain, Services
from monkey_coder_server.domain.errors import NotFound
from monkey_coder_server.ports.accounts import Audit
from monkey_coder_server.ports.clock import Ids
from monkey_coder_server.ports.telemetry import RequestRecord
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.assurance import Assurance
from monkey_coder_server.web.audited import Refusals
from monkey_coder_server.web.auth import Authenticator
from monkey_coder_server.web.feature import Feature, Route
from monkey_coder_server.web.once import Once
from monkey_coder_server.web.problem import NativeProblems
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_reply, text_reply
from monkey_coder_server.web.sse import EventStream, EventWriter

ORIGIN = "https://app.example.com"


@dataclass
class Watch:
    """What the application told its observers."""

    seen: list[tuple[str, str, int]] = field(default_factory=list)
    defects: list[tuple[str, str]] = field(default_factory=list)

    def observe(self, method: str, route: str, status: int, _seconds: float) -> None:
        self.seen.append((method, route, status))

    def record(self, record: RequestRecord) -> None:
        raise AssertionError(record)

    def defect(self, where: str, error: BaseException) -> None:
        self.defects.append((where, type(error).__name__))


async def echo(request: Request) -> Reply:
    return json_reply({"size": len(await request.body()), "ip": request.client_ip, "id": request.request_id})


async def broken(_request: Request) -> Reply:
    raise ZeroDivisionError("canary")


async def missing(_request: Request) -> Reply:
    raise NotFound("Not here.")


async def broken_stream(_request: Request) -> Reply:
    async def run(writer: EventWriter) -> None:
        await writer.write(b"data: 1\n\n")
        raise ZeroDivisionError

    return EventStream(run)


ROUTES = (
    Route("POST", "/v1/echo", echo, auth="public"),
    Route("GET", "/page", broken, auth="public", errors=lambda *_: text_reply("page"), page=True),
    Route("GET", "/broken", broken, auth="public"),
    Route("GET", "/stream", broken_stream, auth="public"),
    Route("GET", "/own", missing, auth="public", errors=lambda error, _id: text_reply(error.message, status=418)),
)


def application(watch: Watch, **options: Any) -> Application:
    numbers = itertools.count(1)
    services = Services(
        authenticator=cast("Authenticator", None),
        assurance=cast("Assurance", None),
        problems=NativeProblems("http://here/billing"),
        telemetry=watch,
        clock=SystemClock(),
        ids=Ids(lambda prefix: f"{prefix}_{next(numbers)}"),
        observe=watch.observe,
        once=cast("Once", None),
        refusals=Refusals(cast("Audit", None), SystemClock()),
    )
    return Application([Feature("test", ROUTES)], services, options=AppOptions(**options), drain=Drain())


def client_of(app: Application) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://gateway")


@pytest.fixture
def watch() -> Watch:
    return Watch()


async def test_every_answer_carries_its_request_id_and_the_security_headers(watch: Watch) -> None:
    async with client_of(application(watch)) as client:
        good = await client.post("/v1/echo", content=b"abc", headers={"x-request-id": "mine"})
        bad = await client.get("/nothing")
    for answer, request_id in ((good, "req_1"), (bad, "req_2")):
        assert answer.headers["x-request-id"] == request_id
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "strict-transport-security" not in answer.headers
    assert good.json() == {"size": 3, "ip": "127.0.0.1", "id": "req_1"}
    assert watch.seen == [("POST", "/v1/echo", 200), ("GET", "unmatched", 404)]


async def test_behind_https_browsers_are_told_to_stay_there(watch: Watch) -> None:
    async with client_of(application(watch, https_only=True)) as client:
        assert "max-age" in (await client.post("/v1/echo")).headers["strict-transport-security"]


async def test_a_page_brings_the_headers_for_its_content_itself(watch: Watch) -> None:
    async with client_of(application(watch, https_only=True)) as client:
        page = await client.get("/page")
    assert "content-security-policy" not in page.headers
    assert page.headers["x-request-id"] == "req_1"
    assert "max-age" in page.headers["strict-transport-security"]


async def test_a_defect_is_a_500_that_names_the_request_and_nothing_else(watch: Watch) -> None:
    async with client_of(application(watch)) as client:
        answer = await client.get("/broken")
    assert (answer.status_code, answer.json()["error_code"]) == (500, "internal")
    assert answer.json()["request_id"] == "req_1"
    assert "canary" not in answer.text
    assert watch.defects == [("/broken", "ZeroDivisionError")]


async def test_a_route_may_render_errors_in_its_own_shape(watch: Watch) -> None:
    async with client_of(application(watch)) as client:
        answer = await client.get("/own")
    assert (answer.status_code, answer.text) == (418, "Not here.")


async def test_a_stream_that_breaks_is_left_unfinished_for_the_server_to_cut(watch: Watch) -> None:
    sent: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    async def receive() -> MutableMapping[str, Any]:
        await asyncio.sleep(60)
        raise AssertionError

    scope = {"type": "http", "method": "GET", "path": "/stream", "headers": [], "query_string": b""}
    app = application(watch)
    await app(scope, receive, send)
    assert all(message.get("more_body", True) for message in sent)
    assert watch.defects == [("/stream", "ZeroDivisionError")]
    assert app.drain.in_flight == 0


async def test_a_body_beyond_the_cap_is_refused_also_when_its_length_is_not_declared(watch: Watch) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield b"x" * 10

    async with client_of(application(watch, body_limit=50)) as client:
        assert (await client.post("/v1/echo", content=b"x" * 50)).json()["size"] == 50
        declared = await client.post("/v1/echo", content=b"x" * 51)
        streamed = await client.post("/v1/echo", content=pieces())
    assert [declared.status_code, streamed.status_code] == [413, 413]
    assert "50 bytes" in declared.json()["detail"]


async def test_a_body_that_dawdles_is_refused(watch: Watch) -> None:
    async def receive() -> MutableMapping[str, Any]:
        await asyncio.sleep(60)
        raise AssertionError

    sent: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/v1/echo", "headers": [], "query_string": b""}
    await application(watch, body_seconds=0.02)(scope, receive, send)
    assert sent[0]["status"] == 408
    assert json.loads(sent[1]["body"])["error_code"] == "request_timeout"


async def test_a_caller_who_leaves_before_the_body_is_counted_and_sent_nothing(watch: Watch) -> None:
    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        raise AssertionError(message)

    scope = {"type": "http", "method": "POST", "path": "/v1/echo", "headers": [], "query_string": b""}
    await application(watch)(scope, receive, send)
    assert watch.seen == [("POST", "/v1/echo", 499)]


async def test_only_listed_origins_are_answered_as_browsers_need(watch: Watch) -> None:
    preflight = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}
    async with client_of(application(watch, cors_origins=frozenset({ORIGIN}))) as client:
        allowed = await client.options("/v1/echo", headers={"origin": ORIGIN, **preflight})
        refused = await client.options("/v1/echo", headers={"origin": "https://evil.example", **preflight})
        used = await client.post("/v1/echo", headers={"origin": ORIGIN})
        foreign = await client.post("/v1/echo", headers={"origin": "https://evil.example"})
    assert allowed.status_code == 204
    assert allowed.headers["access-control-allow-origin"] == ORIGIN
    assert "authorization" in allowed.headers["access-control-allow-headers"]
    assert refused.status_code == 405
    assert used.headers["access-control-allow-origin"] == ORIGIN
    assert "x-monkey-cost" in used.headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in used.headers
    assert "access-control-allow-origin" not in foreign.headers
    assert foreign.headers["vary"] == "origin"


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "*",
        "",
        f"{ORIGIN}.evil.example",
        f"{ORIGIN}:8443",
        f"{ORIGIN}/",
        f"{ORIGIN} https://evil.example",
        "https://evilapp.example.com",
        "https://app.example.com.evil.example",
        "https://APP.example.com",
        "http://app.example.com",
        "https://user@app.example.com",
        "https://app.example.com%00.evil.example",
    ],
)
async def test_what_only_looks_like_a_listed_origin_is_none(watch: Watch, origin: str) -> None:
    preflight = {"access-control-request-method": "POST", "cookie": "session=1"}
    async with client_of(application(watch, cors_origins=frozenset({ORIGIN}))) as client:
        asked = await client.options("/v1/echo", headers={"origin": origin, **preflight})
        used = await client.post("/v1/echo", headers={"origin": origin, "cookie": "session=1"})
    assert asked.status_code == 405
    for answer in (asked, used):
        assert not [name for name in answer.headers if name.startswith("access-control-")]


async def test_running_dry_waits_for_what_is_being_answered() -> None:
    drain = Drain()
    drain.enter()
    dry = asyncio.create_task(drain.run_dry())
    await asyncio.sleep(0)
    assert drain.draining
    assert not dry.done()
    drain.leave()
    await dry
