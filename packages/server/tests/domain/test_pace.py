"""A model's pace comes from how many tokens its answers had, streamed or whole, of whatever length."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monkey_coder_server.domain.pace import USUAL_MS_PER_TOKEN, Pace


def test_nothing_is_known_before_a_token_was_seen() -> None:
    pace = Pace()
    pace.learn(0, 40.0)
    assert pace.tokens_per_second is None


def test_short_answers_that_come_at_once_do_not_promise_that_long_ones_will() -> None:
    pace = Pace()
    for _ in range(50):
        pace.learn(3, 0.0)
    assert pace.tokens_per_second is not None
    assert pace.tokens_per_second < 2_000.0 / USUAL_MS_PER_TOKEN


def test_a_slowdown_is_seen_within_some_answers() -> None:
    pace = Pace()
    for milliseconds in [1_000.0] * 30 + [10_000.0] * 10:
        pace.learn(100, milliseconds)
    assert pace.tokens_per_second is not None
    assert pace.tokens_per_second < 16.0


@pytest.mark.parametrize("tokens", [20, 400, 3_000])
def test_whole_answers_of_one_length_are_expected_to_take_what_they_took(tokens: int) -> None:
    pace, first = Pace(), None
    for _ in range(40):
        first = pace.until_first(4_000.0, tokens, first)
        pace.learn(tokens, 4_000.0 - first)
    assert first is not None
    assert pace.tokens_per_second is not None
    assert first + 1_000.0 * tokens / pace.tokens_per_second == pytest.approx(4_000.0, rel=0.1)


@given(st.lists(st.tuples(st.integers(0, 100_000), st.floats(0.0, 1e7)), max_size=20))
@example([(0, 1.1018594681958171e-54)])
def test_whatever_comes_a_whole_answer_is_divided_within_itself(answers: list[tuple[int, float]]) -> None:
    pace, first = Pace(), None
    for tokens, total in answers:
        first = pace.until_first(total, tokens, first)
        assert 0.0 <= first <= total
        pace.learn(tokens, total - first)
    assert pace.tokens_per_second is None or pace.tokens_per_second > 0.0
