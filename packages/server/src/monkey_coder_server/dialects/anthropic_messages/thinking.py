"""Decides how a request asks for thinking, and what follows from it for the answer's length."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from monkey_coder_server.dialects.anthropic_messages.content import Block
from monkey_coder_server.dialects.anthropic_messages.traits import ModelTraits
from monkey_coder_server.domain.catalog import Capability, ModelCard
from monkey_coder_server.domain.conversation import (
    Message,
    ModelRequest,
    Reasoning,
    Role,
    Thinking,
    ToolCall,
)
from monkey_coder_server.domain.errors import InvalidRequest

LEAST_BUDGET = 1024
"""The smallest `budget_tokens` the API takes."""

_BUDGET_OF_EFFORT = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 32768, "max": 65536}
_EFFORT_OF_BUDGET = ((2048, "low"), (8192, "medium"), (32768, "high"))


@dataclass(frozen=True, slots=True)
class Thought:
    """`fields` go into the body; `active` when thinking is asked for, so that sampling must be left alone.

    `forced` when a tool must be called, which excludes thinking.
    """

    max_tokens: int
    active: bool = False
    forced: bool = False
    fields: Block = field(default_factory=dict)


def plan_thinking(request: ModelRequest, *, card: ModelCard, traits: ModelTraits) -> Thought:
    """Turn `Reasoning` into this model's terms.

    A forced tool call excludes thinking; so does, for a model with a budget, a tool loop begun without it.
    """
    wanted = request.sampling.max_tokens
    max_tokens = card.max_output_tokens if wanted is None else min(wanted, card.max_output_tokens)
    reasoning = request.reasoning
    if _forces_a_tool(request):
        if not traits.forced_tools:
            sentence = f"{card.display_name} cannot be forced to call a tool; use tool_choice auto or another model."
            raise InvalidRequest(sentence)
        return Thought(max_tokens, forced=True, fields=_off(traits) if traits.thinks_by_default or reasoning else {})
    if reasoning is None or Capability.REASONING not in card.capabilities:
        return Thought(max_tokens, active=traits.thinks_by_default)
    if not reasoning.enabled or reasoning.effort == "none":
        return Thought(max_tokens, active=traits.off is None, fields=_off(traits))
    if traits.thinking == "adaptive":
        return Thought(max_tokens, active=True, fields=_adaptive(reasoning, traits))
    budget = _budget(reasoning, max_tokens)
    if budget < LEAST_BUDGET or is_in_a_loop_without_thought(request.messages, card.provider):
        return Thought(max_tokens)
    return Thought(max_tokens, active=True, fields={"thinking": {"type": "enabled", "budget_tokens": budget}})


def is_in_a_loop_without_thought(messages: Sequence[Message], provider: str) -> bool:
    """Whether the last answer called tools and shows no thinking of this provider, as after a move from another."""
    last = next((message for message in reversed(messages) if message.role is Role.ASSISTANT), None)
    if last is None or not any(isinstance(part, ToolCall) for part in last.parts):
        return False
    return not any(isinstance(part, Thinking) and part.origin == provider for part in last.parts)


def _forces_a_tool(request: ModelRequest) -> bool:
    choice = request.tool_choice
    return choice is not None and bool(request.tools) and choice.mode in {"required", "named"}


def _off(traits: ModelTraits) -> Block:
    """Thinking turned off or, where that is refused, down to the lowest effort."""
    if traits.off is not None:
        return {"thinking": {"type": traits.off}}
    return {"output_config": {"effort": traits.efforts[0]}} if traits.efforts else {}


def _adaptive(reasoning: Reasoning, traits: ModelTraits) -> Block:
    fields: Block = {"thinking": {"type": "adaptive", "display": "summarized" if reasoning.include_text else "omitted"}}
    wanted = reasoning.effort
    if wanted is None and reasoning.budget_tokens is not None:
        budget = reasoning.budget_tokens
        wanted = next((effort for bound, effort in _EFFORT_OF_BUDGET if budget <= bound), "max")
    if wanted is not None and (effort := traits.effort(wanted)):
        fields["output_config"] = {"effort": effort}
    return fields


def _budget(reasoning: Reasoning, max_tokens: int) -> int:
    """Tokens for thinking; they count towards `max_tokens`, so room for the answer must be left."""
    if reasoning.budget_tokens is not None:
        return min(max(reasoning.budget_tokens, LEAST_BUDGET), max_tokens - 1)
    return min(_BUDGET_OF_EFFORT.get(reasoning.effort or "medium", 8192), max_tokens // 2)
