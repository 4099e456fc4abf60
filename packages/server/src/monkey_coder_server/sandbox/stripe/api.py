"""The way of a call: who asks, what, whether it was asked before, the answer, and what a script does to it."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from aiohttp import web

from monkey_coder_server.sandbox.delivery import is_gone, reset_connection
from monkey_coder_server.sandbox.stripe import form, rendering
from monkey_coder_server.sandbox.stripe.account import API_VERSION, Request
from monkey_coder_server.sandbox.stripe.faults import Fault
from monkey_coder_server.sandbox.stripe.idempotency import LONGEST, Answer
from monkey_coder_server.sandbox.stripe.parameters import Parameters
from monkey_coder_server.sandbox.stripe.refusals import Refusal, malformed
from monkey_coder_server.sandbox.stripe.resources import (
    charges,
    checkout,
    customers,
    disputes,
    events,
    invoices,
    payment_intents,
    payment_methods,
    portal,
    products,
    refunds,
    setup_intents,
    subscriptions,
)
from monkey_coder_server.sandbox.stripe.routing import Route
from monkey_coder_server.sandbox.stripe.simulator import Call, Simulator

logger = logging.getLogger(__name__)
ROUTES: tuple[Route, ...] = tuple(
    route
    for resource in (
        customers,
        checkout,
        payment_intents,
        payment_methods,
        setup_intents,
        charges,
        refunds,
        disputes,
        products,
        subscriptions,
        invoices,
        portal,
        events,
    )
    for route in resource.ROUTES
)
FORM = "application/x-www-form-urlencoded"
_UNREMEMBERED = {
    "rate_limit": Refusal(429, "Too many requests hit the API too quickly.", code="rate_limit"),
    "lock_timeout": Refusal(
        429,
        "This object cannot be accessed right now because another API request or Stripe process is accessing it.",
        code="lock_timeout",
    ),
}
_BROKEN = Refusal(500, "An unknown error occurred", kind="api_error")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A call as far as it was understood."""

    route: Route
    given: Mapping[str, Any]
    ids: tuple[str, ...]
    path: str
    live: bool
    request_id: str
    key: str

    @property
    def kept_as(self) -> tuple[bool, str]:
        return self.live, self.key


def handler(simulator: Simulator, route: Route) -> Handler:
    """What aiohttp calls for a route."""

    async def handle(request: web.Request) -> web.StreamResponse:
        request_id = simulator.account.new_id("req")
        headers = {"Request-Id": request_id, "Stripe-Version": API_VERSION}
        simulator.called.add(route.name)
        try:
            asked = await _understand(simulator, route, request, request_id)
            answer = await _answer(simulator, asked, request, headers)
        except Refusal as refusal:
            answer = _answer_of(request_id, refusal)
        except _Cut:
            return web.Response()
        if answer.status in {429, 500}:
            headers["Stripe-Should-Retry"] = "true" if b'"lock_timeout"' in answer.body else "false"
        return web.Response(status=answer.status, body=answer.body, content_type="application/json", headers=headers)

    return handle


async def unknown(request: web.Request) -> web.StreamResponse:
    """An address that is simulated nowhere."""
    message = f"Unrecognized request URL ({request.method}: {request.path}). The simulator does not have it."
    return web.json_response({"error": {"message": message, "type": "invalid_request_error"}}, status=404)


async def _understand(simulator: Simulator, route: Route, request: web.Request, request_id: str) -> _Asked:
    live = _mode(request)
    version = request.headers.get("Stripe-Version", API_VERSION)
    if version != API_VERSION:
        raise Refusal(400, f"Invalid Stripe API version: {version}. The simulator speaks {API_VERSION}.")
    key = request.headers.get("Idempotency-Key", "")
    if len(key) > LONGEST:
        raise Refusal(400, f"Idempotency keys have at most {LONGEST} characters.", kind="idempotency_error")
    try:
        if route.method == "POST":
            body = await request.text()
            if body and request.content_type != FORM:
                raise Refusal(400, f"Requests are {FORM}, not {request.content_type}.")
            given = form.decode(body)
        else:
            given = form.decode(request.query_string)
    except form.BrokenForm as broken:
        raise malformed(str(broken), "") from broken
    validator = simulator.validators.get(route.name)
    if validator is not None:
        try:
            validator(given)
        except ValueError as wrong:
            msg = f"The SDK's types refuse this: {wrong}"
            raise malformed(msg, "", "parameter_unknown") from wrong
    ids = tuple(request.match_info.values())
    post = route.method == "POST"
    return _Asked(route, given, ids, request.path, live, request_id, key if post else "")


