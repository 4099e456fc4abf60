"""Rules on models: all of them count, and what is not known is not fulfilled."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monkey_coder_server.domain.catalog import Capability
from monkey_coder_server.domain.limits import Holder, HolderKind
from monkey_coder_server.domain.model_facts import DataPolicy, ModelFacts
from monkey_coder_server.domain.model_rules import ModelAccess, ModelRule, RulePart, access_of, collapse_of

TEAM, KEY = Holder(HolderKind.TEAM, "team_1"), Holder(HolderKind.KEY, "key_1")
USD = 1_000_000_000
GPT = ModelFacts(
    "openai",
    "gpt-5",
    2 * USD,
    10 * USD,
    frozenset({Capability.TOOLS, Capability.VISION}),
    frozenset({DataPolicy.NO_TRAINING}),
)
GROK, GEMINI = ModelFacts("xai", "grok-4"), ModelFacts("google", "gemini-3-pro")
NAMES = st.lists(st.sampled_from(["openai/*", "xai/*", "gpt-5", "openai/gpt-5", "grok-4"]), max_size=3).map(tuple)
PRICE = st.none() | st.integers(0, 20 * USD)
RULE = st.builds(
    ModelRule,
    holder=st.sampled_from([TEAM, KEY, Holder(HolderKind.ORGANIZATION, "acc_1")]),
    allow=st.none() | NAMES,
    deny=NAMES,
    input_ceiling=PRICE,
    output_ceiling=PRICE,
    capabilities=st.lists(st.sampled_from(Capability), max_size=2).map(tuple),
    policies=st.lists(st.sampled_from(DataPolicy), max_size=2).map(tuple),
)
FACTS = st.builds(
    ModelFacts,
    provider=st.sampled_from(["openai", "xai"]),
    model=st.sampled_from(["gpt-5", "grok-4"]),
    input_price=PRICE,
    output_price=PRICE,
    capabilities=st.frozensets(st.sampled_from(Capability)),
    policies=st.frozensets(st.sampled_from(DataPolicy)),
)


@settings(max_examples=60)
@given(st.lists(RULE, max_size=4), RULE, st.lists(FACTS, max_size=6))
def test_another_rule_never_lets_another_model(
    rules: list[ModelRule], more: ModelRule, models: list[ModelFacts]
) -> None:
    before, after = ModelAccess(tuple(rules)), ModelAccess((*rules, more))
    let = [facts for facts in models if before.excludes(facts) is None]
    assert [facts for facts in models if after.excludes(facts) is None] == [
        facts for facts in let if more.excludes(facts) is None
    ]


@settings(max_examples=60)
@given(RULE, FACTS)
def test_what_is_left_out_is_left_out_by_a_part_that_the_rule_has(rule: ModelRule, facts: ModelFacts) -> None:
    ruling = rule.excludes(facts)
    if ruling is None:
        return
    said = {
        RulePart.DENY: rule.deny,
        RulePart.ALLOW: rule.allow is not None,
        RulePart.INPUT_CEILING: rule.input_ceiling is not None,
        RulePart.OUTPUT_CEILING: rule.output_ceiling is not None,
        RulePart.CAPABILITIES: rule.capabilities,
        RulePart.DATA_POLICIES: rule.policies,
    }
    assert said[ruling.part]
    assert ruling.holder == rule.holder


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({}, ""),
        ({"allow": ("openai/gpt-5",)}, ""),
        ({"allow": ("gpt-5",)}, ""),
        ({"allow": ("openai/*",)}, ""),
        ({"allow": ("xai/*", "openai/gpt-4")}, "allows other models only"),
        ({"allow": ()}, "allows other models only"),
        ({"deny": ("openai/*",)}, "denies it"),
        ({"deny": ("gpt-5",)}, "denies it"),
        ({"allow": ("openai/*",), "deny": ("openai/gpt-5",)}, "denies it"),
        ({"deny": ("xai/*", "openai/gpt-4")}, ""),
        ({"input_ceiling": 2 * USD, "output_ceiling": 10 * USD}, ""),
        (
            {"input_ceiling": 2 * USD - 1},
            "allows 1.999999999 USD per million input tokens at most, and it costs up to 2.00",
        ),
        ({"output_ceiling": 0}, "allows 0.00 USD per million output tokens at most, and it costs up to 10.00"),
        ({"capabilities": (Capability.TOOLS,)}, ""),
        (
            {"capabilities": (Capability.TOOLS, Capability.REASONING)},
            "asks for models that can do tools, reasoning, and it is not known for reasoning",
        ),
        ({"policies": (DataPolicy.NO_TRAINING,)}, ""),
        (
            {"policies": (DataPolicy.ZERO_RETENTION,)},
            "asks for providers known for zero_retention, and it is not known for zero_retention",
        ),
    ],
)
def test_a_rule_lets_what_fulfils_all_of_it_and_says_what_does_not(rule: dict[str, Any], told: str) -> None:
    ruling = ModelRule(TEAM, **rule).excludes(GPT)
    assert ("" if ruling is None else ruling.told) == (told and f"a rule of the team team_1 {told}")


@pytest.mark.parametrize(
    "rule",
    [
        {"input_ceiling": 10**15},
        {"output_ceiling": 10**15},
        {"capabilities": (Capability.TOOLS,)},
        {"policies": (DataPolicy.NO_TRAINING,)},
    ],
)
def test_of_what_is_not_known_nothing_is_fulfilled(rule: dict[str, Any]) -> None:
    assert ModelRule(KEY, **rule).excludes(GROK) is not None


def test_every_rule_must_let_a_model_and_the_widest_that_does_not_is_named() -> None:
    access = access_of(
        [ModelRule(TEAM, allow=("openai/*", "xai/*")), ModelRule(KEY, deny=("xai/grok-4", "gemini-3-pro"))]
    )
    assert access is not None
    assert access.excludes(GPT) is None
    for facts, holder in ((GROK, KEY), (GEMINI, TEAM)):
        ruling = access.excludes(facts)
        assert ruling is not None
        assert ruling.holder == holder
    assert access_of([]) is None


def test_the_narrowest_that_tells_says_how_several_are_asked() -> None:
    told, silent = ModelRule(TEAM, collapse="vote"), ModelRule(KEY, deny=("xai/*",))
    assert collapse_of([told, silent]) == "vote"
    assert collapse_of([told, ModelRule(KEY, collapse="single")]) == "single"
    assert collapse_of([silent]) is None


@pytest.mark.parametrize(
    "said",
    [
        {"allow": ()},
        {"deny": ("x",)},
        {"collapse": "vote"},
        {"input_ceiling": 0},
        {"output_ceiling": 0},
        {"capabilities": (Capability.TOOLS,)},
        {"policies": (DataPolicy.NO_TRAINING,)},
    ],
)
def test_a_rule_that_says_nothing_is_empty(said: dict[str, Any]) -> None:
    assert ModelRule(TEAM).empty
    assert not ModelRule(TEAM, **said).empty
