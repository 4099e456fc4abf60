"""A plan is deterministic, honest about its numbers, and never offers what cannot serve."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monkey_coder_server.domain.catalog import Capability, Catalog, Mode, ModelCard, Selection
from monkey_coder_server.domain.limits import Holder, HolderKind
from monkey_coder_server.domain.model_rules import RulePart, Ruling
from monkey_coder_server.domain.pricing import PriceRow, Rates, price
from monkey_coder_server.domain.routing import (
    CandidateState,
    Exclusion,
    Learned,
    Plan,
    RouteRequest,
    plan,
)
from monkey_coder_server.domain.routing_explained import explained
from monkey_coder_server.domain.usage import Usage
from monkey_coder_server.domain.weights import BALANCED, Weighers, Weights

USD = 1_000_000_000
RULED_OUT = Ruling(Holder(HolderKind.TEAM, "t"), RulePart.DENY, "a rule of the team t denies it")
TOOLS = frozenset({Capability.TOOLS})


def card(provider: str, model: str, tier: int = 2, **more: Any) -> ModelCard:
    facts: dict[str, Any] = {"context_window": 100_000, "max_output_tokens": 8_000, "capabilities": TOOLS}
    return ModelCard(provider=provider, model=model, display_name=model, tier=tier, **(facts | more))


def state(of: ModelCard, usd_output: float = 10, **more: Any) -> CandidateState:
    rate = int(usd_output * USD)
    row = PriceRow(provider=of.provider, model=of.model, rates=Rates.of(input=rate // 4, output=rate))
    facts: dict[str, Any] = {"card": of, "row": row}
    return CandidateState(**(facts | more))


BIG = state(card("openai", "big", 1), 20)
MIDDLE = state(card("openai", "middle", 2), 4)
OTHER = state(card("anthropic", "other", 1, aliases=("other-latest",)), 18)
SMALL = state(card("groq", "small", 3), 0.1)
ALL = [BIG, MIDDLE, OTHER, SMALL]
CATALOG = Catalog([each.card for each in ALL])


def ask(name: str = "auto", **more: Any) -> RouteRequest:
    facts: dict[str, Any] = {"selection": CATALOG.resolve(name), "task_type": "code_generation", "input_tokens": 1_000}
    return RouteRequest(**(facts | more))


def names(made: Plan) -> list[str]:
    return [each.name for each in made.candidates]


def why(made: Plan) -> dict[str, Exclusion]:
    return {each.name: each.why for each in made.excluded}


def test_modes_choose_as_their_names_say() -> None:
    assert names(plan(ask("auto:cheap"), ALL))[0] == "groq/small"
    assert names(plan(ask("auto:fast"), ALL))[0] == "groq/small"
    assert names(plan(ask("auto:best"), ALL))[0] == "openai/big"
    assert plan(ask("auto:best"), ALL).mode is Mode.BEST


def test_persona_weights_decide_where_no_mode_was_asked_for() -> None:
    assert names(plan(ask(weighers=Weighers(Weights(100, 0, 0))), ALL))[0] == "openai/big"
    assert names(plan(ask(weighers=Weighers(Weights(0, 100, 0))), ALL))[0] == "groq/small"


def test_the_second_candidate_is_of_another_provider_when_it_is_nearly_as_good() -> None:
    twin = state(card("openai", "twin", 1), 20)
    near = state(card("anthropic", "near", 2), 18)
    selection = Selection("auto", Mode.BEST, (BIG.card, twin.card, near.card))
    made = plan(ask(selection=selection), [BIG, twin, near])
    assert names(made) == ["openai/big", "anthropic/near", "openai/twin"]
    first, second, third = (each.terms.utility for each in made.candidates)
    assert first > third > second


def test_a_much_worse_provider_is_not_preferred_for_variety() -> None:
    bad = state(card("groq", "bad", 3), 20, error_rate=0.9)
    selection = Selection("auto", Mode.BEST, (BIG.card, MIDDLE.card, bad.card))
    assert names(plan(ask(selection=selection), [BIG, MIDDLE, bad]))[1] == "openai/middle"


def test_many_candidates_are_all_in_the_plan_once() -> None:
    many = [state(card("p", f"m{number:02d}", 1 + number % 3), 1 + number) for number in range(20)]
    selection = Selection("auto", Mode.BALANCED, tuple(each.card for each in many))
    made = plan(ask(selection=selection), many)
    assert sorted(names(made)) == sorted(each.card.name for each in many)
    utilities = [each.terms.utility for each in made.candidates]
    assert all(one >= other for one, other in pairwise(utilities))


def test_a_pinned_model_is_the_only_candidate_whatever_is_preferred() -> None:
    made = plan(ask("anthropic/other", providers=("groq",), models={"anthropic": "another"}), ALL)
    assert names(made) == ["anthropic/other"]
    assert made.excluded == ()


@pytest.mark.parametrize(
    ("changed", "request_facts", "exclusion", "words"),
    [
        (
            BIG._replace(ruling=RULED_OUT),
            {},
            Exclusion.NOT_ALLOWED,
            "may not use openai/big: a rule of the team t denies",
        ),
        (BIG._replace(usable=False), {}, Exclusion.NO_KEY, "no key for openai"),
        (BIG._replace(row=None, price_problem="it is new"), {}, Exclusion.NO_PRICE, "cannot be billed: it is new"),
        (BIG, {"required": frozenset({Capability.VISION})}, Exclusion.MISSING_CAPABILITY, "cannot do vision"),
        (BIG, {"input_tokens": 100_000}, Exclusion.CONTEXT_TOO_LONG, "takes 100000"),
        (BIG, {"providers": ("groq",)}, Exclusion.NOT_PREFERRED, "prefers other"),
        (BIG, {"models": {"openai": "middle"}}, Exclusion.NOT_PREFERRED, "prefers other"),
    ],
)
def test_what_cannot_serve_is_left_out_with_the_reason(
    changed: CandidateState, request_facts: dict[str, Any], exclusion: Exclusion, words: str
) -> None:
    made = plan(ask(**request_facts), [changed])
    assert made.candidates == ()
    assert why(made) == {"openai/big": exclusion}
    assert words in made.excluded[0].reason


def test_preferences_keep_to_providers_and_put_named_models_first() -> None:
    assert set(names(plan(ask(providers=("openai", "groq")), ALL))) == {"openai/big", "openai/middle", "groq/small"}
    made = plan(ask("auto:cheap", models={"anthropic": "OTHER-latest"}), ALL)
    assert names(made)[0] == "anthropic/other"
    assert made.candidates[0].preferred
    assert "groq/small" in names(made)


def test_an_unhealthy_model_is_tried_last_but_tried() -> None:
    made = plan(ask("auto:best"), [BIG._replace(healthy=False), MIDDLE, OTHER, SMALL])
    assert names(made)[-1] == "openai/big"
    assert names(plan(ask("openai/big"), [BIG._replace(healthy=False)])) == ["openai/big"]


def quickly(state: CandidateState, ms: float) -> CandidateState:
    """A model whose whole answers take about so long, whatever their length."""
    return state._replace(first_byte_ms=ms, tokens_per_second=1e9)


def test_one_quick_answer_of_a_dear_model_does_not_make_it_everybodys_choice() -> None:
    before = names(plan(ask(), ALL))
    quick = [quickly(each, 3.0) if each is BIG else each for each in ALL]
    assert names(plan(ask(), quick))[0] == before[0] != "openai/big"
    assert all(each.expected.latency_ms < 100 for each in plan(ask(), quick).candidates)


def test_milliseconds_nobody_notices_decide_nothing() -> None:
    jitter = [quickly(each, ms) for each, ms in zip(ALL, (2.0, 400.0, 5.0, 90.0), strict=True)]
    assert {each.terms.latency for each in plan(ask(), jitter).candidates} == {1.0}


def test_a_slow_answer_is_held_against_the_slow_model_alone() -> None:
    slow = [quickly(each, 600_000.0) if each is SMALL else each for each in ALL]
    made = {each.name: each.expected.latency_ms for each in plan(ask(), slow).candidates}
    assumed = {each.name: each.expected.latency_ms for each in plan(ask(), ALL).candidates}
    assert made == {**assumed, "groq/small": pytest.approx(600_000.0, rel=1e-3)}


def test_measured_latency_takes_the_place_of_the_assumed() -> None:
    def latency(**measured: float) -> tuple[float, bool]:
        expected = plan(ask("openai/big"), [BIG._replace(**measured)]).candidates[0].expected  # type: ignore[arg-type] # latencies only
        return expected.latency_ms, expected.measured

    assert latency() == (1_500 + 1_500 / 60 * 1_000, False)
    assert latency(first_byte_ms=200.0, tokens_per_second=100.0) == (200 + 15_000, True)
    assert latency(tokens_per_second=100.0) == (1_500 + 15_000, True)
    assert latency(first_byte_ms=100.0) == (100 + 25_000, True)


def test_a_longer_answer_is_expected_to_take_longer() -> None:
    measured = BIG._replace(first_byte_ms=300.0, tokens_per_second=50.0)
    short, long = (
        plan(ask("openai/big"), [measured._replace(usual_output=tokens)]).candidates[0].expected
        for tokens in (10, 2_000)
    )
    assert (short.latency_ms, long.latency_ms) == (500.0, 40_300.0)


def test_errors_and_learned_outcomes_change_what_is_expected() -> None:
    def expected(**more: Any) -> Any:
        return plan(ask("openai/big"), [BIG._replace(**more)]).candidates[0].expected

    assert expected(error_rate=0.5).success == pytest.approx(expected().success / 2)
    assert expected(error_rate=7.0).success == 0
    learned = expected(learned=Learned(success=0.4), usual_output=10)
    assert (learned.success, learned.output_tokens, learned.learned) == (0.4, 10, True)
    assert not expected().learned


def test_the_expected_cost_is_the_price_book_s_in_nano_dollars() -> None:
    assert BIG.row is not None
    made = plan(ask("openai/big"), [BIG._replace(markup_basis_points=1_500)])
    expected = made.candidates[0].expected
    assert expected.cost == price(BIG.row, Usage(uncached_input=1_000, output=expected.output_tokens), 1_500)


def test_only_selected_models_are_considered() -> None:
    assert plan(ask("openai/big"), [MIDDLE, SMALL]) == Plan(Mode.PINNED, BALANCED, (), ())


def test_the_explanation_holds_the_numbers_of_the_decision() -> None:
    made = plan(ask("auto:best"), [*ALL, MIDDLE._replace(ruling=RULED_OUT)])
    told = json.loads(json.dumps(explained(made)))
    first = made.candidates[0]
    assert told["chosen"] == first.name == first.card.name
    assert told["mode"] == "best"
    assert sum(told["weights"].values()) == 100
    entry = told["candidates"][0]
    assert entry["utility"] == round(first.terms.utility, 4)
    assert entry["success"] == round(first.expected.success, 4)
    assert entry["expected_latency_ms"] == round(first.expected.latency_ms)
    assert entry["expected_cost_usd"].startswith("0.0")
    assert {"model", "why", "reason"} == told["excluded"][0].keys()
    assert explained(Plan(Mode.BEST, made.weights, (), ()))["chosen"] is None


STATES = st.lists(
    st.builds(
        lambda number, tier, dollars, flags, error: state(
            card(f"p{number % 4}", f"m{number}", tier),
            dollars,
            healthy=flags[0],
            ruling=None if flags[1] else RULED_OUT,
            usable=flags[2],
            error_rate=error,
        ),
        st.integers(0, 30),
        st.integers(1, 3),
        st.floats(0.01, 100),
        st.tuples(st.booleans(), st.booleans(), st.booleans()),
        st.floats(0, 1),
    ),
    max_size=15,
    unique_by=lambda each: each.card.name,
)


@given(STATES, st.sampled_from([Mode.BALANCED, Mode.CHEAP, Mode.FAST, Mode.BEST]), st.randoms(use_true_random=False))
@settings(max_examples=80)
def test_a_plan_is_complete_ordered_and_the_same_in_any_order_of_asking(
    states: list[CandidateState], mode: Mode, random: Any
) -> None:
    request = ask(selection=Selection("auto", mode, tuple(each.card for each in states)))
    made = plan(request, states)
    assert sorted([*names(made), *why(made)]) == sorted(each.card.name for each in states)
    shuffled = list(states)
    random.shuffle(shuffled)
    assert names(plan(request, shuffled)) == names(made)
    for ranked in made.candidates:
        assert ranked.state.ruling is None
        assert ranked.state.usable
        for term in (ranked.terms.quality, ranked.terms.cost, ranked.terms.latency, ranked.terms.utility):
            assert 0 <= term <= 1 + 1e-9
    health = [ranked.state.healthy for ranked in made.candidates]
    assert health == sorted(health, reverse=True)
