"""What a verdict says of the model that gave the answer, where nobody says whether it was right."""

from typing import NamedTuple

from monkey_coder_server.domain.bandit.verifier import Rates

FAINT = 0.3
"""How much the verdict of a check that never errs is believed; tests that were run weigh 1."""


class Hint(NamedTuple):
    """How good an answer probably is, 0 to 1, and how much that is to be believed, 0 for nothing."""

    quality: float
    weight: float


def hint_of(rates: Rates, *, passed: bool, success: float) -> Hint:
    """By a check of these rates, of an arm that is believed to be right so often (above 0, below 1).

    An arm that passes as often as its belief foretells stays where it was. The weight falls with the square of what
    the rates differ by, as what a verdict tells does; a check that passes wrong answers as readily says nothing.
    """
    right, wrong = (rates.right, rates.wrong) if passed else (1.0 - rates.right, 1.0 - rates.wrong)
    likelihood = success * right + (1.0 - success) * wrong
    gain = max(0.0, rates.right - rates.wrong)
    return Hint(success * right / likelihood if likelihood else success, FAINT * gain * gain)
