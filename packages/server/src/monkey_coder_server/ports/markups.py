"""Markups as operators set them: kept for good, ended and never changed otherwise."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from monkey_coder_server.domain.markup import MarkupRule
from monkey_coder_server.ports.record import Record


class Markup(Record, frozen=True):
    """A rule, why it holds, and who set it when. Its id is the rule's name."""

    rule: MarkupRule
    reason: str
    set_by: str
    set_at: datetime


class Markups(Protocol):
    """All processes take in what any of them sets within seconds; `known` costs no I/O."""

    @property
    def known(self) -> tuple[MarkupRule, ...]:
        """Every rule as known here, also of other times: the same object until one changes."""

    async def list(self) -> Sequence[Markup]:
        """Every markup that was ever set, the newest first."""

    async def set(self, markup: Markup) -> None:
        """Keep a markup; it is known here on return."""

    async def end(self, name: str, at: datetime) -> MarkupRule:
        """End a rule: at that moment, or before it starts. Raises `NotFound`, and `Conflict` when it is over then."""
