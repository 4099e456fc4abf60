"""How each generation of Claude models is asked to think."""

from typing import Any

import pytest

from monkey_coder_server.domain.conversation import ModelRequest, Reasoning, Sampling, Thinking, ToolCall, ToolChoice
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.providers.anthropic import PROVIDER
from packages.server.tests.dialects import conversations
from packages.server.tests.dialects.conversations import WEATHER, assistant, result, user


def asked(model: str, reasoning: Reasoning | None, max_tokens: int | None = None) -> dict[str, Any]:
    request = ModelRequest((user("?"),), reasoning=reasoning, sampling=Sampling(max_tokens=max_tokens, temperature=0.5))
    sent = conversations.body(PROVIDER, model, request)
    return {name: sent[name] for name in ("thinking", "output_config", "temperature") if name in sent}


def enabled(budget: int) -> dict[str, Any]:
    return {"thinking": {"type": "enabled", "budget_tokens": budget}}


def adaptive(effort: str | None, display: str = "summarized") -> dict[str, Any]:
    thinking: dict[str, Any] = {"thinking": {"type": "adaptive", "display": display}}
    return thinking if effort is None else {**thinking, "output_config": {"effort": effort}}


COOL = {"temperature": 0.5}


@pytest.mark.parametrize(
    ("model", "reasoning", "max_tokens", "expected"),
    [
        ("claude-haiku-4-5", None, None, COOL),
        ("claude-haiku-4-5", Reasoning(effort="high"), None, enabled(16_384)),
        ("claude-haiku-4-5", Reasoning(effort="high"), 8_000, enabled(4_000)),
        ("claude-haiku-4-5", Reasoning(budget_tokens=5_000), None, enabled(5_000)),
        ("claude-haiku-4-5", Reasoning(budget_tokens=5_000), 3_000, enabled(2_999)),
        ("claude-haiku-4-5", Reasoning(budget_tokens=10), None, enabled(1_024)),
        ("claude-haiku-4-5", Reasoning(budget_tokens=5_000), 500, COOL),
        ("claude-haiku-4-5", Reasoning(enabled=False), None, {"thinking": {"type": "disabled"}, **COOL}),
        ("claude-sonnet-4-6", Reasoning(effort="xhigh"), None, adaptive("high")),
        ("claude-sonnet-4-6", Reasoning(effort="max"), None, adaptive("max")),
        ("claude-sonnet-5-5", Reasoning(effort="minimal"), None, adaptive("low")),
        ("claude-opus-5-5", Reasoning(), None, adaptive(None)),
        ("claude-opus-5-5", Reasoning(effort="unheard-of"), None, adaptive(None)),
        ("claude-opus-5-5", Reasoning(budget_tokens=4_000), None, adaptive("medium")),
        ("claude-opus-5-5", Reasoning(budget_tokens=90_000), None, adaptive("max")),
        ("claude-opus-5-5", Reasoning(include_text=False), None, adaptive(None, "omitted")),
        ("claude-opus-5-5", Reasoning(effort="none"), None, {"output_config": {"effort": "low"}}),
        ("claude-opus-5", Reasoning(enabled=False), None, {"thinking": {"type": "disabled"}}),
        ("claude-sonnet-5-5", Reasoning(enabled=False), None, {"thinking": {"type": "between_tools"}}),
    ],
)
def test_reasoning(model: str, reasoning: Reasoning | None, max_tokens: int | None, expected: dict[str, Any]) -> None:
    assert asked(model, reasoning, max_tokens) == expected


def forced(model: str) -> dict[str, Any]:
    request = ModelRequest(
        (user("?"),), tools=(WEATHER,), tool_choice=ToolChoice("required"), reasoning=Reasoning(effort="high")
    )
    return conversations.body(PROVIDER, model, request)


@pytest.mark.parametrize("model", ["claude-haiku-4-5", "claude-opus-5", "claude-sonnet-4-6"])
def test_a_forced_tool_call_turns_thinking_off(model: str) -> None:
    assert forced(model)["thinking"] == {"type": "disabled"}
    assert forced(model)["tool_choice"] == {"type": "any"}


@pytest.mark.parametrize("model", ["claude-opus-5-5", "claude-sonnet-5-5", "claude-fable-5-1"])
def test_a_model_that_cannot_be_forced_says_so(model: str) -> None:
    with pytest.raises(InvalidRequest, match="cannot be forced"):
        forced(model)


def test_thinking_between_tools_needs_a_beta_on_models_with_a_budget() -> None:
    request = ModelRequest((user("?"),), tools=(WEATHER,), reasoning=Reasoning(effort="low"))
    old, new = (
        PROVIDER.dialect.encode(request, card=conversations.card(PROVIDER, model), key="k", stream=False).headers
        for model in ("claude-haiku-4-5", "claude-opus-5-5")
    )
    assert old["anthropic-beta"] == "interleaved-thinking-2025-05-14"
    assert "anthropic-beta" not in new


@pytest.mark.parametrize(
    ("model", "thought", "thinks"),
    [
        ("claude-haiku-4-5", None, False),
        ("claude-haiku-4-5", Thinking("Hm", "s", origin="google"), False),
        ("claude-haiku-4-5", Thinking("Hm", "s", origin="anthropic"), True),
        ("claude-opus-5-5", None, True),
    ],
)
def test_a_tool_loop_begun_without_thinking_goes_on_without_it(
    model: str, thought: Thinking | None, thinks: bool
) -> None:
    call = ToolCall("c", "get_weather", "{}")
    loop = (user("?"), assistant(*([thought] if thought else []), call), result("c", "rain"))
    request = ModelRequest(loop, tools=(WEATHER,), reasoning=Reasoning(effort="low"))
    assert ("thinking" in conversations.body(PROVIDER, model, request)) is thinks
    asked_anew = ModelRequest(
        (*loop, assistant("Rain."), user("And now?")), tools=(WEATHER,), reasoning=Reasoning(effort="low")
    )
    assert "thinking" in conversations.body(PROVIDER, model, asked_anew)
