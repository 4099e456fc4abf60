"""`python -m tools.priors`: holds the stated prior of quality against public test results, and fits the line between.

It prints, for each model of the catalogue that was tested, the share of exercises it solved, what its vendor's ladder
and price claim, and what the router assumes from both; then the correlation and the line of least squares whose
constants `domain/public_scores.py` holds.
"""

import statistics
import sys
from dataclasses import dataclass

from monkey_coder_server.adapters.system.clock import SystemClock
from monkey_coder_server.bootstrap.prices import installed
from monkey_coder_server.bootstrap.supplies import PROVIDERS
from monkey_coder_server.domain.public_scores import fitted_line, solved_share
from monkey_coder_server.domain.routing_priors import claimed_standing, standing


@dataclass(frozen=True, slots=True)
class Tested:
    """A model of the catalogue with its share of exercises solved, its claim and what is assumed of it."""

    name: str
    solved: float
    claimed: float
    assumed: float


def results_of_models() -> list[Tested]:
    """The tested models of the catalogue, best first."""
    book = installed(PROVIDERS, SystemClock().now())[0][1]
    found = []
    for provider in PROVIDERS:
        for position, card in enumerate(provider.offers):
            share = solved_share(card.name)
            if share is not None:
                row = book.row(card.provider, card.model)
                claimed, assumed = claimed_standing(card, row, position), standing(card, row, position)
                found.append(Tested(card.name, share, claimed, assumed))
    return sorted(found, key=lambda each: -each.solved)


def main() -> int:
    """Print the table and the fit."""
    models = results_of_models()
    base, slope = fitted_line([(each.solved, each.claimed) for each in models])
    correlation = statistics.correlation([each.solved for each in models], [each.claimed for each in models])
    rows = [f"{'model':28} {'solved':>7} {'claimed':>8} {'assumed':>8}"]
    rows += [f"{each.name:28} {each.solved:7.3f} {each.claimed:8.3f} {each.assumed:8.3f}" for each in models]
    rows.append(f"correlation of solved and claimed {correlation:.2f}; line {base:.2f} + {slope:.2f} x share")
    sys.stdout.write("\n".join(rows) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
