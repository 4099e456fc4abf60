"""The catalogue as Codex reads it: `GET /v1/models?client_version=…` (openai/codex, `ModelInfo`)."""

from statistics import median_low
from typing import Any, Final

from monkey_coder_server.domain.catalog import Capability
from monkey_coder_server.features.catalog.codex_instructions import BASE_INSTRUCTIONS
from monkey_coder_server.features.catalog.offer import AUTO_NAMES, Dependencies, Offered

_LEVELS: Final = (
    ("low", "Answers fast, thinks little"),
    ("medium", "Thinks as much as the task asks for"),
    ("high", "Thinks longest, for hard problems"),
)
_OUTPUT_TOKENS_KEPT: Final = 10_000
"""Of a command's output, what Codex keeps in the conversation."""


def codex_list(use: Dependencies, offered: tuple[Offered, ...]) -> dict[str, Any]:
    """Every model that can call tools, `auto` first: an agent is nothing without them."""
    able = [each for each in offered if Capability.TOOLS in each.card.capabilities]
    models = [_auto(name, label, able) for name, label in AUTO_NAMES.items() if able]
    models += [_model(use, each) for each in able]
    return {"models": [{**model, "priority": place} for place, model in enumerate(models)]}


def _model(use: Dependencies, offered: Offered) -> dict[str, Any]:
    card = offered.card
    bare = use.catalog.resolve(card.model).cards
    named = {
        "slug": card.model if bare == (card,) else card.name,
        "display_name": card.display_name,
        "description": f"{card.display_name} by {card.provider}",
    }
    return named | _able(card.capabilities, card.context_window)


def _auto(name: str, label: str, able: list[Offered]) -> dict[str, Any]:
    """Half of the models hold a window of the median; the router only asks those that hold the prompt."""
    named = {"slug": name, "display_name": label, "description": "The gateway chooses a model for each request"}
    capabilities = frozenset[Capability]().union(*(each.card.capabilities for each in able))
    return named | _able(capabilities, median_low(each.card.context_window for each in able))


def _able(capabilities: frozenset[Capability], window: int) -> dict[str, Any]:
    """What Codex asks of a model, and how it is to be used: as a free-form tool, patches work with any of them."""
    thinks = Capability.REASONING in capabilities
    levels = [{"effort": effort, "description": words} for effort, words in _LEVELS] if thinks else []
    return {
        "default_reasoning_level": "medium" if thinks else None,
        "supported_reasoning_levels": levels,
        "shell_type": "unified_exec",
        "visibility": "list",
        "supported_in_api": True,
        "availability_nux": None,
        "upgrade": None,
        "base_instructions": BASE_INSTRUCTIONS,
        "supports_reasoning_summaries": thinks,
        "support_verbosity": False,
        "default_verbosity": None,
        "apply_patch_tool_type": "freeform",
        "truncation_policy": {"mode": "tokens", "limit": _OUTPUT_TOKENS_KEPT},
        "supports_parallel_tool_calls": True,
        "context_window": window,
        "experimental_supported_tools": [],
        "input_modalities": ["text", "image"] if Capability.VISION in capabilities else ["text"],
    }
