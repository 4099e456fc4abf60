"""A task whose files the user's own command checks; on failure the next model of a cascade tries, within limits."""

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monkey_coder.cli import output
from monkey_coder.cli.exits import Exit
from monkey_coder.cli.failures import CommandFailed, Failure, describe
from monkey_coder.cli.quoted import agreed
from monkey_coder.cli.rounds_told import every_round, why_this_model
from monkey_coder.cli.session import Session
from monkey_coder.cli.task_run import Task, TaskFlags, ask, closing_notes, task_options, write_answer
from monkey_coder.errors import BudgetExceededError, MonkeyCoderError

if TYPE_CHECKING:
    from monkey_coder import Client, Execution, TaskOptions, Verification, VerifiedTask
    from monkey_coder._requests import Outcome, Verifier
    from monkey_coder.cli.artifacts import PlannedFile

_SHOWN_LINES = 20
"""Lines of a failed command's output that are shown; the model and --json get more."""


@dataclass(frozen=True, slots=True)
class Check:
    """How an answer is verified: `command` within `timeout` seconds, and how often another answer is asked for.

    `kind` says what the command is. With `cascade` the cheapest model worth trying comes first.
    """

    command: str
    timeout: float
    repairs: int
    kind: "Verifier"
    cascade: bool


@dataclass(frozen=True, slots=True)
class _Round:
    """One answer and how it did. `reported` None: the next request tells the gateway."""

    execution: "Execution"
    written: "list[PlannedFile]"
    found: "Verification"
    reported: bool | None

    def document(self) -> dict[str, Any]:
        """What --json tells of it."""
        about = self.execution
        return {
            **asdict(self.found),
            "passed": self.found.passed,
            "reported": self.reported,
            "request_id": about.request_id,
            "route": about.route,
            "cost_usd": about.cost_usd,
            "receipt_id": about.receipt_id,
        }


def chosen_check(  # noqa: PLR0913  # each keyword is one option
    session: Session,
    *,
    verify: str | None,
    verify_configured: bool,
    verify_timeout: float,
    verify_as: "Verifier",
    repair: int,
    cascade: bool,
) -> Check | None:
    """The check that the options ask for. Raises `click.UsageError` where they do not fit together."""
    command = verify
    if verify_configured and command is None:
        command = session.settings().value("verifyCommand")
        if command is None:
            raise click.UsageError("No verifyCommand is configured; set it in monkey-coder.json or use --verify.")
    if command is None:
        if repair:
            raise click.UsageError("--repair needs a command to verify with: --verify COMMAND.")
        return None
    return Check(command, verify_timeout, repair, verify_as, cascade)


def run_verified(session: Session, task: Task, flags: TaskFlags, check: Check) -> None:
    """Do the task, write its files, run the command, and tell the gateway how it ended.

    Leaves with 1 when the command fails, 3 when that was so after the last repair or money for another is lacking.
    """
    from monkey_coder import VerifiedTask, verification  # noqa: PLC0415  # the SDK is imported when a task runs

    verification.arguments(check.command)  # before anything is paid for
    if flags.output is None:
        raise click.UsageError("--verify checks written files; say where with -o DIR.")
    session.max_cost = flags.max_cost
    options = task_options(session, task, flags)
    asked = VerifiedTask(task.prompt, options, check.repairs + 1, check.kind, check.cascade)
    with session.client(for_task=True) as client:
        prompt, first = asked.request()
        if flags.quote and not agreed(session, client, prompt, first):
            return
        _Rounds(session, client, asked, flags, check).run(prompt, first)


