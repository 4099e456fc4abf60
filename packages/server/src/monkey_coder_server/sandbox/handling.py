"""From an HTTP request to a simulated answer: the story of one call, step by step."""

import asyncio
from dataclasses import replace
from typing import Any

import msgspec
from aiohttp import web

from monkey_coder_server.sandbox import delivery, headers, keys, pricing, wire_errors
from monkey_coder_server.sandbox.directives import ERROR_FAULTS, UNBILLED_FAULTS, Directive
from monkey_coder_server.sandbox.exchange import Usage
from monkey_coder_server.sandbox.served import Served
from monkey_coder_server.sandbox.tally import Entry, Outcome
from monkey_coder_server.sandbox.wire_errors import Refused
from monkey_coder_server.sandbox.wires import Wire
from monkey_coder_server.sandbox.world import Read, World

SCRIPT_HEADER = "x-sandbox-script"
_NOTHING_USED = Usage(uncached=0)
_DECODER = msgspec.json.Decoder()


async def answer(
    request: web.Request, world: World, provider: str, wire: Wire, *, model: str = "", version_header: bool = False
) -> web.StreamResponse:
    """Answer one inference request, whatever becomes of it, and write it into the tally."""
    identifier = headers.request_id(provider, world.identifiers.draw())
    directive = world.defaults
    asked = model
    try:
        keys.check(provider, request.headers, request.query)
        if version_header and "anthropic-version" not in request.headers:
            raise Refused("invalid", "anthropic-version: header is required")
        raw = await request.read()
        read, key = _read(world, provider, wire, raw, model)
        asked = read.ask.model
        directive = world.directive(read.ask, request.headers.get(SCRIPT_HEADER, ""))
        if directive.fault in ERROR_FAULTS:
            raise wire_errors.fault(directive.fault, directive.message)
        if directive.fault == "error_event" and not read.ask.stream:
            raise Refused("unavailable", wire_errors.KINDS["unavailable"][1])
        reply = _reply(world, read, key, directive)
    except Refused as refused:
        rendered = wire_errors.render(provider, refused, request_id=identifier, retry_after=directive.retry_after)
        world.tally.add(_error_entry(world, provider, asked, identifier, rendered.status, directive))
        return web.Response(
            status=rendered.status,
            body=rendered.body,
            headers=headers.of(provider, identifier) | rendered.headers | {"content-type": rendered.content_type},
        )
    served = world.serve(read.card, read.ask, reply, directive)
    return await _deliver(request, world, wire, served, directive, identifier)


def _reply(world: World, read: Read, key: tuple[str, str, bytes], directive: Directive) -> Any:
    if directive is not world.defaults:
        return world.reply(read.ask, directive)
    if read.reply is None:
        read = replace(read, reply=world.reply(read.ask, directive))
        world.remember(key, read)
    return read.reply


def _read(world: World, provider: str, wire: Wire, raw: bytes, model: str) -> tuple[Read, tuple[str, str, bytes]]:
    key = (provider, wire.variant, raw)
    known = world.recall(key)
    if known is not None:
        return known, key
    body = decoded(provider, raw)
    name = model or body.get("model")
    if not isinstance(name, str) or not name:
        raise Refused("invalid", _MODEL_MISSING.get(provider, "you must provide a model parameter"))
    card = world.card(provider, name)
    if card is None:
        raise Refused("not_found", _unknown(provider, name))
    if card.responses_only:
        message = "This is not a chat model and thus not supported in the v1/chat/completions endpoint. Did you mean to use v1/responses?"
        raise Refused("not_found", message, param="model")
    ask = wire.read(card, body, world.identifiers)
    _fits(provider, ask.prompt_tokens, card.context_window)
    return Read(card, ask, None), key


_MODEL_MISSING = {"anthropic": "model: Field required", "groq": "'model' : property 'model' is missing"}


def decoded(provider: str, raw: bytes) -> dict[str, Any]:
    """The JSON object of a request. Raises Refused."""
    try:
        body = _DECODER.decode(raw)
    except msgspec.DecodeError as error:
        messages = {
            "anthropic": "The request body is not valid JSON: " + str(error),
            "google": f"Invalid JSON payload received. {error}",
        }
        fallback = (
            "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library "
            "correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)"
        )
        raise Refused("invalid", messages.get(provider, fallback)) from error
    if not isinstance(body, dict):
        raise Refused("invalid", "Input should be a valid dictionary")
    return body


def _unknown(provider: str, model: str) -> str:
    return {
        "anthropic": f"model: {model}",
        "google": f"models/{model} is not found for API version v1beta, or is not supported for generateContent. Call "
        "ModelService.ListModels to see the list of available models and their supported methods.",
        "xai": f"The model {model} does not exist or your team does not have access to it. Please ensure you're using the "
        "correct API key. If you believe this is a mistake, please contact support.",
        "perplexity": f"Invalid model '{model}'. Permitted models can be found in the documentation at "
        "https://docs.perplexity.ai/guides/model-cards.",
        "moonshot": f"Not found the model {model} or Permission denied",
    }.get(provider, f"The model `{model}` does not exist or you do not have access to it.")


