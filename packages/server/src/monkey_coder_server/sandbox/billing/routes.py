"""Where the simulators' cost APIs and invoices are reached."""

from datetime import UTC, date, datetime

from aiohttp import web

from monkey_coder_server.sandbox.billing import anthropic, files, openai
from monkey_coder_server.sandbox.world import World


def add_routes(app: web.Application, world: World) -> None:
    """The cost APIs at their providers' own paths; files under `/__sandbox/invoices/`."""

    async def openai_costs(request: web.Request) -> web.StreamResponse:
        return await openai.costs(request, world)

    async def anthropic_usage(request: web.Request) -> web.StreamResponse:
        return await anthropic.report(request, world, "usage")

    async def anthropic_costs(request: web.Request) -> web.StreamResponse:
        return await anthropic.report(request, world, "cost")

    async def file(request: web.Request) -> web.StreamResponse:
        today = datetime.now(UTC).date().isoformat()
        try:
            first = date.fromisoformat(request.query.get("from", "1970-01-01"))
            last = date.fromisoformat(request.query.get("to", today))
            text = files.invoice(world, request.match_info["provider"], first, last)
        except (KeyError, ValueError) as wrong:
            return web.json_response({"error": str(wrong)}, status=404)
        return web.Response(text=text, content_type="text/csv")

    app.router.add_get("/openai/v1/organization/costs", openai_costs)
    app.router.add_get("/anthropic/v1/organizations/usage_report/messages", anthropic_usage)
    app.router.add_get("/anthropic/v1/organizations/cost_report", anthropic_costs)
    app.router.add_get("/__sandbox/invoices/{provider}.csv", file)
