"""Sends a caller's own Messages request on as it was written, but for what this model cannot take.

Each field keeps its bytes unless it must change: the model, the length where the route allows less, `stream`, what is
adapted by the model's traits. What is left out or changed in meaning is named in `WireRequest.dropped`.
"""

from collections.abc import Sequence

import msgspec

from monkey_coder_server.dialects.anthropic_messages.history import fit_history
from monkey_coder_server.dialects.anthropic_messages.thinking import (
    Thought,
    is_in_a_loop_without_thought,
    plan_thinking,
)
from monkey_coder_server.dialects.anthropic_messages.traits import ModelTraits
from monkey_coder_server.dialects.anthropic_messages.unbillable import refuse_unbillable
from monkey_coder_server.dialects.wire import as_count, as_object, as_text, parse_json, write_json
from monkey_coder_server.domain.catalog import Capability, ModelCard
from monkey_coder_server.domain.conversation import Json, ModelRequest, Source

_SAMPLING = ("temperature", "top_p", "top_k")
_WHILE_THINKING = frozenset({"xhigh", "max"})
_GREATEST_AT_REST = "high"
_LEAST_TOP_P = 0.95
"""What may stand beside thinking (platform.claude.com, extended thinking, feature compatibility)."""

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Relayed:
    """A caller's body on its way. `changed` are the names of what the model does not take as it was asked."""

    def __init__(self, request: ModelRequest, source: Source, *, card: ModelCard, traits: ModelTraits) -> None:
        self.request = request
        self.card = card
        self.traits = traits
        self.fields = _fields.decode(source.body)
        self.changed: dict[str, None] = {}
        self.thought: Thought = plan_thinking(request, card=card, traits=traits)
        self.length = as_count(self.value("max_tokens"))
        """What the caller allows, before the route has its say."""
        self.planned = False
        """Whether thinking is asked for in our words instead of the caller's."""

    def value(self, name: str) -> Json:
        """A field, decoded; None when it is absent."""
        raw = self.fields.get(name)
        return None if raw is None else parse_json(bytes(raw))

    def put(self, name: str, value: Json) -> None:
        """Set a field."""
        self.fields[name] = msgspec.Raw(write_json(value))

    def drop(self, *names: str) -> None:
        """Leave fields out, and say so of those that were there."""
        for name in names:
            if self.fields.pop(name, None) is not None:
                self.changed[name] = None


def relay_body(request: ModelRequest, source: Source, *, card: ModelCard, traits: ModelTraits, stream: bool) -> Relayed:
    """The body for this model. Raises `InvalidRequest` for what cannot be billed, and for tools it cannot force."""
    refuse_unbillable(request)
    relayed = Relayed(request, source, card=card, traits=traits)
    relayed.put("model", card.model)
    if relayed.length != relayed.thought.max_tokens:
        relayed.put("max_tokens", relayed.thought.max_tokens)
    if (relayed.value("stream") is True) != stream:
        relayed.put("stream", stream)
    _fit_thinking(relayed)
    _fit_effort(relayed)
    _fit_sampling(relayed)
    fit_history(relayed.fields, relayed.changed, request, traits)
    return relayed


def merged_betas(given: str | None, ours: Sequence[str]) -> str | None:
    """The caller's `anthropic-beta` list with what the gateway adds."""
    named = [beta.strip() for beta in (given or "").split(",")]
    return ",".join(dict.fromkeys(beta for beta in (*named, *ours) if beta)) or None


def _fit_thinking(relayed: Relayed) -> None:
    """Leave the caller's `thinking` if this model takes it now, else say it in the model's own terms."""
    thinking = as_object(relayed.value("thinking"))
    kind = as_text(thinking.get("type"))
    if _is_taken(relayed, kind, as_count(thinking.get("budget_tokens"))):
        return
    relayed.planned = True
    planned = relayed.thought.fields.get("thinking")
    relayed.drop("thinking")
    if planned is not None:
        relayed.put("thinking", planned)
    effort = as_object(relayed.thought.fields.get("output_config")).get("effort")
    config = as_object(relayed.value("output_config"))
    if effort is not None and config.get("effort") is None:
        relayed.put("output_config", config | {"effort": effort})


def _is_taken(relayed: Relayed, kind: str | None, budget: int | None) -> bool:
    """Whether the model takes this kind of thinking in this request; a kind nobody knows is Anthropic's to judge.

    A forced tool call excludes a budget, but not adaptive thinking (recorded of Claude Opus 4.6).
    """
    traits = relayed.traits
    match kind:
        case "disabled" | "between_tools":
            return kind == traits.off
        case "adaptive" | "enabled" if Capability.REASONING not in relayed.card.capabilities:
            return False
        case "adaptive":
            return traits.thinking == "adaptive"
        case "enabled":
            takes_budgets = traits.thinking == "budget" or traits.budgets
            return takes_budgets and not relayed.thought.forced and _budget_fits(relayed, budget)
        case _:
            return True


def _budget_fits(relayed: Relayed, budget: int | None) -> bool:
    """Whether it leaves room for the answer; a budget above the caller's own length is meant (interleaved thinking)."""
    room = relayed.thought.max_tokens
    squeezed = budget is not None and relayed.length is not None and room <= budget < relayed.length
    return not squeezed and not is_in_a_loop_without_thought(relayed.request.messages, relayed.card.provider)


def _fit_effort(relayed: Relayed) -> None:
    """An effort the model does not know becomes the nearest it knows; a word nobody knows is Anthropic's to judge.

    A model that thinks by default takes the two greatest only while it thinks (what's new in Claude Opus 5).
    """
    config = as_object(relayed.value("output_config"))
    wanted, traits = as_text(config.get("effort")), relayed.traits
    if wanted is None:
        return
    resting = traits.thinks_by_default and as_object(relayed.value("thinking")).get("type") == "disabled"
    effort = traits.effort(_GREATEST_AT_REST if resting and wanted in _WHILE_THINKING else wanted)
    if effort == wanted or (effort is None and traits.efforts):
        return
    relayed.changed["output_config.effort"] = None
    fitted = {name: value for name, value in config.items() if name != "effort"}
    if effort is not None:
        fitted["effort"] = effort
    if fitted:
        relayed.put("output_config", fitted)
    else:
        del relayed.fields["output_config"]


def _fit_sampling(relayed: Relayed) -> None:
    """Leave out what the model refuses: any sampling where it is fixed, most of it beside thinking."""
    if relayed.card.fixed_temperature:
        relayed.drop(*_SAMPLING)
        return
    temperature, top_p = relayed.value("temperature"), relayed.value("top_p")
    if as_object(relayed.value("thinking")).get("type") in {"adaptive", "enabled"}:
        relayed.drop("top_k")
        if temperature != 1:
            relayed.drop("temperature")
        if not isinstance(top_p, int | float) or top_p < _LEAST_TOP_P:
            relayed.drop("top_p")
    elif temperature is not None:
        relayed.drop("top_p")
