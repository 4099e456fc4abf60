"""`Control` over HTTP, for demos: `POST /_control {"do": "advance", "with": {"days": 31}}`."""

import inspect
from dataclasses import asdict, is_dataclass
from typing import Any

from aiohttp import web

from monkey_coder_server.sandbox.stripe.control import Control
from monkey_coder_server.sandbox.stripe.refusals import Refusal

VERBS = tuple(name for name in vars(Control) if not name.startswith("_"))


def add(app: web.Application, control: Control) -> None:
    """The one route, and a list of what it can do."""

    async def act(request: web.Request) -> web.StreamResponse:
        try:
            wish = await request.json()
            if wish["do"] not in VERBS:
                return web.json_response({"error": f"choose one of {', '.join(VERBS)}"}, status=404)
            done = getattr(control, wish["do"])(**wish.get("with", {}))
            result = await done if inspect.isawaitable(done) else done
        except Refusal as refusal:
            return web.json_response({"error": refusal.document}, status=refusal.status)
        except (KeyError, TypeError, ValueError) as wrong:
            return web.json_response({"error": str(wrong)}, status=400)
        return web.json_response({"result": _plain(result)})

    async def verbs(_: web.Request) -> web.StreamResponse:
        told = {name: inspect.getdoc(getattr(Control, name)) for name in VERBS}
        return web.json_response(told)

    app.router.add_post("/_control", act)
    app.router.add_get("/_control", verbs)


def _plain(result: Any) -> Any:
    if isinstance(result, list):
        return [_plain(item) for item in result]
    return asdict(result) if is_dataclass(result) and not isinstance(result, type) else result
