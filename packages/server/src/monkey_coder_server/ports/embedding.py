"""What makes a vector of a text."""

from collections.abc import Sequence
from typing import Protocol, TypeAlias

Vector: TypeAlias = Sequence[float]
"""Of length 1: the cosine of two is the sum of their products."""


class Embedding(Protocol):
    """A model that runs here. `name` tells it from all others: vectors of two models have nothing in common."""

    @property
    def name(self) -> str:
        """The model and its edition."""

    async def vector(self, text: str) -> Vector:
        """The vector of a text of a few thousand characters at most; nothing waits for it but the caller."""
