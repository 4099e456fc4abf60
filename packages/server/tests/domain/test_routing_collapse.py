"""Each candidate is played as probably as it is believed to be the best, within limits."""

import pytest

from monkey_coder_server.domain.bandit.choice import PROVEN_ROWS
from monkey_coder_server.domain.catalog import Mode, Selection
from monkey_coder_server.domain.routing import CandidateState, Learned, Plan, plan
from monkey_coder_server.domain.routing_collapse import best_single, newcomer_shares, probabilities, usual
from monkey_coder_server.domain.weights import Weighers, Weights
from packages.server.tests.domain.test_routing import BIG, CATALOG, MIDDLE, OTHER, SMALL, ask

PROVEN = Learned(0.7, spread=0.1, seen=PROVEN_ROWS)


def ranked(*states: CandidateState, name: str = "auto") -> Plan:
    return plan(ask(name), states)


def known(state: CandidateState, success: float, *, spread: float = 0.1, seen: float = PROVEN_ROWS) -> CandidateState:
    return state._replace(learned=Learned(success, spread=spread, seen=seen))


@pytest.mark.parametrize("name", ["auto:best", "openai/big"])
def test_who_pins_or_wants_the_best_gets_the_best_ranked(name: str) -> None:
    made = ranked(*(each._replace(learned=PROVEN) for each in (BIG, MIDDLE, OTHER)), name=name)
    assert probabilities(made) == (1.0, *[0.0] * (len(made.candidates) - 1))


def test_a_single_candidate_is_certain() -> None:
    assert probabilities(ranked(BIG)) == (1.0,)


def test_the_better_is_played_more_often_and_all_sum_to_one() -> None:
    made = ranked(known(BIG, 0.8), known(MIDDLE, 0.7), known(OTHER, 0.8), known(SMALL, 0.2))
    shares = dict(zip((each.name for each in made.candidates), probabilities(made), strict=True))
    assert sum(shares.values()) == pytest.approx(1.0)
    utilities = {each.name: each.terms.utility for each in made.candidates}
    assert sorted(shares, key=shares.__getitem__) == sorted(utilities, key=utilities.__getitem__)


def test_without_doubt_there_is_nothing_to_try() -> None:
    made = ranked(known(BIG, 0.9, spread=0.0), known(MIDDLE, 0.5, spread=0.0))
    assert probabilities(made)[0] == pytest.approx(1.0)


def test_unproven_candidates_share_a_twentieth_but_the_best_ranked_is_always_played() -> None:
    made = ranked(*(known(each, 0.7, spread=0.5, seen=0.0) for each in (BIG, MIDDLE, OTHER, SMALL)))
    shares = probabilities(made)
    assert sum(shares[1:]) == pytest.approx(0.05)
    assert shares[0] == pytest.approx(0.95)


UNSEEN = {"spread": 0.2, "seen": 0.0}


def test_where_nobody_is_proven_the_best_ranked_is_played() -> None:
    made = ranked(*(known(each, 0.7, **UNSEEN) for each in (BIG, MIDDLE, OTHER)))
    assert usual(made) == 0
    assert newcomer_shares(made) == (1.0, 0.0, 0.0)


def test_a_newcomer_that_leads_gets_a_twentieth_and_the_best_proven_the_rest() -> None:
    made = ranked(known(MIDDLE, 0.8, **UNSEEN), known(BIG, 0.7), known(OTHER, 0.75))
    assert [each.name for each in made.candidates] == ["openai/middle", "anthropic/other", "openai/big"]
    assert usual(made) == 1
    assert newcomer_shares(made) == pytest.approx((0.05, 0.95, 0.0))
    assert probabilities(made)[0] <= 0.05


def test_the_best_proven_is_that_of_most_utility_wherever_variety_put_it() -> None:
    states = (known(BIG, 0.9, **UNSEEN), known(MIDDLE, 0.72), known(OTHER, 0.75))
    made = plan(ask(weighers=Weighers(Weights(100, 0, 0))), states)
    best = max(made.candidates[1:], key=lambda each: each.terms.utility)
    assert made.candidates[usual(made)] is best


def test_a_proven_leader_leads() -> None:
    assert usual(ranked(known(MIDDLE, 0.8), known(BIG, 0.7))) == 0


def test_who_would_lead_though_overrated_needs_no_proof() -> None:
    bad, good = known(MIDDLE, 0.8, **UNSEEN), known(BIG, 0.2)
    assert usual(ranked(bad, good)) == 0
    cheap = ranked(known(SMALL, 0.5, **UNSEEN), known(BIG, 0.7), name="auto:cheap")
    assert (cheap.candidates[0].name, usual(cheap)) == ("groq/small", 0)


def test_the_best_is_proven_where_it_is_about_as_good_and_nothing_is_tried() -> None:
    made = ranked(known(BIG, 0.8, **UNSEEN), known(OTHER, 0.75), name="auto:best")
    assert usual(made) == 1
    assert newcomer_shares(made) == (0.0, 1.0)
    assert usual(ranked(known(BIG, 0.8, **UNSEEN), known(OTHER, 0.6), name="auto:best")) == 0


def test_a_pinned_model_is_no_newcomer() -> None:
    selection = Selection("twice", Mode.PINNED, tuple(CATALOG.cards))
    made = plan(ask(selection=selection), [known(MIDDLE, 0.8, **UNSEEN), known(BIG, 0.75)])
    assert made.candidates[0].name == "openai/middle"
    assert usual(made) == 0


def test_what_fails_or_is_less_wanted_takes_no_newcomers_place() -> None:
    assert usual(ranked(known(MIDDLE, 0.8, **UNSEEN), known(BIG, 0.75)._replace(healthy=False))) == 0
    wanted = plan(ask(models={"openai": "middle"}), [known(MIDDLE, 0.8, **UNSEEN), known(OTHER, 0.8)])
    assert wanted.candidates[0].preferred
    assert usual(wanted) == 0


def test_what_fails_now_is_not_tried() -> None:
    made = ranked(known(BIG, 0.7), known(MIDDLE, 0.7), known(OTHER, 0.9)._replace(healthy=False))
    assert made.candidates[-1].name == OTHER.card.name
    assert probabilities(made)[-1] == 0.0


def test_a_candidate_believed_to_be_worthless_has_no_say() -> None:
    made = plan(ask(), [known(BIG, 0.0), known(MIDDLE, 0.0)])
    assert sum(probabilities(made)) == pytest.approx(1.0)


def test_the_best_single_model_is_the_likeliest_to_do_it_and_of_equals_the_cheaper() -> None:
    assert (
        best_single(ranked(known(BIG, 0.8), known(MIDDLE, 0.9), known(SMALL, 0.1)).candidates).name == "openai/middle"
    )
    assert best_single(ranked(known(BIG, 0.8), known(SMALL, 0.8)).candidates).name == "groq/small"


def test_a_narrow_selection_is_balanced() -> None:
    selection = Selection("auto", Mode.BALANCED, tuple(CATALOG.cards[:2]))
    made = plan(ask(selection=selection), [each._replace(learned=PROVEN) for each in (BIG, MIDDLE)])
    assert sum(probabilities(made)) == pytest.approx(1.0)