def _fits(provider: str, prompt: int, window: int) -> None:
    if prompt <= window:
        return
    messages = {
        "anthropic": f"prompt is too long: {prompt} tokens > {window} maximum",
        "google": f"The input token count ({prompt}) exceeds the maximum number of tokens allowed ({window}).",
        "xai": f"This model's maximum prompt length is {window} but the request contains {prompt} tokens.",
        "perplexity": f"User input tokens exceeds {window} tokens.",
        "groq": "Please reduce the length of the messages or completion.",
        "moonshot": f"Invalid request: Your request exceeded model token limit: {window} (requested: {prompt})",
    }
    fallback = f"This model's maximum context length is {window} tokens. However, your messages resulted in {prompt} tokens. Please reduce the length of the messages."
    codes = {"perplexity": "too_many_prompt_tokens"}
    code = codes.get(provider, "context_length_exceeded")
    raise Refused("invalid", messages.get(provider, fallback), param="messages", code=code)


async def _deliver(
    request: web.Request, world: World, wire: Wire, served: Served, directive: Directive, identifier: str
) -> web.StreamResponse:
    """Send the answer and book how that ended."""
    pause = delivery.before_first_byte(directive)
    if not served.ask.stream and directive.tokens_per_second:
        pause += served.reply.output_tokens / directive.tokens_per_second
    if pause > 0:
        await asyncio.sleep(pause)
    gone = delivery.is_gone(request)
    if gone or directive.fault in {"reset", "hang"}:
        outcome: Outcome = "abandoned" if gone else "faulted"
        _book(world, wire, served, directive, identifier, delivery.Delivered(outcome, 0))
        if directive.fault == "hang":
            await delivery.hang(request)
        delivery.reset_connection(request)
        return web.Response(status=499)
    base = headers.of(served.ask.provider, identifier)
    if served.ask.stream:
        return await _deliver_stream(request, world, wire, served, directive, identifier, base)
    return await _deliver_whole(request, world, wire, served, directive, identifier, base)


async def _deliver_whole(
    request: web.Request,
    world: World,
    wire: Wire,
    served: Served,
    directive: Directive,
    identifier: str,
    base: dict[str, str],
) -> web.StreamResponse:
    outcome: Outcome = "faulted" if directive.fault in UNBILLED_FAULTS else "served"
    _book(world, wire, served, directive, identifier, delivery.Delivered(outcome, served.reply.output_tokens))
    base["content-type"] = wire.whole_type
    if directive.fault == "huge":
        return await delivery.huge(request, directive, wire.whole_type)
    if directive.fault == "garbage":
        return web.Response(body=delivery.GARBAGE, headers=base)
    body = wire.whole(served, world.identifiers)
    if directive.fault == "cut":
        return await delivery.cut_whole(request, body, base)
    if directive.fault == "eof":
        body = body[: len(body) // 2]
    return web.Response(body=body, headers=base)


async def _deliver_stream(
    request: web.Request,
    world: World,
    wire: Wire,
    served: Served,
    directive: Directive,
    identifier: str,
    base: dict[str, str],
) -> web.StreamResponse:
    base |= {"content-type": wire.stream_type, "cache-control": "no-cache"}
    if directive.fault in {"huge", "garbage"}:
        _book(world, wire, served, directive, identifier, delivery.Delivered("faulted", 0))
        if directive.fault == "huge":
            return await delivery.huge(request, directive, wire.stream_type)
        return web.Response(body=delivery.GARBAGE, headers=base)
    response = web.StreamResponse(headers=base)
    provider = served.ask.provider
    kind = "overloaded" if provider == "anthropic" else "unavailable"
    _, error = wire_errors.body(provider, Refused(kind, directive.message or wire_errors.KINDS[kind][1]))
    try:
        await response.prepare(request)
        frames = wire.frames(served, world.identifiers)
        delivered = await delivery.stream(request, response, frames, directive, wire.error_event(error))
    except ConnectionResetError:
        delivered = delivery.Delivered("abandoned", 0)
    _book(world, wire, served, directive, identifier, delivered)
    return response


def _book(
    world: World, wire: Wire, served: Served, directive: Directive, identifier: str, delivered: delivery.Delivered
) -> None:
    usage, bill = served.usage, served.bill
    if delivered.outcome == "abandoned":
        reasoning = min(delivered.generated, usage.reasoning)
        usage = replace(usage, reasoning=reasoning, output=min(delivered.generated - reasoning, usage.output))
        bill = pricing.bill(served.card, usage)
    started = delivered.outcome != "abandoned" or delivered.generated > 0
    nanos = bill.nanos if started else 0
    billed = nanos if delivered.outcome in {"served", "abandoned"} else 0
    world.tally.add(
        Entry(
            serial=world.identifiers.serial,
            provider=served.ask.provider,
            model=served.ask.model,
            answer_id=wire.answer_id(served),
            request_id=identifier,
            status=200,
            outcome=delivered.outcome,
            stream=served.ask.stream,
            fault=directive.fault,
            usage=usage,
            cost_nanos=billed,
            unbilled_nanos=nanos - billed,
        )
    )


def _error_entry(world: World, provider: str, model: str, identifier: str, status: int, directive: Directive) -> Entry:
    return Entry(
        serial=world.identifiers.serial,
        provider=provider,
        model=model,
        answer_id="",
        request_id=identifier,
        status=status,
        outcome="error",
        stream=False,
        fault=directive.fault,
        usage=_NOTHING_USED,
        cost_nanos=0,
    )