@dataclass(slots=True)
class _Rounds:
    """Answers, one after the other, until one passes or a limit stops it."""

    session: Session
    client: "Client"
    task: "VerifiedTask"
    flags: TaskFlags
    check: Check
    done: list[_Round] = field(default_factory=list)
    own: dict[Path, bytes] = field(default_factory=dict)
    """What earlier answers wrote, which later ones may replace."""

    def run(self, prompt: str, options: "TaskOptions") -> None:
        """All rounds and what is told at the end."""
        self._round(prompt, options)
        while not self.task.passed and len(self.done) < self.task.answers:
            stopped = self._next()
            if stopped is not None:
                self._tell_last()
                self._end(stopped)
        self._end(None if self.task.passed else self._red())

    def _next(self) -> Failure | None:
        """Ask the next model; why that could not be done."""
        if not self.task.affordable:
            return self._out_of_money()
        prompt, options = self.task.request()
        self.session.max_cost = self.task.left
        tried = len(self.done)
        last = self.done[-1].found
        self.session.note(f"Asking again, repair {tried} of {self.check.repairs}: `{last.command}` {last.ending}.")
        try:
            self._round(prompt, options)
        except CommandFailed as error:
            return error.failure
        except MonkeyCoderError as error:
            if isinstance(error, BudgetExceededError) and self.flags.max_cost is not None:
                return self._out_of_money()
            return describe(error)
        return None

    def _round(self, prompt: str, options: "TaskOptions") -> None:
        from monkey_coder import VerifiedRound  # noqa: PLC0415  # the SDK is imported when a task runs

        execution = ask(self.session, self.client, prompt, options, self.flags)
        if self.done and self.done[-1].reported is None:
            self.done[-1] = replace(self.done[-1], reported=True)
        written = write_answer(self.session, execution, self.flags, own=self.own)
        self.own |= {file.target: file.content for file in written}
        for line in (*closing_notes(execution, written, self.flags), *why_this_model(execution)):
            self.session.note(line)
        found = self._verify()
        self.task.rounds.append(VerifiedRound(execution, found))
        goes_on = not found.passed and len(self.task.rounds) < self.task.answers
        reported = None if goes_on and self.task.escalates else self._report(execution, passed=found.passed)
        self.done.append(_Round(execution, written, found, reported))
        if self.session.on("json") and self.flags.stream:
            output.document({"type": "verification", "data": self.done[-1].document()})

    def _tell_last(self) -> None:
        """Tell of an answer that failed, where no further request did."""
        last = self.done[-1]
        if last.reported is None:
            self.done[-1] = replace(last, reported=self._report(last.execution, passed=False))

    def _verify(self) -> "Verification":
        from monkey_coder.verification import verify  # noqa: PLC0415  # the SDK is imported when a task runs

        self.session.note(f"$ {self.check.command}")
        try:
            found = verify(self.check.command, timeout=self.check.timeout)
        except OSError as error:
            raise CommandFailed(
                Exit.TASK_FAILED,
                "not_verified",
                message=f"The files are written, but `{self.check.command}` could not be started: {error.strerror}.",
                hint="Correct the command.",
            ) from error
        if not found.passed:
            for line in found.output_tail.splitlines()[-_SHOWN_LINES:]:
                self.session.note(f"  {line}")
        self.session.note(f"Passed after {found.seconds:.1f} s." if found.passed else f"Failed: it {found.ending}.")
        return found

    def _report(self, execution: "Execution", *, passed: bool) -> bool:
        """Tell the gateway; a failure to do so is no failure of the task."""
        if execution.request_id is None:
            return False
        try:
            outcome: Outcome = "tests_passed" if passed else "tests_failed"
            self.client.feedback(execution.request_id, outcome, verifier=self.check.kind)
        except MonkeyCoderError as error:
            self.session.note(f"The gateway was not told how it ended: {error.message}")
            return False
        return True

    def _out_of_money(self) -> Failure:
        message = f"The command fails, and --max-cost leaves too little of {output.usd(self.flags.max_cost)} to go on."
        return Failure(Exit.STOPPED_BY_LIMIT, "budget_exceeded", message, "Raise --max-cost, or repair it by hand.")

    def _red(self) -> Failure:
        if not self.check.repairs:
            hint = "The files are written; --repair N lets other models try."
            return Failure(Exit.TASK_FAILED, "verification_failed", "The command fails on the answer.", hint)
        message = f"The command still fails after {len(self.done)} answers."
        return Failure(Exit.STOPPED_BY_LIMIT, "repairs_used_up", message, "The last answer's files are written.")

    def _end(self, failure: Failure | None) -> None:
        """Print the one document, say what all of it cost, and leave with the code of the failure."""
        if len(self.done) > 1:
            for line in every_round(self.task):
                self.session.note(line)
        if self.session.on("json") and not self.flags.stream:
            output.document(self._document(failure))
        if failure is not None:
            output.error_line(f"monkey: {failure.message} {failure.hint}".rstrip())
            raise click.exceptions.Exit(failure.exit_code)

    def _document(self, failure: Failure | None) -> dict[str, Any]:
        last = self.done[-1]
        document: dict[str, Any] = output.plain(last.execution)
        document["written"] = [str(file.target) for file in last.written]
        document["verification"] = {
            "passed": last.found.passed,
            "rounds": [each.document() for each in self.done],
            "cost_usd": self.task.cost_usd,
        }
        if failure is not None:
            document["error"] = {"code": failure.code, "message": failure.message, "hint": failure.hint or None}
        return document
