"""The catalogue as OpenAI's and Anthropic's SDKs and our own clients read it, in one body."""

from collections.abc import Mapping
from typing import Any

import msgspec

from monkey_coder_protocol.catalog import EPOCH, ModelInfo, ModelList
from monkey_coder_server.domain.house_names import name_for_claude_code
from monkey_coder_server.features.catalog.offer import (
    Buyer,
    Dependencies,
    Offered,
    auto_infos,
    for_chat,
    on_offer,
    provider_name,
)
from monkey_coder_server.features.catalog.pages import Page, page_of


class ClaudeModel(msgspec.Struct, kw_only=True):
    """A model as Anthropic's SDK reads it (docs.claude.com, List Models), under an id Claude Code lists."""

    type: str = "model"
    id: str
    display_name: str
    created_at: str = EPOCH
    lifecycle: str = "active"
    max_input_tokens: int
    max_tokens: int
    object: str = "model"
    created: int = 0
    owned_by: str


def union_list(use: Dependencies, buyer: Buyer, query: Mapping[str, str]) -> ModelList:
    """Every model, `auto` first; one provider's alone where the query names one. Raises `InvalidRequest`."""
    wanted = provider_name(use, query.get("provider"))
    offered = on_offer(use, buyer, wanted)
    autos = auto_infos(offered) if wanted is None else []
    page = page_of([*autos, *(each.info for each in offered)], query)
    first, last = _ends(page)
    return ModelList(
        data=list(page.entries),
        models=by_provider(offered),
        count=len(offered),
        provider_filter=wanted,
        has_more=page.has_more,
        first_id=first,
        last_id=last,
    )


def claude_list(use: Dependencies, buyer: Buyer, query: Mapping[str, str]) -> dict[str, Any]:
    """The same for callers with Anthropic's header: only models that converse. Raises `InvalidRequest`."""
    offered = for_chat(on_offer(use, buyer, query.get("provider")))
    page = page_of([claude_model(info) for info in [*auto_infos(offered), *(each.info for each in offered)]], query)
    first, last = _ends(page)
    return {
        "object": "list",
        "data": page.entries,
        "has_more": page.has_more,
        "first_id": first,
        "last_id": last,
        "models": by_provider(offered),
        "count": len(offered),
    }


def claude_model(info: ModelInfo) -> ClaudeModel:
    """One model for callers with Anthropic's header."""
    return ClaudeModel(
        id=name_for_claude_code(info.id),
        display_name=info.display_name,
        max_input_tokens=info.context_window,
        max_tokens=info.max_output_tokens,
        owned_by=info.owned_by,
    )


def union_model(offered: tuple[Offered, ...], found: Offered | str) -> ModelInfo:
    """One model, or a mode of `auto`."""
    return next(info for info in auto_infos(offered) if info.id == found) if isinstance(found, str) else found.info


def by_provider(offered: tuple[Offered, ...]) -> dict[str, list[str]]:
    """Provider → ids, the native map."""
    ids: dict[str, list[str]] = {}
    for each in offered:
        ids.setdefault(each.card.provider, []).append(each.card.model)
    return ids


def _ends(page: "Page[ModelInfo] | Page[ClaudeModel]") -> tuple[str | None, str | None]:
    return (page.entries[0].id, page.entries[-1].id) if page.entries else (None, None)
