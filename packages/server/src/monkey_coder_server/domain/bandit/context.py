"""What is known of a task before it is done: its kind from coarse to fine, how recent it is, and its text."""

from dataclasses import dataclass
from datetime import date

from monkey_coder_server.domain.bandit.text import Text, read_text

DEPTH = 3
"""Levels of kind below everything: kind of task, its language, its group."""
_NEUTRAL_DAY = date(2024, 1, 1).toordinal()
_HALF_YEAR = 182.5

Node = tuple[str, ...]
"""A kind of work as the path to it: `()` is all work, `("codegen",)` a kind of task, then its language and group."""


def path_to(kind: str, language: str, group: str) -> tuple[Node, ...]:
    """The kinds a task of a group belongs to, all work first."""
    return (), (kind,), (kind, language), (kind, language, group)


@dataclass(frozen=True, slots=True)
class Context:
    """A task as the router sees it.

    `nodes` are the kinds it belongs to, all work first. `recency` counts half-years since 2024, 0 where no date is
    known: what is newer than a model's training is harder for it. `text` is None where there is none to read.
    """

    nodes: tuple[Node, ...]
    recency: float = 0.0
    text: Text | None = None

    @classmethod
    def of(
        cls, kind: str, language: str = "", group: str = "", *, day: date | None = None, prompt: str | None = None
    ) -> "Context":
        """Of a task of a kind, of a group such as a repository or a tenant."""
        return cls(
            path_to(kind, language, group),
            0.0 if day is None else (day.toordinal() - _NEUTRAL_DAY) / _HALF_YEAR,
            read_text(prompt) if prompt else None,
        )


ANYTHING = Context(((),))
"""A task of which nothing is known."""
