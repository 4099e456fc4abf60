"""The catalogue as Google's SDKs read it: `models.list` and `models.get` (ai.google.dev, Models)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from monkey_coder_server.dialects.gemini.front import GeminiFront
from monkey_coder_server.domain.catalog import Capability, Kind, ModelCard
from monkey_coder_server.domain.errors import GatewayError
from monkey_coder_server.features.catalog.offer import AUTO_NAMES, Offered, for_chat
from monkey_coder_server.features.catalog.pages import bounded
from monkey_coder_server.ports.front import Problem
from monkey_coder_server.web.problem import problem_headers, status_of
from monkey_coder_server.web.respond import Response, json_bytes

_METHODS: Final[Mapping[Kind, Sequence[str]]] = {
    Kind.CHAT: ("generateContent", "countTokens"),
    Kind.EMBEDDINGS: ("embedContent", "batchEmbedContents"),
}
"""What each kind of model is asked for in this API; other kinds are not served in it."""
_HOME: Final = "google"
_front = GeminiFront()


def gemini_list(offered: tuple[Offered, ...], query: Mapping[str, str]) -> dict[str, Any]:
    """One page of models, `auto` first. All on one page where no size is asked for. Raises `InvalidRequest`."""
    models = [*_autos(offered), *(_model(each.card) for each in offered if each.card.kind in _METHODS)]
    size = bounded(query, "pageSize", "page_size") or len(models)
    token = query.get("pageToken") or query.get("page_token")
    names = [model["name"] for model in models]
    start = names.index(token) + 1 if token in names else 0
    page: dict[str, Any] = {"models": models[start : start + size]}
    if start + size < len(models):
        page["nextPageToken"] = page["models"][-1]["name"]
    return page


def gemini_model(offered: tuple[Offered, ...], found: Offered | str) -> dict[str, Any]:
    """One model, or a mode of `auto`."""
    if isinstance(found, str):
        return next(each for each in _autos(offered) if each["name"] == f"models/{found}")
    return _model(found.card)


def refuse(error: GatewayError, request_id: str) -> Response:
    """An error as those SDKs read it."""
    problem = Problem(
        code=error.code,
        status=status_of(error),
        message=error.message,
        request_id=request_id,
        retry_after=error.retry_after,
        facts=error.facts,
    )
    refusal = _front.refuse(problem)
    return json_bytes(refusal.body, status=refusal.status, headers=problem_headers(error))


def _model(card: ModelCard) -> dict[str, Any]:
    """Google's own models under the ids its clients know, all others as `provider/model`."""
    named = _named(card.model if card.provider == _HOME else card.name, card.display_name)
    return named | {
        "description": f"{card.display_name} by {card.provider}",
        "inputTokenLimit": card.context_window,
        "outputTokenLimit": card.max_output_tokens,
        "supportedGenerationMethods": _METHODS.get(card.kind, ()),
        "thinking": Capability.REASONING in card.capabilities,
    }


def _autos(offered: tuple[Offered, ...]) -> list[dict[str, Any]]:
    cards = [each.card for each in for_chat(offered)]
    if not cards:
        return []
    shared = {
        "description": "The gateway chooses a model for each request",
        "inputTokenLimit": max(card.context_window for card in cards),
        "outputTokenLimit": max(card.max_output_tokens for card in cards),
        "supportedGenerationMethods": _METHODS[Kind.CHAT],
        "thinking": any(Capability.REASONING in card.capabilities for card in cards),
    }
    return [_named(name, label) | shared for name, label in AUTO_NAMES.items()]


def _named(name: str, label: str) -> dict[str, Any]:
    return {"name": f"models/{name}", "version": "1", "displayName": label}
