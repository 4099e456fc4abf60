"""Whether a conversation stays with a candidate whose prompt is cached."""

from monkey_coder_server.domain.routing import plan
from monkey_coder_server.domain.routing_staying import cost_of_moving, staying
from packages.server.tests.domain.test_routing import BIG, MIDDLE, OTHER, ask


def test_a_candidate_that_costs_less_than_reckoned_may_become_the_best() -> None:
    made = plan(ask(input_tokens=50_000), [BIG, MIDDLE, OTHER])
    for place, each in enumerate(made.candidates):
        assert staying(made, place, 0) == (each.terms.utility >= made.candidates[0].terms.utility)
        assert staying(made, place, each.expected.cost)


def test_moving_costs_what_the_best_ranked_costs_more_than_what_is_cached() -> None:
    made = plan(ask(input_tokens=50_000), [BIG, MIDDLE, OTHER])
    first, *others = (each.expected.cost for each in made.candidates)
    assert cost_of_moving(made, 0, 10) == 10
    assert [cost_of_moving(made, 1 + place, 7) for place in range(len(others))] == [first - cost + 7 for cost in others]


def test_one_that_fails_is_not_stayed_with_whatever_it_spares() -> None:
    made = plan(ask(input_tokens=50_000), [BIG, MIDDLE, OTHER._replace(healthy=False)])
    assert made.candidates[-1].name == OTHER.card.name
    assert not staying(made, len(made.candidates) - 1, made.candidates[-1].expected.cost)
