"""Each rule plays the candidate it names, by what was expected at the time."""

from monkey_coder_server.domain import routing_rules as rules
from monkey_coder_server.domain.routing_rules import Option

CHEAP = Option("a/cheap", 0.5, 1_000, 5_000.0, 0.25)
GOOD = Option("b/good", 0.9, 1_000_000, 4_000.0, 0.75)
QUICK = Option("c/quick", 0.9, 2_000_000, 400.0, 0.0)
ALL = (CHEAP, GOOD, QUICK)


def test_as_it_was_is_the_logged_propensities() -> None:
    assert rules.logged(ALL) == [0.25, 0.75, 0.0]


def test_the_cheapest_and_the_best_of_equals_the_cheaper() -> None:
    assert rules.cheapest(ALL) == [1.0, 0.0, 0.0]
    assert rules.best(ALL) == [0.0, 1.0, 0.0]
    assert rules.cheapest([CHEAP, CHEAP._replace(quality=0.6)]) == [0.0, 1.0]


def test_one_arm_always_and_none_where_it_is_no_candidate() -> None:
    assert rules.single("c/quick")(ALL) == [0.0, 0.0, 1.0]
    assert rules.single("d/other")(ALL) == [0.0, 0.0, 0.0]


def test_weights_choose_by_what_they_weigh() -> None:
    assert rules.weighted(1, 0, 0)(ALL) == [0.0, 1.0, 0.0]
    assert rules.weighted(0, 1, 0)(ALL) == [1.0, 0.0, 0.0]
    assert rules.weighted(0, 0, 1)(ALL) == [0.0, 0.0, 1.0]
    assert rules.weighted(90, 3, 7)(ALL) == rules.weighted(9, 0.3, 0.7)(ALL) == [0.0, 0.0, 1.0]


def test_a_free_or_hopeless_candidate_divides_by_nothing() -> None:
    free = Option("a/free", 0.0, 0, 0.0, 1.0)
    assert rules.weighted(1, 1, 1)([free]) == [1.0]
