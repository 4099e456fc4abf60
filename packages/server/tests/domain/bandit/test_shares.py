"""No group weighs more than its share with the others, in whatever order outcomes come and go."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.bandit.context import Context
from monkey_coder_server.domain.bandit.evidence import Evidence, Tally
from monkey_coder_server.domain.bandit.posterior import Posterior
from monkey_coder_server.domain.bandit.shares import Shares, scaled
from monkey_coder_server.domain.bandit.shrinkage import Prior, Shrinkage

FLOOD, OTHER = Context.of("fix", "python", "flood"), Context.of("fix", "python", "other")
OUTCOMES = st.lists(
    st.tuples(
        st.sampled_from(["fix", "test"]),
        st.sampled_from(["a", "b"]),
        st.sampled_from(["weak", "strong"]),
        st.sampled_from([0.0, 0.5, 1.0]),
    ),
    max_size=30,
)


def believed(shares: Shares, context: Context, arm: str = "arm") -> float:
    return Posterior({arm: Prior(0.8, 10.0)}, shares.seen(context)).expect(context, [arm])[0].mean


def test_a_group_that_floods_moves_the_others_less_than_half_the_way_and_itself_further() -> None:
    shares = Shares(5.0)
    for _ in range(10_000):
        shares.add(FLOOD, "arm", 0.0)
    assert 0.8 / 2 < believed(shares, OTHER) < 0.8
    assert believed(shares, FLOOD) < 0.05
    assert shares.common.at(())["arm"].rows == pytest.approx(5.0)


def test_many_groups_together_are_believed() -> None:
    shares = Shares(5.0)
    for number in range(40):
        shares.add(Context.of("fix", "python", f"group {number}"), "arm", 0.0)
    assert believed(shares, OTHER) < 0.2


def test_a_flood_does_not_move_the_noise_others_reckon_with() -> None:
    shares = Shares(5.0)
    for _ in range(10_000):
        shares.add(FLOOD, "arm", 0.0)
    assert Shrinkage.of(shares.common, {}).noise == pytest.approx(Shrinkage().noise, rel=0.2)


def test_what_is_taken_back_leaves_nothing() -> None:
    shares = Shares(5.0)
    shares.add(FLOOD, "arm", 1.0, 0.3)
    shares.add(FLOOD, "arm", 1.0, -0.3)
    assert not shares.common.nodes
    assert shares.known(FLOOD.nodes) == (FLOOD.nodes[-1],)
    assert shares.own.at(FLOOD.nodes[-1])["arm"] == Tally()


def test_what_was_forgotten_cannot_be_taken_back_from_others() -> None:
    shares = Shares(5.0)
    shares.add(FLOOD, "arm", 1.0)
    shares.add(OTHER, "arm", 1.0)
    shares.forget("flood")
    shares.forget("nobody")
    shares.add(FLOOD, "arm", 1.0, -1.0)
    assert shares.common.at(())["arm"].rows == 1.0
    assert set(shares.groups) == {"other", "flood"}


def test_forgetting_keeps_arms_of_others() -> None:
    shares = Shares(5.0)
    shares.add(FLOOD, "one", 1.0)
    shares.add(OTHER, "two", 1.0)
    shares.forget("flood")
    assert set(shares.common.at(())) == {"two"}
    assert shares.own.at(FLOOD.nodes[-1]) == {}


def test_kinds_of_which_nothing_is_known_are_told_apart_from_the_others() -> None:
    shares = Shares(5.0)
    shares.add(Context.of("fix", "go", "a"), "arm", 1.0)
    assert shares.known(Context.of("test", "go", "b").nodes) == ((),)
    assert shares.known(Context.of("fix", "python", "b").nodes) == ((), ("fix",))
    assert len(shares.known(Context.of("fix", "go", "a").nodes)) == 4
    assert shares.seen(Context.of("fix", "go", "b")).at(("fix", "go", "a")) == {}


def test_a_total_that_was_kept_elsewhere_replaces_what_was_counted() -> None:
    shares, counted = Shares(5.0), Shares(5.0)
    shares.add(FLOOD, "arm", 1.0)
    total = Tally(8.0, 2.0, 2.0)
    shares.replace(FLOOD.nodes[-1], "arm", total)
    shares.replace(OTHER.nodes[-1], "arm", total)
    for group in (FLOOD, OTHER):
        for quality in (1.0, 1.0, *[0.0] * 6):
            counted.add(group, "arm", quality)
    for node, arms in counted.common.nodes.items():
        assert shares.common.at(node)["arm"].rows == pytest.approx(arms["arm"].rows)
        assert shares.common.at(node)["arm"].quality == pytest.approx(arms["arm"].quality)


def test_outcomes_that_weigh_less_count_less() -> None:
    assert scaled(Tally(1.0, 2.0, 3.0, 4.0, 5.0, 6.0), 0.5) == Tally(0.5, 1.0, 1.5, 2.0, 2.5, 3.0)


@given(OUTCOMES, st.randoms(use_true_random=False))
def test_the_order_of_outcomes_does_not_matter(outcomes: list[tuple[str, str, str, float]], random: Random) -> None:
    one, other = Shares(2.0), Shares(2.0)
    for kind, group, arm, quality in outcomes:
        one.add(Context.of(kind, "python", group), arm, quality)
    shuffled = list(outcomes)
    random.shuffle(shuffled)
    for kind, group, arm, quality in shuffled:
        other.add(Context.of(kind, "python", group), arm, quality)
    assert _figures(one.common) == pytest.approx(_figures(other.common))
    for arms in one.common.nodes.values():
        assert all(0.0 < tally.rows <= 4.0 + 1e-9 for tally in arms.values())


def _figures(evidence: Evidence) -> dict[object, float]:
    return {
        (node, arm, name): value
        for node, arms in evidence.nodes.items()
        for arm, tally in arms.items()
        for name, value in (("rows", tally.rows), ("quality", tally.quality))
    }
