"""Figures remembered in circles of likeness, foretold by medians."""

from statistics import median

from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.experience import WINDOW, Experience

WIDE, NARROW = "everybody", ("acct", "model")
FIGURES = st.lists(st.floats(1, 1e6), max_size=60)


def test_without_experience_the_prior_stands() -> None:
    assert Experience().foretell((WIDE, NARROW), 500.0) == (500.0, 0)


def test_one_figure_is_met_half_way_and_many_outweigh_the_prior() -> None:
    known = Experience()
    known.learn((NARROW,), [(100.0,)])
    assert known.foretell((NARROW,), 500.0) == (300.0, 1)
    for _ in range(4):
        known.learn((NARROW,), [(100.0,)])
    assert known.foretell((NARROW,), 500.0) == (100.0, 5)


def test_the_narrowest_circle_that_knows_anything_decides() -> None:
    known = Experience()
    for _ in range(9):
        known.learn((WIDE,), [(1_000.0,)])
        known.learn((WIDE, NARROW), [(10.0,)])
    assert known.foretell((WIDE, NARROW), 1.0).value == 10.0
    assert known.foretell((WIDE, "another"), 1.0) == (10.0, 18)


def test_figures_that_are_learnt_together_are_foretold_apart() -> None:
    known = Experience()
    for figure in (1.0, 2.0, 3.0):
        known.learn((WIDE, NARROW), [(figure, 10.0 * figure)])
    assert known.foretell((WIDE, NARROW), 2.0) == (2.0, 3)
    assert known.foretell((WIDE, NARROW), 20.0, 1) == (20.0, 3)
    for _ in range(WINDOW):
        known.learn((NARROW,), [(5.0, 0.0)])
    assert [known.foretell((NARROW,), 0.0, kind).value for kind in (0, 1)] == [5.0, 0.0]


def test_one_answer_ten_times_as_long_does_not_move_what_is_expected() -> None:
    known = Experience()
    for figure in (100.0, 102.0, 98.0, 9_000.0, 101.0):
        known.learn((NARROW,), [(figure,)])
    assert 98.0 <= known.foretell((NARROW,), 100.0).value <= 102.0


def test_what_is_older_than_the_window_is_forgotten() -> None:
    known = Experience()
    for figure in [5.0] * WINDOW + [50.0] * WINDOW:
        known.learn((NARROW,), [(figure,)])
    assert known.foretell((NARROW,), 5.0) == (50.0, WINDOW)


def test_the_place_longest_without_news_is_forgotten_first() -> None:
    known = Experience(places=2)
    for place in ("a", "b", "a", "c"):
        known.learn((place,), [(1.0,)])
    assert [known.foretell((place,), 9.0).seen for place in "abc"] == [2, 0, 1]


def test_a_place_remembers_two_dozen_figures_and_all_together_forty_thousand_places() -> None:
    known = Experience()
    for figure in range(30):
        known.learn((NARROW,), [(figure,)])
    assert known.foretell((NARROW,), 0.0) == (17.0, 24)
    for place in range(39_999):
        known.learn((place,), [(1.0,)])
    assert known.foretell((NARROW,), 0.0).seen == 24
    known.learn((39_999,), [(1.0,)])
    assert [known.foretell((place,), 0.0).seen for place in (NARROW, 0, 39_999)] == [0, 1, 1]


@given(FIGURES, st.floats(1, 1e6))
def test_what_is_foretold_lies_between_what_was_said_and_seen(figures: list[float], prior: float) -> None:
    known = Experience()
    for figure in figures:
        known.learn((WIDE, NARROW), [(figure,)])
    foretold = known.foretell((WIDE, NARROW), prior).value
    assert min([prior, *figures]) <= foretold <= max([prior, *figures])


@given(FIGURES, FIGURES, st.floats(1, 1e6))
def test_what_is_foretold_is_the_median_of_what_was_seen_and_what_the_wider_circle_says(
    wide: list[float], narrow: list[float], prior: float
) -> None:
    known, expected = Experience(), prior
    for place, figures in ((WIDE, wide), (NARROW, narrow)):
        for figure in figures:
            known.learn((place,), [(figure,)])
        expected = median([*figures[-WINDOW:], expected])
    assert known.foretell((WIDE, NARROW), prior).value == expected
