"""Charts as SVG."""

import re
from html import unescape

from monkey_coder_server.evaluation.routing.chart import HEIGHT, WIDTH, Series, chart


def _texts(drawing: str) -> list[str]:
    return [unescape(text) for text in re.findall("<text[^>]*>([^<]*)</text>", drawing)]


def test_a_line_starts_low_on_the_left_and_ends_high_on_the_right_within_the_drawing() -> None:
    drawing = chart("Title", "tasks", "regret", [Series("warm", [(0.0, 0.0), (50.0, 20.0), (100.0, 10.0)])])
    (line,) = re.findall('<polyline points="([^"]*)"', drawing)
    points = [tuple(map(float, pair.split(","))) for pair in line.split()]
    (left, bottom), (middle, top), (right, between) = points
    assert 0 < left < middle < right < WIDTH
    assert 0 < top < between < bottom < HEIGHT


def test_axes_titles_and_names_are_written_and_ticks_are_round() -> None:
    texts = _texts(chart("A < B", "tasks", "regret", [Series("warm", [(0.0, -30.0), (770.0, 12.0)])]))
    assert {"A < B", "tasks", "regret", "warm", "0", "200", "-30", "-20", "10"} <= set(texts)


def test_points_with_labels_stand_alone() -> None:
    drawing = chart("T", "x", "y", [Series("race", [(0.5, 1.0), (0.7, 2.0)], ["0.9", "1"])])
    assert drawing.count("<circle") == 2
    assert "<polyline" not in drawing
    assert {"0.9", "1"} <= set(_texts(drawing))


def test_what_is_all_nothing_is_drawn_too() -> None:
    assert "0" in _texts(chart("T", "x", "y", [Series("flat", [(0.0, 0.0), (1.0, 0.0)])]))
