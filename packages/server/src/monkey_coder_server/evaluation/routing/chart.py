"""A chart of lines or of named points as SVG: the same figures always make the same bytes."""

from collections.abc import Sequence
from html import escape
from itertools import count, takewhile
from math import floor, log10
from typing import NamedTuple

WIDTH, HEIGHT = 640, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 150, 36, 48
_COLOURS = ("#0b5fa5", "#c2410c", "#15803d", "#7e22ce", "#525252", "#b91c1c")
_TICKS = 5

Point = tuple[float, float]


class Series(NamedTuple):
    """Points of one colour, joined by a line or, where they have labels, each on its own."""

    name: str
    points: Sequence[Point]
    labels: Sequence[str] = ()


def chart(title: str, across: str, up: str, series: Sequence[Series]) -> str:
    """The whole document; `across` and `up` name the axes."""
    points = [point for each in series for point in each.points]
    horizontal = _Scale.over([x for x, _ in points], _LEFT, WIDTH - _RIGHT)
    vertical = _Scale.over([y for _, y in points], HEIGHT - _BOTTOM, _TOP)
    middle = (_TOP + HEIGHT - _BOTTOM) / 2
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"',
        'font-family="sans-serif" font-size="12">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        _text(_LEFT, 20, title, "start", "bold"),
        _text((_LEFT + WIDTH - _RIGHT) / 2, HEIGHT - 10, across),
        f'<g transform="rotate(-90 16 {middle:.1f})">{_text(16, middle, up)}</g>',
    ]
    for tick in horizontal.ticks():
        parts.append(_line(horizontal.at(tick), _TOP, horizontal.at(tick), HEIGHT - _BOTTOM))
        parts.append(_text(horizontal.at(tick), HEIGHT - _BOTTOM + 16, f"{tick:g}"))
    for tick in vertical.ticks():
        parts.append(_line(_LEFT, vertical.at(tick), WIDTH - _RIGHT, vertical.at(tick)))
        parts.append(_text(_LEFT - 6, vertical.at(tick) + 4, f"{tick:g}", "end"))
    for place, each in enumerate(series):
        colour = _COLOURS[place % len(_COLOURS)]
        parts += _drawn(each, colour, [(horizontal.at(x), vertical.at(y)) for x, y in each.points])
        top = _TOP + 8 + 20 * place
        parts.append(f'<rect x="{WIDTH - _RIGHT + 12}" y="{top}" width="12" height="4" fill="{colour}"/>')
        parts.append(_text(WIDTH - _RIGHT + 30, top + 6, each.name, "start"))
    return "\n".join([*parts, "</svg>"]) + "\n"


class _Scale(NamedTuple):
    low: float
    high: float
    start: float
    end: float

    @classmethod
    def over(cls, values: Sequence[float], start: float, end: float) -> "_Scale":
        low, high = min(0.0, *values), max(0.0, *values)
        return cls(low, high if high > low else low + 1.0, start, end)

    def at(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        rough = (self.high - self.low) / _TICKS
        magnitude = 10.0 ** floor(log10(rough))
        step = next(each * magnitude for each in (1, 2, 5, 10) if each * magnitude >= rough)
        first = -floor(-self.low / step)
        return [*takewhile(lambda tick: tick <= self.high * (1 + 1e-9), (round(at * step, 9) for at in count(first)))]


def _drawn(series: Series, colour: str, points: Sequence[Point]) -> list[str]:
    if not series.labels:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        return [f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>']
    parts = []
    for (x, y), label in zip(points, series.labels, strict=True):
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>')
        parts.append(_text(x, y - 8, label))
    return parts


def _line(x: float, y: float, to_x: float, to_y: float) -> str:
    return f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" stroke="#d4d4d4"/>'


def _text(x: float, y: float, text: str, anchor: str = "middle", weight: str = "normal") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}">{escape(text)}</text>'
