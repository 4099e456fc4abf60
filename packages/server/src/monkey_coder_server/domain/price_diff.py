"""What changes when one price book takes the place of another, for whoever decides on it."""

from collections.abc import Iterator
from dataclasses import dataclass, fields

from monkey_coder_server.domain.money import BASIS_POINTS
from monkey_coder_server.domain.pricing import PriceBook, PriceRow, Rates

SUSPICIOUS = 2_500
"""Basis points. Providers seldom move a price by more than a quarter; mistakes in price data usually do."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A price that is another: nano-dollars per million tokens, or a piece for a fee. None: there is none."""

    what: str
    old: int | None
    new: int | None

    @property
    def basis_points(self) -> int | None:
        """By how much, rounded towards zero; None where one of them is not there or 0."""
        if not self.old or not self.new:
            return None
        change = (abs(self.new - self.old) * BASIS_POINTS) // self.old
        return change if self.new > self.old else -change

    @property
    def suspicious(self) -> bool:
        """Whether somebody should look at the provider's own page first."""
        return self.basis_points is None or abs(self.basis_points) > SUSPICIOUS


@dataclass(frozen=True, slots=True)
class Change:
    """A model that is new, gone, or costs something else."""

    model: str
    kind: str
    """`new`, `gone` or `changed`."""
    differences: tuple[Difference, ...]

    @property
    def suspicious(self) -> bool:
        """Whether it is a price that jumps. A model that comes or goes is no jump."""
        return self.kind == "changed" and any(each.suspicious for each in self.differences)


def compare(old: PriceBook, new: PriceBook) -> tuple[Change, ...]:
    """The changes, by provider and model; where prices come from is none."""
    changes = []
    for key in sorted({*old.rows, *new.rows}):
        before, after = old.rows.get(key), new.rows.get(key)
        differences = tuple(_differences(before, after))
        if differences:
            kind = "new" if before is None else "gone" if after is None else "changed"
            changes.append(Change("/".join(key), kind, differences))
    return tuple(changes)


def _differences(before: PriceRow | None, after: PriceRow | None) -> Iterator[Difference]:
    old, new = dict(_prices(before)), dict(_prices(after))
    for what in dict.fromkeys([*old, *new]):
        if old.get(what) != new.get(what):
            yield Difference(what, old.get(what), new.get(what))


def _prices(row: PriceRow | None) -> Iterator[tuple[str, int]]:
    """Every price of a row by what it is for."""
    if row is None:
        return
    yield from _rates("", row.rates)
    for tier in row.tiers:
        yield from _rates(f" above {tier.above} tokens", tier.rates)
    for fee in sorted(row.fees):
        yield f"fee {fee}", row.fees[fee]
    if row.allowance:
        yield "allowance", row.allowance


def _rates(where: str, rates: Rates) -> Iterator[tuple[str, int]]:
    for each in fields(rates):
        yield f"{each.name}{where}", getattr(rates, each.name)
