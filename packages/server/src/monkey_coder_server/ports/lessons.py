"""Lessons: what requests took, kept so that a restart does not forget what prices to expect."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from monkey_coder_server.domain.likeness import Lesson

KEPT = 2_000
"""The newest lessons; older ones are forgotten."""


class Lessons(Protocol):
    """The newest lessons of all processes."""

    async def keep(self, lessons: Mapping[str, Lesson]) -> None:
        """Store lessons by the ids of their requests, and forget what is older than the newest `KEPT`."""

    async def newest(self) -> Sequence[Lesson]:
        """At most `KEPT`, the oldest first. Those of a release that knew other facts are left out."""
