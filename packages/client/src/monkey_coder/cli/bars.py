"""Bars of figures for a terminal: what stands where, and in which style. Pure: nothing is printed."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from monkey_coder.cli import output

NARROWEST, WIDEST, LONGEST_NAME = 8, 48, 40
_EIGHTHS = " ▏▎▍▌▋▊▉"
_FULL, _PLAIN = "█", "#"
Style = str
Line = Sequence[tuple[str, Style]]
"""Pieces of a line, each with a style of rich: "" for none."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One row: what is named and what it cost in USD; `cells` are its names as a table has them.

    `share` is its part of all, in percent, where that says something.
    """

    name: str
    cells: tuple[str, ...]
    cost: Decimal
    requests: int
    tokens: int
    share: int | None = None

    def figures(self) -> list[str]:
        """What stands behind the bar."""
        share = [] if self.share is None else [f"{self.share} %"]
        return [*share, f"{self.requests:,} req", f"{short_count(self.tokens)} tok"]


def lines(bars: Sequence[Bar], *, width: int, blocks: bool) -> list[Line]:
    """Rows as wide as the terminal: names, bars relative to the dearest, costs, figures to the right.

    Where there is no room the figures at the end are left out first. Without `blocks` bars are of plain characters.
    """
    most = max(bar.cost for bar in bars)
    costs = [_short_usd(bar.cost, most) for bar in bars]
    figures = [bar.figures() for bar in bars]
    names = [_cut(output.harmless(bar.name), min(LONGEST_NAME, width * 2 // 5)) for bar in bars]
    wide = max(output.width_of(name) for name in names)
    money = max(map(len, costs))
    while (room := width - 1 - wide - money - 4 - _widths(figures)) < NARROWEST and figures[0]:
        figures = [each[:-1] for each in figures]
    room = max(NARROWEST, min(room, WIDEST))
    columns = [max(len(each[index]) for each in figures) for index in range(len(figures[0]))]
    return [
        (
            (name + " " * (wide - output.width_of(name)) + "  ", ""),
            (_bar(bar.cost, most, room, blocks=blocks), "cyan"),
            (f"  {cost:>{money}}", "bold"),
            ("".join(f"  {text:>{column}}" for text, column in zip(each, columns, strict=True)), "dim"),
        )
        for name, bar, cost, each in zip(names, bars, costs, figures, strict=True)
    ]


def short_count(count: int) -> str:
    """A count in at most five characters."""
    for size, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= size:
            part = Decimal(count) / size
            return f"{part:.1f}{letter}" if part < 100 else f"{part:.0f}{letter}"
    return str(count)


def _short_usd(amount: Decimal, most: Decimal) -> str:
    """Dollars beside bars: to the cent, or to four places where all are below a dollar."""
    if amount == 0:
        return "-"
    places = Decimal("0.01") if most >= 1 else Decimal("0.0001")
    return f"<${places}" if amount < places else f"${amount.quantize(places):,}"


def _bar(cost: Decimal, most: Decimal, room: int, *, blocks: bool) -> str:
    """Something used is never without a mark."""
    eighths = 0 if cost <= 0 else max(1, round(cost / most * room * 8))
    whole, part = divmod(eighths, 8)
    if blocks:
        return (_FULL * whole + (_EIGHTHS[part] if part else "")).ljust(room)
    return (_PLAIN * (whole or min(1, part))).ljust(room)


def _widths(figures: Sequence[Sequence[str]]) -> int:
    return sum(2 + max(len(each[index]) for each in figures) for index in range(len(figures[0])))


def _cut(name: str, most: int) -> str:
    """A name that fits, its middle left out: the ends of models' names tell them apart."""
    if output.width_of(name) <= most:
        return name
    head = (most - 1) // 2
    return f"{name[:head]}…{name[-(most - 1 - head) :]}"
