"""Several arms at once: the first whose answer passes the check wins, and the rest are cancelled.

If none passes, the answer most likely to be right is taken. All arms of a race start together, so their worst-case
costs together have to fit into the hold: those that do not fit are left out.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from monkey_coder_server.domain.bandit.commitment import Commitment
from monkey_coder_server.domain.bandit.difficulty import LEVELS
from monkey_coder_server.domain.bandit.runner import Runner, Seen, after, right_given


class Won(NamedTuple):
    """The race is over: the answer to give, None where no arm left one, and the arms to cancel."""

    arm: str | None
    cancel: tuple[str, ...]


def entrants(runners: Sequence[Runner], hold: int) -> tuple[Runner, ...]:
    """Those that may start together within a hold in nano-dollars: each in turn, if it fits beside those before."""
    commitment, starting = Commitment(hold), []
    for runner in runners:
        if commitment.allows(runner.bound):
            commitment = commitment.with_started(runner.bound)
            starting.append(runner)
    return tuple(starting)


def standing(runners: Sequence[Runner], seen: Mapping[str, Seen]) -> Won | None:
    """How a race stands after these arms ended, in this order; None while it goes on."""
    for name, sight in seen.items():
        if sight is not None and sight.passed:
            return Won(name, tuple(runner.name for runner in runners if runner.name not in seen))
    if len(seen) < len(runners):
        return None
    return Won(_likeliest(runners, seen), ())


def _likeliest(runners: Sequence[Runner], seen: Mapping[str, Seen]) -> str | None:
    answers = [(runner, sight) for runner in runners if (sight := seen[runner.name]) is not None]
    weights = (1.0,) * LEVELS
    for runner, sight in answers:
        weights = after(runner, sight, weights)
    right = {runner.name: right_given(runner, sight, weights) for runner, sight in answers}
    return max(right, key=right.__getitem__, default=None)
