"""From an HTTP request to a simulated answer: the story of one call, step by step."""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime

from aiohttp import web

from monkey_coder_server.sandbox import delivery, headers, keys, pricing, wire_errors, wording
from monkey_coder_server.sandbox.delivery import Delivered
from monkey_coder_server.sandbox.directives import ERROR_FAULTS, UNBILLED_FAULTS, Directive
from monkey_coder_server.sandbox.exchange import Reply, Usage
from monkey_coder_server.sandbox.served import Served
from monkey_coder_server.sandbox.tally import Entry, Outcome
from monkey_coder_server.sandbox.wire_errors import Refused, refuse
from monkey_coder_server.sandbox.wires import Wire
from monkey_coder_server.sandbox.world import Read, World

SCRIPT_HEADER = "x-sandbox-script"
_NOTHING_USED = Usage(uncached=0)
_NEEDS_VERSION = frozenset({"anthropic"})


@dataclass(slots=True)
class Call:
    """One inference request on its way; `directive` and `model` are filled in as they become known."""

    request: web.Request
    world: World
    provider: str
    wire: Wire
    identifier: str
    model: str
    directive: Directive
    began: datetime


async def answer(
    request: web.Request, world: World, provider: str, wire: Wire, *, model: str = ""
) -> web.StreamResponse:
    """Answer one inference request, whatever becomes of it, and write it into the tally."""
    identifier = headers.request_id(provider, world.identifiers.draw())
    call = Call(request, world, provider, wire, identifier, model, world.defaults, world.now())
    try:
        served = await _admitted(call)
    except Refused as refused:
        return _refusal(call, refused)
    return await _delivered(call, served)


async def _admitted(call: Call) -> Served:
    """Check, read, steer and answer the request. Raises Refused."""
    request, world = call.request, call.world
    keys.check(call.provider, request.headers, request.query)
    if call.provider in _NEEDS_VERSION and "anthropic-version" not in request.headers:
        refuse("invalid", "anthropic-version: header is required")
    raw = await request.read()
    world.inbox.add(call.provider, request.path, request.headers, raw)
    key = (call.provider, call.wire.variant, raw)
    read = world.recall(key) or _read(call, raw)
    call.model = read.ask.model
    call.directive = world.directive(read.ask, request.headers.get(SCRIPT_HEADER, ""))
    if call.directive.fault in ERROR_FAULTS:
        raise wire_errors.fault(call.provider, call.directive.fault, call.directive.message)
    if call.directive.fault == "error_event" and not read.ask.stream:
        refuse("unavailable", wire_errors.sentence(call.provider, "unavailable"))
    reply = _reply(call, read, key)
    return world.serve(read.card, read.ask, reply, call.directive)


def _read(call: Call, raw: bytes) -> Read:
    body = wording.decoded(call.provider, raw)
    name = wording.model_name(call.provider, call.model or body.get("model") or call.wire.usual_model)
    call.model = name
    kind, responses = call.wire.kind, call.wire.responses
    card = wording.known(call.provider, name, call.world.card(call.provider, name, kind), kind, responses=responses)
    ask = call.wire.read(card, body, call.world.identifiers)
    if kind == "chat":
        wording.fits(call.provider, ask.prompt_tokens, card.context_window, responses=responses)
    return Read(card, ask, None)


def _reply(call: Call, read: Read, key: tuple[str, str, bytes]) -> Reply:
    """The model's reply; kept for the next identical request unless something steers this one."""
    if call.wire.kind != "chat":
        return Reply()
    if call.directive is not call.world.defaults:
        return call.world.reply(read.ask, call.directive)
    if read.reply is not None:
        return read.reply
    reply = call.world.reply(read.ask, call.directive)
    call.world.remember(key, replace(read, reply=reply))
    return reply


def _refusal(call: Call, refused: Refused) -> web.Response:
    retry_after = call.directive.retry_after
    rendered = wire_errors.render(call.provider, refused, request_id=call.identifier, retry_after=retry_after)
    call.world.tally.add(
        Entry(
            serial=len(call.world.tally.entries) + 1,
            provider=call.provider,
            model=call.model,
            answer_id="",
            request_id=call.identifier,
            status=rendered.status,
            outcome="error",
            stream=False,
            fault=call.directive.fault,
            usage=_NOTHING_USED,
            cost_nanos=0,
            began=call.began,
            at=call.world.now(),
        )
    )
    base = headers.of(call.provider, call.identifier)
    return web.Response(
        status=rendered.status,
        body=rendered.body,
        headers=base | rendered.headers | {"content-type": rendered.content_type},
    )


