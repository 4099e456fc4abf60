"""A task whose answers you check yourself: what to ask next, within what is left to spend. Sends nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from monkey_coder._requests import Outcome, TaskOptions, Verifier, usd_text
from monkey_coder.errors import MonkeyCoderError
from monkey_coder.results import Execution
from monkey_coder.verification import Verification, repair_files, repair_prompt

ANSWERS = 3
"""How many answers are asked for at most when nothing is said."""
_SEVERAL = frozenset({"branches", "agents", "coordination", "reflections"})


@dataclass(frozen=True, slots=True)
class VerifiedRound:
    """An answer, and how your check of it ended."""

    execution: Execution
    found: Verification


@dataclass(slots=True)
class VerifiedTask:
    """At most `answers` are asked for, one after the other, until one passes.

    The gateway plans them as a cascade: the cheapest model worth trying first, then, told which requests failed, the
    next. Without `cascade` the first goes where it would go anyway. `max_cost` in the options bounds all together.
    """

    prompt: str
    options: TaskOptions
    answers: int = ANSWERS
    verifier: Verifier = "tests"
    cascade: bool = True
    rounds: list[VerifiedRound] = field(default_factory=list)
    stopped: MonkeyCoderError | None = None
    """Why a further answer could not be had, where that was so."""

    @property
    def passed(self) -> bool:
        """Whether the last answer passed."""
        return bool(self.rounds) and self.rounds[-1].found.passed

    @property
    def execution(self) -> Execution:
        """The last answer; there must be one."""
        return self.rounds[-1].execution

    @property
    def cost_usd(self) -> Decimal:
        """What all answers cost together."""
        return sum((each.execution.cost_usd or Decimal(0) for each in self.rounds), Decimal(0))

    @property
    def left(self) -> Decimal | None:
        """What `max_cost` leaves, in USD; None where there is no limit."""
        limit = self.options.get("max_cost")
        return None if limit is None else Decimal(usd_text(limit)) - self.cost_usd

    @property
    def affordable(self) -> bool:
        """Whether there is anything left to spend; not where an answer does not say what it cost."""
        left = self.left
        return left is None or (left > 0 and all(each.execution.cost_usd is not None for each in self.rounds))

    @property
    def over(self) -> bool:
        """Whether no further answer is to be asked for."""
        ended = self.passed or self.stopped is not None or len(self.rounds) >= self.answers
        return ended or (bool(self.rounds) and not self.affordable)

    @property
    def failed(self) -> Sequence[str]:
        """The requests whose answers failed, first to last."""
        ids = [each.execution.request_id for each in self.rounds if not each.found.passed]
        return [name for name in ids if name is not None]

    @property
    def escalates(self) -> bool:
        """Whether the gateway plans whom to ask: not where the options say that several are to answer at once."""
        rule = self.options.get("collapse", "cascade")
        return self.answers > 1 and rule == "cascade" and not _SEVERAL & self.options.keys()

    def untold(self) -> Iterator[tuple[str, Outcome]]:
        """What the gateway is to be told at the end: how the last answer ended, others where no request told it."""
        for each in self.rounds[-1:] if self.escalates else self.rounds:
            if each.execution.request_id is not None:
                yield each.execution.request_id, "tests_passed" if each.found.passed else "tests_failed"

    def request(self) -> tuple[str, TaskOptions]:
        """The prompt and options of the next request."""
        options = self.options.copy()
        options.pop("answers", None)
        planned = self.escalates and (self.cascade or bool(self.rounds))
        if planned:
            options["verifier"] = self.verifier
            options["answers"] = self.answers
        if not self.rounds:
            return self.prompt, options
        options.pop("task_id", None)
        options.pop("quote_id", None)
        last = self.rounds[-1]
        files = options.get("files") or []
        for each in self.rounds:
            files = repair_files(files, each.execution)
        options["files"] = files
        if planned:
            options["failed"] = self.failed
        left = self.left
        if left is not None:
            options["max_cost"] = left
        return repair_prompt(self.prompt, last.found), options
