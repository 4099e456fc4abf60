"""`/v1/models`, `/v1/providers`, `/v1/capabilities`."""

from typing import Any

from monkey_coder_protocol.catalog import ProviderList
from monkey_coder_protocol.execute import PERSONAS, TASK_TYPES
from monkey_coder_server.domain.catalog import Capability
from monkey_coder_server.domain.collapse import RULES
from monkey_coder_server.domain.scopes import MODELS_READ, PROVIDERS_READ
from monkey_coder_server.domain.teamwork.team import MOST_AGENTS, MOST_ROUNDS, Strategy
from monkey_coder_server.features.catalog.codex_shape import codex_list
from monkey_coder_server.features.catalog.gemini_shape import gemini_list, gemini_model, refuse
from monkey_coder_server.features.catalog.offer import (
    EVERYBODY,
    Buyer,
    Dependencies,
    for_chat,
    found,
    on_offer,
    provider_list,
)
from monkey_coder_server.features.catalog.readers import Reader, reader_of
from monkey_coder_server.features.catalog.union_shape import claude_list, claude_model, union_list, union_model
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_reply

UNION = ("/v1/models", "/openai/v1/models", "/openai/models", "/anthropic/v1/models")
GEMINI = ("/v1beta/models", "/genai/v1beta/models", "/genai/v1/models")
"""Where the lists are served that clients of one dialect alone ask for."""


class CatalogRoutes:
    """The endpoints, over one set of dependencies."""

    def __init__(self, use: Dependencies) -> None:
        self._use = use

    def routes(self) -> tuple[Route, ...]:
        """Every route of the feature."""
        lists = [Route("GET", path, self.models, scope=MODELS_READ) for path in UNION]
        lists += [Route("GET", path, self.gemini_models, scope=MODELS_READ, errors=refuse) for path in GEMINI]
        single = [Route("GET", f"{path}/{{model:path}}", self.model, scope=MODELS_READ) for path in UNION]
        single += [
            Route("GET", f"{path}/{{model:path}}", self.gemini_model, scope=MODELS_READ, errors=refuse)
            for path in GEMINI
        ]
        return (
            *lists,
            *single,
            Route("GET", "/v1/providers", self.providers, scope=PROVIDERS_READ, gives=ProviderList),
            Route("GET", "/v1/capabilities", self.capabilities, scope=PROVIDERS_READ),
        )

    async def models(self, request: Request) -> Reply:
        """Every model the caller may use, in the shape of whoever asks.

        Codex, Google's SDKs, Anthropic's, or one body for OpenAI's and our own.
        """
        match reader_of(request):
            case Reader.CODEX:
                return json_reply(codex_list(self._use, for_chat(on_offer(self._use, _buyer(request)))))
            case Reader.GEMINI:
                return await self.gemini_models(request)
            case Reader.CLAUDE:
                return json_reply(claude_list(self._use, _buyer(request), request.query))
            case Reader.ANY:
                return json_reply(union_list(self._use, _buyer(request), request.query))

    async def model(self, request: Request) -> Reply:
        """One model by any of its names, in the shape of whoever asks."""
        reader = reader_of(request)
        if reader is Reader.GEMINI:
            return await self.gemini_model(request)
        info = union_model(
            on_offer(self._use, _buyer(request)), found(self._use, _buyer(request), request.parameters["model"])
        )
        return json_reply(claude_model(info) if reader is Reader.CLAUDE else info)

    async def gemini_models(self, request: Request) -> Reply:
        """Every model the Gemini API serves that the caller may use, as Google's SDKs read a page of them."""
        return json_reply(gemini_list(on_offer(self._use, _buyer(request)), request.query))

    async def gemini_model(self, request: Request) -> Reply:
        """One model by any of its names, as Google's SDKs read it."""
        return json_reply(
            gemini_model(
                on_offer(self._use, _buyer(request)), found(self._use, _buyer(request), request.parameters["model"])
            )
        )

    async def providers(self, _request: Request) -> Reply:
        """Providers and whether they can be used."""
        return json_reply(provider_list(self._use))

    async def capabilities(self, _request: Request) -> Reply:
        """What this gateway can do, read from what it is made of."""
        return json_reply(capabilities(self._use))


def _buyer(request: Request) -> Buyer:
    return Buyer(request.principal.plan, request.principal.model_access)


def capabilities(use: Dependencies) -> dict[str, Any]:
    """The body of `GET /v1/capabilities`."""
    providers = provider_list(use)
    usable = [info for info in providers.providers.values() if info.initialized]
    models = on_offer(use, EVERYBODY)
    able: dict[str, int] = {
        capability: sum(capability in each.info.capabilities for each in models) for capability in Capability
    }
    missing = [info.name for info in providers.providers.values() if not info.initialized]
    return {
        "system_info": {
            "version": use.version,
            "environment": use.environment,
            "debug_mode": False,
            "timestamp": use.clock.now().isoformat(),
        },
        "environment_configuration": {
            "status": "ready" if usable else "no provider configured",
            "summary": {"providers_configured": len(usable), "models_on_offer": len(models)},
            "validation_warnings": [f"provider {name} has no key" for name in missing],
        },
        "persona_validation": {"personas": list(PERSONAS), "explicit_choice_wins": True},
        "orchestration": {
            "task_types": list(TASK_TYPES),
            "capabilities": able,
            "coordination_strategies": list(Strategy),
            "most_agents": MOST_AGENTS,
            "most_iterations": MOST_ROUNDS,
            "collapse_strategies": list(RULES),
        },
        "providers": {
            "total_providers": providers.count,
            "active_providers": len(usable),
            "provider_details": providers.providers,
        },
        "features": [
            "execute",
            "execute_stream",
            "embeddings",
            "moderations",
            "idempotency_by_task_id",
            "failover",
            "quotes",
            "holds_before_dispatch",
            "signed_receipts",
            "router_explanations",
            "branches",
            "agents",
            "weights",
        ],
        "recent_enhancements": [],
    }
