"""`/v1/models`, `/v1/providers`, `/v1/capabilities`."""

from typing import Any

from monkey_coder_protocol.execute import PERSONAS, TASK_TYPES
from monkey_coder_server.domain.catalog import Capability
from monkey_coder_server.features.catalog.offer import Dependencies, offered, one_model, provider_list
from monkey_coder_server.web.asgi import Reply
from monkey_coder_server.web.feature import Route
from monkey_coder_server.web.request import Request
from monkey_coder_server.web.respond import json_reply
from monkey_coder_server.web.scopes import MODELS_READ, PROVIDERS_READ


class CatalogRoutes:
    """The endpoints, over one set of dependencies."""

    def __init__(self, use: Dependencies) -> None:
        self._use = use

    def routes(self) -> tuple[Route, ...]:
        """Every route of the feature."""
        return (
            Route("GET", "/v1/models", self.models, scope=MODELS_READ),
            Route("GET", "/v1/models/{model:path}", self.model, scope=MODELS_READ),
            Route("GET", "/v1/providers", self.providers, scope=PROVIDERS_READ),
            Route("GET", "/v1/capabilities", self.capabilities, scope=PROVIDERS_READ),
        )

    async def models(self, request: Request) -> Reply:
        """The OpenAI list and the native map in one body."""
        return json_reply(offered(self._use, request.query.get("provider")))

    async def model(self, request: Request) -> Reply:
        """One model by any of its names."""
        return json_reply(one_model(self._use, request.parameters["model"]))

    async def providers(self, _request: Request) -> Reply:
        """Providers and whether they can be used."""
        return json_reply(provider_list(self._use))

    async def capabilities(self, _request: Request) -> Reply:
        """What this gateway can do, read from what it is made of."""
        return json_reply(capabilities(self._use))


def capabilities(use: Dependencies) -> dict[str, Any]:
    """The body of `GET /v1/capabilities`."""
    providers = provider_list(use)
    usable = [info for info in providers.providers.values() if info.initialized]
    models = offered(use)
    able: dict[str, int] = {
        capability: sum(capability in info.capabilities for info in models.data) for capability in Capability
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
            "summary": {"providers_configured": len(usable), "models_on_offer": models.count},
            "validation_warnings": [f"provider {name} has no key" for name in missing],
        },
        "persona_validation": {"personas": list(PERSONAS), "explicit_choice_wins": True},
        "orchestration": {"task_types": list(TASK_TYPES), "capabilities": able},
        "providers": {
            "total_providers": providers.count,
            "active_providers": len(usable),
            "provider_details": providers.providers,
        },
        "features": [
            "execute",
            "execute_stream",
            "idempotency_by_task_id",
            "failover",
            "quotes",
            "holds_before_dispatch",
            "signed_receipts",
            "router_explanations",
        ],
        "recent_enhancements": [],
    }
