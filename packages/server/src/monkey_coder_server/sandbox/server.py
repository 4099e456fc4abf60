"""The sandbox server: routes of seven providers under one port, start and stop."""

import asyncio
import json
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web

from monkey_coder_server.sandbox import handling, listing
from monkey_coder_server.sandbox.billing import routes as billing
from monkey_coder_server.sandbox.directives import NOTHING, Directive, DirectiveError, Script
from monkey_coder_server.sandbox.exchange import PROVIDERS
from monkey_coder_server.sandbox.tally import Tally
from monkey_coder_server.sandbox.wire_errors import Refused, render
from monkey_coder_server.sandbox.wires import MODERATIONS, Wire, embeddings_wire, responses_wire, wire
from monkey_coder_server.sandbox.world import World

MAXIMUM_BODY = 64 * 1_024 * 1_024
_CHAT_PATHS = {
    "openai": "/openai/v1",
    "groq": "/groq/openai/v1",
    "xai": "/xai/v1",
    "perplexity": "/perplexity",
    "moonshot": "/moonshot/v1",
}
BASE_PATHS = _CHAT_PATHS | {"anthropic": "/anthropic", "google": "/google"}
"""Base URL paths as each provider's SDK means them: with the version for the OpenAI family, without for the others."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class RunningSandbox:
    """A sandbox that answers on `http://host:port`."""

    host: str
    port: int
    base_urls: dict[str, str]
    """Provider name → base URL for its SDK."""
    tally: Tally
    world: World
    _runner: web.AppRunner

    async def close(self) -> None:
        """Stop answering and free the port."""
        await self._runner.cleanup()


async def start(  # noqa: PLR0913 - each argument is an independent option of a running sandbox, all named
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    seed: int = 0,
    script: Script | None = None,
    defaults: Directive = NOTHING,
    priced_at: datetime | None = None,
    now: Callable[[], datetime] | None = None,
) -> RunningSandbox:
    """Start all seven simulators in this event loop; port 0 picks a free one.

    `defaults` applies to every request (pacing, chunk size); `priced_at` chooses among dated prices (default: now);
    `now` dates what is billed.
    """
    date = now or _utc
    world = World(
        seed=seed, script=script or Script(), defaults=defaults, priced_at=priced_at or datetime.now(UTC), now=date
    )
    runner = web.AppRunner(application(world), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, host, port, backlog=1_024)
    await site.start()
    bound = int(runner.addresses[0][1])
    shown = f"[{host}]" if ":" in host else host
    urls = {name: f"http://{shown}:{bound}{BASE_PATHS[name]}" for name in PROVIDERS}
    return RunningSandbox(host, bound, urls, world.tally, world, runner)


def _utc() -> datetime:
    return datetime.now(UTC)


def application(world: World) -> web.Application:
    """The routes of one sandbox."""
    app = web.Application(client_max_size=MAXIMUM_BODY)
    for provider, path in _CHAT_PATHS.items():
        app.router.add_post(f"{path}/chat/completions", _spoken(world, provider, wire(provider)))
        app.router.add_get(f"{path}/models", _models(world, provider))
    for provider in ("openai", "xai"):
        app.router.add_post(f"{_CHAT_PATHS[provider]}/responses", _spoken(world, provider, responses_wire(provider)))
    app.router.add_post("/openai/v1/embeddings", _spoken(world, "openai", embeddings_wire("openai")))
    app.router.add_post("/openai/v1/moderations", _spoken(world, "openai", MODERATIONS))
    app.router.add_post("/perplexity/v1/embeddings", _spoken(world, "perplexity", embeddings_wire("perplexity")))
    app.router.add_post("/anthropic/v1/messages", _spoken(world, "anthropic", wire("anthropic")))
    app.router.add_post("/anthropic/v1/messages/count_tokens", _count_anthropic(world))
    app.router.add_get("/anthropic/v1/models", _models(world, "anthropic"))
    for version in ("v1", "v1beta"):
        app.router.add_get(f"/google/{version}/models", _models(world, "google"))
        app.router.add_post(f"/google/{version}/models/{{model:.+}}:{{verb:[A-Za-z]+}}", _gemini(world))
    billing.add_routes(app, world)
    _control(app, world)
    return app


def _spoken(world: World, provider: str, spoken: Wire) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        return await handling.answer(request, world, provider, spoken)

    return handler


def _count_anthropic(world: World) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        return await listing.count_anthropic(request, world)

    return handler


def _models(world: World, provider: str) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        return listing.models(request, world, provider)

    return handler


def _gemini(world: World) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        model, verb = request.match_info["model"], request.match_info["verb"]
        if verb == "countTokens":
            return await listing.count_gemini(request, world, model)
        if verb in {"embedContent", "batchEmbedContents"}:
            embedding = embeddings_wire("google", model=model, batch=verb == "batchEmbedContents")
            return await handling.answer(request, world, "google", embedding, model=model)
        if verb not in {"generateContent", "streamGenerateContent"}:
            rendered = render("google", Refused("not_found", f"Method {verb} is not known."), request_id="")
            return web.Response(status=rendered.status, body=rendered.body, content_type="application/json")
        stream = verb == "streamGenerateContent"
        spoken = wire("google", model=model, stream=stream, sse=request.query.get("alt") == "sse")
        return await handling.answer(request, world, "google", spoken, model=model)

    return handler


def _control(app: web.Application, world: World) -> None:
    async def tally(request: web.Request) -> web.StreamResponse:
        return web.json_response(world.tally.document(with_requests=request.query.get("requests") != "0"))

    async def requests(_: web.Request) -> web.StreamResponse:
        return web.json_response(world.inbox.document())

    async def reset(_: web.Request) -> web.StreamResponse:
        world.reset()
        world.script = Script()
        return web.json_response({"status": "reset"})

    async def script(request: web.Request) -> web.StreamResponse:
        try:
            world.script = Script.of(await request.json())
        except (DirectiveError, ValueError) as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response({"rules": len(world.script.rules)})

    async def health(_: web.Request) -> web.StreamResponse:
        return web.json_response({"status": "ok", "providers": list(PROVIDERS)})

    app.router.add_get("/__sandbox/tally", tally)
    app.router.add_get("/__sandbox/requests", requests)
    app.router.add_post("/__sandbox/reset", reset)
    app.router.add_post("/__sandbox/script", script)
    app.router.add_get("/__sandbox/health", health)


def run(
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    seed: int = 0,
    script_file: Path | None = None,
    defaults: Directive = NOTHING,
) -> None:
    """Serve until SIGINT or SIGTERM. When ready, prints one line that exports every base URL.

    Raises DirectiveError for a script file that is none, OSError for a port that is taken.
    """
    script = Script.of(json.loads(script_file.read_text(encoding="utf-8"))) if script_file else None
    asyncio.run(_until_stopped(host, port, seed, script, defaults))


async def _until_stopped(host: str, port: int, seed: int, script: Script | None, defaults: Directive) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    running = await start(host=host, port=port, seed=seed, script=script, defaults=defaults)
    exports = " ".join(f"{name.upper()}_BASE_URL={url}" for name, url in running.base_urls.items())
    sys.stdout.write(f"export {exports}\n")
    sys.stdout.flush()
    await stop.wait()
    await running.close()
