"""What public tests found of models: exercises solved, of those whose licence lets the figures be carried over.

Source: aider's polyglot leaderboard (github.com/Aider-AI/aider, `aider/website/_data/polyglot_leaderboard.yml`, Apache
License 2.0; runs of January to August 2025): of 225 exercises in six languages, those solved in two tries. Of several
runs of one model the one at its default effort, else the only one. Names are ours, `provider/model`.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

EXERCISES = 225
SOLVED: Mapping[str, int] = MappingProxyType(
    {
        "openai/gpt-5": 195,
        "openai/o3": 179,
        "google/gemini-2.5-pro": 164,
        "openai/o4-mini": 162,
        "openai/o3-mini": 121,
        "xai/grok-3": 120,
        "openai/gpt-4.1": 118,
        "google/gemini-2.5-flash": 106,
        "groq/qwen/qwen3-32b": 103,
        "xai/grok-3-mini": 78,
        "openai/gpt-4.1-mini": 73,
        "openai/gpt-4.1-nano": 20,
    }
)
BASE, SLOPE = 0.38, 0.55
"""The line from a share solved to a standing, fitted by `python -m tools.priors`; rounded to hundredths."""


def solved_share(name: str) -> float | None:
    """The share of the exercises a model solved, by its name `provider/model`; None where nobody tested it."""
    solved = SOLVED.get(name)
    return None if solved is None else solved / EXERCISES


def fitted_line(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Base and slope of the line of least squares through points (x, y). Raises `ValueError` without two places x."""
    many = len(points)
    middle_x, middle_y = sum(x for x, _ in points) / max(many, 1), sum(y for _, y in points) / max(many, 1)
    spread = sum((x - middle_x) ** 2 for x, _ in points)
    if not spread:
        raise ValueError("a line needs points at two places at least")
    slope = sum((x - middle_x) * (y - middle_y) for x, y in points) / spread
    return middle_y - slope * middle_x, slope
