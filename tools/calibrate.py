"""`python -m tools.calibrate`: fit the weights of `domain.tokenizers` to recorded exchanges, print them as its table.

Each family's weights minimise the sum of relative errors (to the greater of true and foretold), none below 0, drawn a
little towards those of all families together where a family shows too little of something. The errors printed are of
exchanges that were left out: the recordings are cut into five parts by the file they come from, and each part is
foretold by weights fitted to the rest.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from monkey_coder_server.domain.tokenizers import Calibration, family
from tools.exchanges import Exchange, exchanges

FOLDS = 5
ROUNDS = 25
SWEEPS = 20
LEAST = 20
"""Relative errors of shorter prompts count as if these were so many tokens."""
FLAT = 0.01
"""Relative errors below this count by their square."""
PULL = 0.3
START = (5.0, 4.0, 10.0, 50.0, 20.0, 230.0, 400.0, 400.0, 250.0, 250.0, 0.0)
SPREAD = (3000.0, 4.0, 10.0, 3000.0, 20.0, 100.0, 200.0, 100.0, 100.0, 100.0, 10.0)
"""How far a family may be from the others: a provider's own preambles differ by hundreds of tokens."""

REQUEST, TOOLBOX = Calibration._fields.index("request"), Calibration._fields.index("toolbox")

Rows = Sequence[tuple[tuple[float, ...], float]]


@dataclass(frozen=True, slots=True)
class Held:
    """How far off expectations were for exchanges the fit had not seen."""

    count: int
    middle: float
    ninth: float


def main() -> None:
    """Print the table and its errors."""
    seen = [each for each in exchanges() if usable(each)]
    together = fit([row(each) for each in seen], START, pull=0.05)
    print(f"ANY = {_written(together)}\n")
    everything: list[float] = []
    for name, own in sorted(by_family(seen).items()):
        weights = fit([row(each) for each in own], together, pull=PULL)
        errors = held_out(own, together)
        everything += errors
        held = _held(errors)
        print(f'"{name}": {_written(weights)},  # {held.count}: {held.middle:.1%}, {held.ninth:.0%}')
    held = _held(everything)
    print(
        f"\nleft out, all: {held.count} exchanges, median error {held.middle:.1%}, nine of ten below {held.ninth:.0%}"
    )


def usable(exchange: Exchange) -> bool:
    """Whether everything the provider counted stands in the request as text."""
    size = exchange.size
    media = size.images or size.documents or size.server_tools
    known = family(exchange.provider, exchange.model)
    return bool(known) and exchange.usage.input > 0 and not media and not size.unread_bytes > size.bytes // 4


def by_family(seen: Sequence[Exchange]) -> Mapping[str, list[Exchange]]:
    """The exchanges of each family."""
    groups: dict[str, list[Exchange]] = defaultdict(list)
    for each in seen:
        groups[family(each.provider, each.model)].append(each)
    return groups


def row(exchange: Exchange) -> tuple[tuple[float, ...], float]:
    """What is counted in a prompt, in the order of `Calibration`, and the tokens the provider counted."""
    size = exchange.size
    thousands = (
        size.plain_bytes,
        size.wide_bytes,
        size.argument_bytes,
        size.schema_bytes,
        size.output_bytes,
        size.unread_bytes,
    )
    things = (1.0, size.messages - size.calls, size.calls, 1.0 if size.tools else 0.0, size.tools)
    return (*things, *(each / 1_000 for each in thousands)), float(exchange.usage.input)


def held_out(own: Sequence[Exchange], together: Sequence[float]) -> list[float]:
    """Relative errors of exchanges, each foretold by weights fitted to others."""
    errors = []
    for fold in range(FOLDS):
        weights = fit([row(each) for each in own if fold_of(each) != fold], together, pull=PULL)
        for each in own:
            if fold_of(each) == fold:
                counts, true = row(each)
                errors.append(abs(_times(weights, counts) - true) / true)
    return errors


def fold_of(exchange: Exchange) -> int:
    """Recordings of one file stay together: they repeat each other."""
    return int(hashlib.sha256(exchange.source.encode()).hexdigest()[:8], 16) % FOLDS


def fit(rows: Rows, towards: Sequence[float], *, pull: float) -> tuple[float, ...]:
    """Weights of least relative error, none below 0: reweighted least squares, one weight at a time."""
    weights = _begun(rows, towards)
    for _ in range(ROUNDS):
        matrix, wanted = _normal(rows, weights)
        for index, spread in enumerate(SPREAD):
            matrix[index][index] += pull / spread**2
            wanted[index] += pull / spread**2 * towards[index]
        for _ in range(SWEEPS):
            for index, line in enumerate(matrix):
                rest = wanted[index] - _times(line, weights)
                weights[index] = max(0.0, weights[index] + rest / line[index])
    return tuple(weights)


def _begun(rows: Rows, towards: Sequence[float]) -> list[float]:
    """Where to start: what most prompts of the family have more than foretold is taken for its preambles."""
    weights = list(towards)
    for place in (REQUEST, TOOLBOX):
        more = [true - _times(weights, counts) for counts, true in rows if bool(counts[TOOLBOX]) is (place == TOOLBOX)]
        if more:
            weights[place] = max(0.0, weights[place] + median(more))
    return weights


def _normal(rows: Rows, weights: Sequence[float]) -> tuple[list[list[float]], list[float]]:
    size = len(weights)
    matrix = [[0.0] * size for _ in range(size)]
    wanted = [0.0] * size
    for counts, true in rows:
        foretold = _times(weights, counts)
        scale = 1.0 / max(true, foretold, LEAST)
        weight = scale**2 / max(FLAT, abs(foretold - true) * scale)
        present = [(index, count) for index, count in enumerate(counts) if count]
        for index, count in present:
            wanted[index] += weight * count * true
            for other, more in present:
                matrix[index][other] += weight * count * more
    return matrix, wanted


def _times(weights: Sequence[float], counts: Sequence[float]) -> float:
    return sum(weight * count for weight, count in zip(weights, counts, strict=True))


def _held(errors: Sequence[float]) -> Held:
    ordered = sorted(errors)
    return Held(len(ordered), median(ordered), ordered[len(ordered) * 9 // 10]) if ordered else Held(0, 0.0, 0.0)


def _written(weights: Sequence[float]) -> str:
    return f"Calibration({', '.join(f'{each:.1f}' for each in Calibration(*weights))})"


if __name__ == "__main__":
    main()
