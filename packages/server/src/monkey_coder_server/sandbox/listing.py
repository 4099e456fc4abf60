"""What providers answer besides inference: model lists and token counts."""

from typing import Any

from aiohttp import web

from monkey_coder_server.sandbox import catalog, headers, keys, moderations, wire_errors, wording
from monkey_coder_server.sandbox.anthropic_messages import read as anthropic_read
from monkey_coder_server.sandbox.gemini import read as gemini_read
from monkey_coder_server.sandbox.wire_errors import Refused
from monkey_coder_server.sandbox.world import CREATED, World

_OWNERS = {"openai": "openai", "groq": "Groq", "xai": "xai", "perplexity": "perplexity", "moonshot": "moonshot"}


def models(request: web.Request, world: World, provider: str) -> web.Response:
    """The provider's list of models, in its shape."""
    try:
        keys.check(provider, request.headers, request.query)
    except Refused as refused:
        return _refusal(world, provider, refused)
    names = catalog.names(provider, world.priced_at) + catalog.names(provider, world.priced_at, "embeddings")
    names += moderations.MODELS if provider == "openai" else ()
    return web.json_response(_LISTS[provider](world, names) if provider in _LISTS else _openai(provider, names))


def _openai(provider: str, names: tuple[str, ...]) -> dict[str, Any]:
    data = [{"id": name, "object": "model", "created": CREATED, "owned_by": _OWNERS[provider]} for name in names]
    return {"object": "list", "data": data}


def _anthropic(_world: World, names: tuple[str, ...]) -> dict[str, Any]:
    data = [
        {
            "type": "model",
            "id": name,
            "display_name": name.replace("-", " ").title(),
            "created_at": "2026-01-01T00:00:00Z",
        }
        for name in names
    ]
    return {"data": data, "has_more": False, "first_id": names[0], "last_id": names[-1]}


def _google(world: World, names: tuple[str, ...]) -> dict[str, Any]:
    entries = []
    for name in names:
        card = world.card("google", name)
        window, limit = (card.context_window, card.output_limit) if card else (8_192, 1)
        entries.append(
            {
                "name": f"models/{name}",
                "version": "001",
                "displayName": name,
                "inputTokenLimit": window,
                "outputTokenLimit": limit,
                "supportedGenerationMethods": _GENERATES if card else _EMBEDS,
            }
        )
    return {"models": entries}


_GENERATES = ("generateContent", "countTokens")
_EMBEDS = ("embedContent", "countTextTokens", "countTokens", "asyncBatchEmbedContent")
_LISTS = {"anthropic": _anthropic, "google": _google}


async def count_anthropic(request: web.Request, world: World) -> web.Response:
    """`POST /v1/messages/count_tokens`."""
    try:
        keys.check("anthropic", request.headers, request.query)
        body = wording.decoded("anthropic", await request.read())
        name = wording.model_name("anthropic", body.get("model"))
        card = wording.known("anthropic", name, world.card("anthropic", name))
        ask = anthropic_read.read(card, body, world.identifiers, counting=True)
    except Refused as refused:
        return _refusal(world, "anthropic", refused)
    return web.json_response({"input_tokens": ask.prompt_tokens})


async def count_gemini(request: web.Request, world: World, model: str) -> web.Response:
    """`POST …:countTokens`."""
    try:
        keys.check("google", request.headers, request.query)
        card = wording.known("google", model, world.card("google", model))
        body = wording.decoded("google", await request.read())
        inner = body.get("generateContentRequest") or body
        ask = gemini_read.read(card, model, inner, world.identifiers, stream=False)
    except Refused as refused:
        return _refusal(world, "google", refused)
    media = ask.media_tokens
    details = [{"modality": "TEXT", "tokenCount": ask.prompt_tokens - sum(media.values())}]
    details += [{"modality": modality, "tokenCount": number} for modality, number in media.items()]
    return web.json_response({"totalTokens": ask.prompt_tokens, "promptTokensDetails": details})


def _refusal(world: World, provider: str, refused: Refused) -> web.Response:
    identifier = headers.request_id(provider, world.identifiers.draw())
    rendered = wire_errors.render(provider, refused, request_id=identifier)
    return web.Response(
        status=rendered.status, body=rendered.body, headers=rendered.headers | {"content-type": rendered.content_type}
    )
