"""Rules on models: the narrowest of all of them counts."""

from typing import Any

import pytest

from monkey_coder_server.domain.limits import Holder, HolderKind
from monkey_coder_server.domain.model_rules import ModelRule, access_of, collapse_of

TEAM, KEY = Holder(HolderKind.TEAM, "team_1"), Holder(HolderKind.KEY, "key_1")


@pytest.mark.parametrize(
    ("rule", "permitted"),
    [
        (ModelRule(TEAM), True),
        (ModelRule(TEAM, allow=("openai/gpt-5",)), True),
        (ModelRule(TEAM, allow=("gpt-5",)), True),
        (ModelRule(TEAM, allow=("openai/*",)), True),
        (ModelRule(TEAM, allow=("xai/*", "openai/gpt-4")), False),
        (ModelRule(TEAM, allow=()), False),
        (ModelRule(TEAM, deny=("openai/*",)), False),
        (ModelRule(TEAM, deny=("gpt-5",)), False),
        (ModelRule(TEAM, allow=("openai/*",), deny=("openai/gpt-5",)), False),
        (ModelRule(TEAM, deny=("xai/*", "openai/gpt-4")), True),
    ],
)
def test_a_rule_allows_what_it_names_and_does_not_deny(rule: ModelRule, permitted: bool) -> None:
    assert rule.permits("openai", "gpt-5") is permitted


def test_every_rule_must_permit() -> None:
    access = access_of([ModelRule(TEAM, allow=("openai/*", "xai/*")), ModelRule(KEY, deny=("xai/grok-4",))])
    assert access is not None
    assert access.permits("openai", "gpt-5")
    assert not access.permits("xai", "grok-4")
    assert not access.permits("google", "gemini-3-pro")
    assert access_of([]) is None


def test_the_narrowest_that_tells_says_how_several_are_asked() -> None:
    told, silent = ModelRule(TEAM, collapse="vote"), ModelRule(KEY, deny=("xai/*",))
    assert collapse_of([told, silent]) == "vote"
    assert collapse_of([told, ModelRule(KEY, collapse="single")]) == "single"
    assert collapse_of([silent]) is None


@pytest.mark.parametrize("said", [{"allow": ()}, {"deny": ("x",)}, {"collapse": "vote"}])
def test_a_rule_that_says_nothing_is_empty(said: dict[str, Any]) -> None:
    assert ModelRule(TEAM).empty
    assert not ModelRule(TEAM, **said).empty