def _mode(request: web.Request) -> bool:
    """Whether the key is of live mode. Raises 401 for none."""
    secret = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if secret.startswith(("sk_test_", "rk_test_")):
        return False
    if secret.startswith(("sk_live_", "rk_live_")):
        return True
    shown = f"{secret[:7]}***" if secret else "none"
    raise Refusal(401, f"Invalid API Key provided: {shown}")


async def _answer(simulator: Simulator, asked: _Asked, request: web.Request, headers: dict[str, str]) -> Answer:
    """The first answer to a key or the one it got then. Raises a refusal that no key remembers."""
    fault = simulator.faults.take(asked.route.method, asked.route.path)
    kind = fault.kind if fault is not None else ""
    if kind in _UNREMEMBERED:
        raise _UNREMEMBERED[kind]
    if kind == "cut":
        _cut(request)
    if asked.key:
        headers["Idempotency-Key"] = asked.key
        first = simulator.keys.begin(asked.kept_as, asked.path, asked.given, simulator.account.now())
        if first is not None:
            headers |= {"Idempotent-Replayed": "true", "Original-Request": first.request_id}
            return first
    answer = _answer_of(asked.request_id, _BROKEN) if kind == "server_error" else _work(simulator, asked)
    if kind == "server_error_after_commit":
        answer = _answer_of(asked.request_id, _BROKEN)
    simulator.calls.append(Call(asked.route.name, asked.given, answer.status))
    if fault is not None and kind == "slow":
        await asyncio.sleep(fault.seconds)
    if kind == "webhook_first":
        await simulator.webhooks.deliver()
    if asked.key:
        _keep(simulator, asked, answer)
    if fault is not None and kind in {"timeout_after_commit", "cut_after_commit"}:
        await _lose(request, fault)
    return answer


async def _lose(request: web.Request, fault: Fault) -> None:
    """Keep the caller waiting until they or the script give up, or hang up at once."""
    ends = asyncio.get_running_loop().time() + (fault.seconds if fault.kind == "timeout_after_commit" else 0)
    while asyncio.get_running_loop().time() < ends and not is_gone(request):  # noqa: ASYNC110 - a transport has no event
        await asyncio.sleep(0.05)
    _cut(request)


def _work(simulator: Simulator, asked: _Asked) -> Answer:
    account = simulator.account
    account.settle()
    account.request = Request(asked.request_id, asked.key or None)
    try:
        with account.mode_of(asked.live):
            parameters = Parameters(asked.given)
            expand = parameters.texts("expand")
            found = asked.route.act(account, parameters, *asked.ids)
            assert parameters.closed, asked.route.name  # noqa: S101 - a handler refuses what it does not read
            shown = rendering.rendered(account, found, expand)
        return Answer(200, json.dumps(shown, indent=2).encode(), asked.request_id)
    except Refusal as refusal:
        return _answer_of(asked.request_id, refusal)
    except Exception:
        logger.exception("the simulator failed at %s", asked.route.name)
        return _answer_of(asked.request_id, _BROKEN)
    finally:
        account.request = Request()


def _keep(simulator: Simulator, asked: _Asked, answer: Answer) -> None:
    document = json.loads(answer.body)
    code = document.get("error", {}).get("code") if isinstance(document, dict) else None
    if Refusal(answer.status, "", code=code).saved:
        simulator.keys.save(asked.kept_as, answer)
    else:
        simulator.keys.forget(asked.kept_as)


def _answer_of(request_id: str, refusal: Refusal) -> Answer:
    document = {**refusal.document, "request_log_url": f"https://dashboard.stripe.com/test/logs/{request_id}"}
    return Answer(refusal.status, json.dumps({"error": document}, indent=2).encode(), request_id)


class _Cut(Exception):
    """No error: a script wants the connection gone."""


def _cut(request: web.Request) -> NoReturn:
    reset_connection(request)
    raise _Cut
