"""Which rates count for a caller: all of them together, each under a subject of its own."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monkey_coder_server.domain.limits import Holder, HolderKind
from monkey_coder_server.domain.rates import (
    SOURCE_OF,
    Caller,
    HouseRates,
    Measure,
    RateRule,
    SetRate,
    Source,
    bounds,
)

MODELS = ("openai/gpt-5", "xai/grok-4")
USUAL = SetRate(Measure.REQUESTS, 600, "RATE_LIMIT_PER_MINUTE")
HOUSE = HouseRates(
    key=USUAL,
    gateway=(SetRate(Measure.CONCURRENCY, 1_000, "RATE_LIMIT_GATEWAY_CONCURRENCY"),),
    address=(SetRate(Measure.REQUESTS, 50, "RATE_LIMIT_ADDRESS_REQUESTS"),),
)
CALLER = Caller("acc_1", "key_1", "web", "team_1", address="192.0.2.7")
HOLDER = st.sampled_from([*CALLER.holders, Holder(HolderKind.PROJECT, "other"), Holder(HolderKind.KEY, "key_2")])
RULE = st.builds(
    RateRule,
    holder=HOLDER,
    measure=st.sampled_from(Measure),
    allowed=st.integers(0, 10**6),
    model=st.sampled_from(["", *MODELS]),
)
ASKED = st.lists(st.sampled_from(MODELS), unique=True)


@settings(max_examples=60)
@given(st.lists(RULE, max_size=8), RULE, ASKED, st.none() | st.integers(1, 10**6))
def test_another_rule_never_allows_more(
    rules: list[RateRule], more: RateRule, models: list[str], own: int | None
) -> None:
    caller = CALLER._replace(rate=own)
    before, after = (
        {bound.subject: bound.allowed for bound in bounds(caller, held, HOUSE, models)}
        for held in (rules, [*rules, more])
    )
    assert before.keys() <= after.keys()
    assert all(after[subject] <= allowed for subject, allowed in before.items())


@settings(max_examples=60)
@given(st.lists(RULE, max_size=8), ASKED)
def test_each_bound_is_counted_under_a_subject_of_its_own(rules: list[RateRule], models: list[str]) -> None:
    found = bounds(CALLER, rules, HOUSE, models)
    told = {(bound.holder, bound.holder_id, bound.measure, bound.model) for bound in found}
    assert len({bound.subject for bound in found}) == len(found) == len(told)


@settings(max_examples=60)
@given(st.lists(RULE, max_size=8), ASKED)
def test_a_rule_of_somebody_else_or_on_another_model_does_not_count(rules: list[RateRule], models: list[str]) -> None:
    for bound in bounds(CALLER, rules, HOUSE, models):
        assert bound.holder_id not in {"other", "key_2"}
        assert not bound.model or bound.model in models


def test_a_key_that_names_no_rate_has_the_settings() -> None:
    [usual] = bounds(Caller("acc_1", "key_1"), (), HouseRates(USUAL))
    assert (usual.allowed, usual.source, usual.setting) == (600, Source.SETTING, "RATE_LIMIT_PER_MINUTE")
    [own] = bounds(Caller("acc_1", "key_1", rate=5_000), (), HouseRates(USUAL))
    assert (own.allowed, own.source, own.setting) == (5_000, Source.KEY, "")
    assert own.subject == usual.subject


def test_bounds_stand_from_the_widest_to_the_narrowest_and_say_whose_they_are() -> None:
    rules = [RateRule(holder, Measure.TOKENS, 1_000) for holder in reversed(CALLER.holders)]
    rules.append(RateRule(Holder(HolderKind.TEAM, "team_1"), Measure.CONCURRENCY, 4, MODELS[0]))
    found = bounds(CALLER, rules, HOUSE, MODELS)
    assert [(bound.name, bound.source.value) for bound in found] == [
        ("gateway_concurrency", "setting"),
        ("address_requests", "setting"),
        ("account_tokens", "operator"),
        ("organization_tokens", "organization"),
        ("team_tokens", "team"),
        ("model_concurrency", "team"),
        ("project_tokens", "project"),
        ("key_tokens", "key"),
        ("key_requests", "setting"),
    ]
    assert [bound.told for bound in found] == [
        "1000 requests at once of the whole gateway",
        "50 requests a minute of this network address",
        "1000 tokens a minute of this account",
        "1000 tokens a minute of this organization",
        "1000 tokens a minute of the team team_1",
        "4 requests at once of the team team_1 for the model openai/gpt-5",
        "1000 tokens a minute of the project web",
        "1000 tokens a minute of this API key",
        "600 requests a minute of this API key",
    ]


def test_projects_of_one_name_in_two_accounts_are_counted_apart() -> None:
    rule = RateRule(Holder(HolderKind.PROJECT, "web"), Measure.REQUESTS, 10)
    mine, theirs = (bounds(Caller(account, "key_1", "web"), [rule], HOUSE)[1] for account in ("acc_1", "acc_2"))
    assert mine.subject != theirs.subject


def test_a_caller_without_an_address_is_not_counted_by_one() -> None:
    assert "address" not in {bound.holder for bound in bounds(CALLER._replace(address=""), (), HOUSE)}


@pytest.mark.parametrize("kind", HolderKind)
def test_every_kind_of_holder_has_a_source(kind: HolderKind) -> None:
    assert SOURCE_OF[kind]