async def _delivered(call: Call, served: Served) -> web.StreamResponse:
    """Send the answer and book how that ended."""
    directive = call.directive
    pause = delivery.before_first_byte(directive)
    if not served.ask.stream and directive.tokens_per_second:
        pause += served.reply.output_tokens / directive.tokens_per_second
    if pause > 0:
        await asyncio.sleep(pause)
    if directive.fault in {"reset", "hang"}:
        _book(call, served, Delivered("faulted", 0))
        if directive.fault == "hang":
            await delivery.hang(call.request)
        delivery.reset_connection(call.request)
        return web.Response()
    if delivery.is_gone(call.request):
        _book(call, served, Delivered("abandoned", 0))
        return web.Response()
    return await (_stream(call, served) if served.ask.stream else _whole(call, served))


async def _whole(call: Call, served: Served) -> web.StreamResponse:
    fault = call.directive.fault
    outcome: Outcome = "faulted" if fault in UNBILLED_FAULTS else "served"
    _book(call, served, Delivered(outcome, served.reply.output_tokens))
    base = headers.of(call.provider, call.identifier) | {"content-type": call.wire.whole_type}
    if fault == "huge":
        return await delivery.huge(call.request, call.directive, call.wire.whole_type)
    if fault == "garbage":
        return web.Response(body=delivery.GARBAGE, headers=base)
    body = call.wire.whole(served, call.world.identifiers)
    if fault == "cut":
        return await delivery.cut_whole(call.request, body, base)
    if fault == "eof":
        body = body[: len(body) // 2]
    return web.Response(body=body, headers=base)


async def _stream(call: Call, served: Served) -> web.StreamResponse:
    directive = call.directive
    base = headers.of(call.provider, call.identifier) | {"content-type": call.wire.stream_type}
    base["cache-control"] = "no-cache"
    if directive.fault in {"huge", "garbage"}:
        _book(call, served, Delivered("faulted", 0))
        if directive.fault == "huge":
            return await delivery.huge(call.request, directive, call.wire.stream_type)
        return web.Response(body=delivery.GARBAGE, headers=base)
    response = web.StreamResponse(headers=base)
    try:
        await response.prepare(call.request)
        frames = delivery.bent(call.wire.frames(served, call.world.identifiers), directive.fault)
        delivered = await delivery.stream(call.request, response, frames, directive, _error_event(call))
    except ConnectionResetError:
        delivered = Delivered("abandoned", 0)
    if directive.fault == "no_end" and delivered.outcome == "served" and not call.wire.spare_end:
        delivered = Delivered("faulted", delivered.generated)
    _book(call, served, delivered)
    return response


def _error_event(call: Call) -> bytes:
    kind = "overloaded" if call.provider == "anthropic" else "unavailable"
    message = call.directive.message or wire_errors.sentence(call.provider, kind)
    return call.wire.error_event(wire_errors.body(call.provider, Refused(kind, message))[1])


def _book(call: Call, served: Served, delivered: Delivered) -> None:
    """Write a served request into the tally, by the billing rules of the package docstring."""
    usage, bill = served.usage, served.bill
    if delivered.outcome == "abandoned":
        reasoning = min(delivered.generated, usage.reasoning)
        usage = replace(usage, reasoning=reasoning, output=min(delivered.generated - reasoning, usage.output))
        bill = pricing.bill(served.card, usage)
    started = delivered.outcome != "abandoned" or delivered.generated > 0
    nanos = bill.nanos if started else 0
    billed = nanos if delivered.outcome in {"served", "abandoned"} else 0
    call.world.tally.add(
        Entry(
            serial=len(call.world.tally.entries) + 1,
            provider=call.provider,
            model=call.model,
            answer_id=call.wire.answer_id(served),
            request_id=call.identifier,
            status=200,
            outcome=delivered.outcome,
            stream=served.ask.stream,
            fault=call.directive.fault,
            usage=usage,
            cost_nanos=billed,
            began=call.began,
            at=call.world.now(),
            unbilled_nanos=nanos - billed,
        )
    )
