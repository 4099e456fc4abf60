"""Beliefs nested by kind of work, learnt in any order."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.bandit.context import ANYTHING, Context
from monkey_coder_server.domain.bandit.evidence import Evidence, Tally
from monkey_coder_server.domain.bandit.posterior import Posterior
from monkey_coder_server.domain.bandit.shrinkage import ASSUMED_NOISE, ASSUMED_ROWS, Prior, Shrinkage

CODE, TESTS = Context.of("codegen", "python", "a"), Context.of("tests", "python", "a")
OUTCOMES = st.lists(
    st.tuples(
        st.sampled_from(["codegen", "tests"]),
        st.sampled_from(["a", "b"]),
        st.sampled_from(["weak", "strong"]),
        st.sampled_from([0.0, 0.25, 1.0]),
        st.sampled_from([0.5, 1.0]),
    ),
    max_size=40,
)


def test_before_any_outcome_the_prior_stands_and_doubt_grows_with_every_level() -> None:
    posterior = Posterior({"known": Prior(0.7, 4.0)})
    known, unknown = posterior.expect(ANYTHING, ["known", "unknown"])
    assert known == (0.7, pytest.approx((ASSUMED_NOISE / 4) ** 0.5))
    assert unknown == (0.5, pytest.approx(ASSUMED_NOISE**0.5))
    assert posterior.expect(CODE, ["known"])[0].spread == pytest.approx(
        (ASSUMED_NOISE * (1 / 4 + 3 / ASSUMED_ROWS)) ** 0.5
    )


def test_an_outcome_counts_at_once_and_by_its_weight() -> None:
    posterior = Posterior({}, shrinkage=Shrinkage(trust=(0.0, 0.0, 0.0)))
    posterior.update(CODE, "arm", 1.0)
    assert posterior.expect(CODE, ["arm"])[0].mean == pytest.approx((0.5 + 1) / 2)
    posterior.update(CODE, "arm", 0.0, weight=0.5)
    assert posterior.expect(CODE, ["arm"])[0].mean == pytest.approx((0.5 + 1) / 2.5)


def test_a_finer_kind_is_believed_as_far_as_it_is_trusted() -> None:
    posterior = Posterior({}, shrinkage=Shrinkage(noise=1.0, trust=(1 / 20, 0.0, 0.0)))
    for _ in range(20):
        posterior.update(CODE, "arm", 1.0)
        posterior.update(TESTS, "arm", 0.0)
    everywhere = 20.5 / 41
    mean, spread = posterior.expect(CODE, ["arm"])[0]
    assert mean == pytest.approx((20 * everywhere + 20) / 40)
    assert spread**2 == pytest.approx(1 / 41 / 4 + 1 / 40)
    unseen = posterior.expect(Context.of("review"), ["arm"])[0]
    assert unseen.mean == pytest.approx(everywhere)
    assert unseen.spread**2 == pytest.approx(1 / 41 + 1 / 20)


def test_the_more_was_seen_the_narrower_the_belief() -> None:
    posterior = Posterior()
    spreads = []
    for _ in range(30):
        posterior.update(CODE, "arm", 1.0)
        spreads.append(posterior.expect(CODE, ["arm"])[0].spread)
    assert spreads == sorted(spreads, reverse=True)


@given(OUTCOMES, st.randoms(use_true_random=False))
def test_what_several_processes_saw_adds_up_in_any_order(
    outcomes: list[tuple[str, str, str, float, float]], random: Random
) -> None:
    at_once, parts = Posterior(), [Evidence() for _ in range(3)]
    for kind, group, arm, quality, weight in outcomes:
        context = Context.of(kind, "python", group)
        at_once.update(context, arm, quality, weight)
        random.choice(parts).add(context, arm, quality, weight)
    merged = Posterior()
    random.shuffle(parts)
    for part in parts:
        merged.merge(part)
    assert merged.evidence == at_once.evidence
    for posterior in (merged, at_once):
        posterior.settle()
    context = Context.of("codegen", "python", "b")
    for ours, theirs in zip(*(each.expect(context, ["weak", "strong"]) for each in (merged, at_once)), strict=True):
        assert ours == pytest.approx(theirs)


def test_a_merge_leaves_what_it_took_from_as_it_was() -> None:
    taken, evidence = Evidence(), Evidence()
    taken.add(CODE, "arm", 1.0)
    evidence.merge(taken)
    evidence.add(CODE, "arm", 1.0)
    assert taken.at(())["arm"] == Tally(1.0, 1.0, 1.0)
    assert evidence.at(("nowhere",)) == {}
