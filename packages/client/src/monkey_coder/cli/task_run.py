"""One task from request to files: asks, shows the answer, writes, and says what it cost."""

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monkey_coder.cli import artifacts, output
from monkey_coder.cli.exits import Exit
from monkey_coder.cli.explanation import explanation
from monkey_coder.cli.failures import CommandFailed
from monkey_coder.cli.quoted import agreed
from monkey_coder.cli.safe_paths import UnsafePath
from monkey_coder.cli.session import Session

if TYPE_CHECKING:
    from monkey_coder import Client, Execution, FileData, RoutingWeights, Stream, StreamEvent, TaskOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFlags:
    """The options of `options.task_options` and `route_options.route_options`, as click hands them over."""

    persona: str | None
    model: str | None
    providers: tuple[str, ...]
    max_cost: Decimal | None
    quote: bool
    explain: bool
    max_tokens: int | None
    temperature: float | None
    instructions: str | None
    weights: "RoutingWeights | None"
    collapse: str | None
    branches: int | None
    agents: int | None
    coordination: str | None
    reflections: int | None
    output: Path | None
    force: bool
    stream: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a command asks for. `persona` is used when neither flag nor configuration names one."""

    task_type: str
    prompt: str
    persona: str
    follows_default_persona: bool = False
    files: Sequence["FileData"] = ()
    session_id: str | None = None


def run_task(session: Session, task: Task, flags: TaskFlags) -> "Execution | None":
    """Do the task and everything after it; None when only its price was asked for, or was too high.

    Raises `CommandFailed` or `MonkeyCoderError`.
    """
    session.max_cost = flags.max_cost
    options = task_options(session, task, flags)
    with session.client(for_task=True) as client:
        if flags.quote and not agreed(session, client, task.prompt, options):
            return None
        execution = ask(session, client, task.prompt, options, flags)
    written = write_answer(session, execution, flags)
    if session.on("json") and not flags.stream:
        _print_document(execution, written)
    for line in closing_notes(execution, written, flags):
        session.note(line)
    return execution


def ask(session: Session, client: "Client", prompt: str, options: "TaskOptions", flags: TaskFlags) -> "Execution":
    """Ask and show the answer. Raises `CommandFailed` for a task that failed, or `MonkeyCoderError`."""
    if flags.stream is False or (session.on("json") and not flags.stream):
        with _spinner(session):
            execution = client.execute(prompt, **options)
        _show_whole(session, execution)
    else:
        execution = _follow(session, lambda: client.stream(prompt, **options))
    _refuse_failed(execution)
    return execution


def write_answer(
    session: Session, execution: "Execution", flags: TaskFlags, *, own: Mapping[Path, bytes] | None = None
) -> list[artifacts.PlannedFile]:
    """Write the answer's files where -o says. `own` are files this run wrote before, which may be replaced.

    Raises `CommandFailed`.
    """
    try:
        return _write_files(session, execution, flags, own or {})
    except CommandFailed:
        session.note(summary(execution))  # nothing was written, yet the answer was paid for
        raise


def closing_notes(execution: "Execution", written: Sequence[artifacts.PlannedFile], flags: TaskFlags) -> list[str]:
    """What became of the files, what to know of the answer, why this model where that is asked, and what it cost."""
    why = explanation(execution) if flags.explain else ""
    return [*file_notes(execution, written), *caveats(execution), *filter(None, [why]), summary(execution)]


def task_options(session: Session, task: Task, flags: TaskFlags) -> "TaskOptions":
    """The SDK's options for this task."""
    found = session.settings()
    default_persona = found.value("defaultPersona") if task.follows_default_persona else None
    provider = found.value("defaultProvider")
    chosen: dict[str, Any] = {
        "task_type": task.task_type,
        "files": list(task.files),
        "session_id": task.session_id,
        "persona": flags.persona or default_persona or task.persona,
        "model": flags.model or found.value("defaultModel"),
        "providers": list(flags.providers) or ([provider] if provider else []),
        "max_cost": flags.max_cost,
        "max_tokens": flags.max_tokens,
        "temperature": flags.temperature,
        "instructions": flags.instructions,
        "weights": flags.weights,
        "collapse": flags.collapse,
        "branches": flags.branches,
        "agents": flags.agents,
        "coordination": flags.coordination,
        "reflections": flags.reflections,
        "timeout": session.timeout,
    }
    options: TaskOptions = {}
    options.update({key: value for key, value in chosen.items() if value not in (None, [])})  # type: ignore[typeddict-item]  # the keys are TaskOptions' own
    return options


def summary(execution: "Execution") -> str:
    """Route, tokens, cost, balance and receipt in one line."""
    parts = [execution.route]
    if execution.usage:
        parts.append(f"{execution.usage.tokens_input:,} in + {execution.usage.tokens_output:,} out tokens")
    if execution.cost_usd is not None:
        parts.append(f"cost {output.usd(execution.cost_usd)}")
    if execution.balance_usd is not None:
        parts.append(f"balance {output.usd(execution.balance_usd)}")
    if execution.receipt_id:
        parts.append(f"receipt {execution.receipt_id}")
    return " · ".join(part for part in parts if part)


def _spinner(session: Session) -> AbstractContextManager[Any]:
    if session.on("quiet") or not session.lively(sys.stderr):
        return nullcontext()
    from monkey_coder.cli import render  # noqa: PLC0415  # rich only where a terminal is

    return render.Waiting(colours=session.colours)


def _show_whole(session: Session, execution: "Execution") -> None:
    if session.on("json") or not execution.text:
        return
    if session.lively(sys.stdout):
        from monkey_coder.cli import render  # noqa: PLC0415  # rich only where a terminal is

        render.markdown(execution.text, colours=session.colours)
    else:
        output.line(execution.text)


def _follow(session: Session, begin: Callable[[], "Stream"]) -> "Execution":
    """Show an answer as it comes. Whatever moves is started first: the first event may take a while."""
    if session.on("json"):
        with begin() as stream:
            for event in stream:
                output.document(event)
            return stream.final()
    if session.lively(sys.stdout):
        return _follow_on_terminal(session, begin)
    return _follow_as_text(session, begin)


def _follow_on_terminal(session: Session, begin: Callable[[], "Stream"]) -> "Execution":
    from monkey_coder.cli import render  # noqa: PLC0415  # rich only where a terminal is

    with render.LiveAnswer(colours=session.colours) as answer, session.notes_to(answer.note), begin() as stream:
        for event in stream:
            if event.type == "delta" and isinstance(event.data, str):
                answer.add(event.data)
            elif step := _step(event):
                answer.step(step)
        if not stream.text:
            answer.add(stream.final().text)
        return stream.final()


def _follow_as_text(session: Session, begin: Callable[[], "Stream"]) -> "Execution":
    with _spinner(session) as spinner, begin() as stream:
        for event in stream:
            if event.type == "delta" and isinstance(event.data, str):
                if spinner is not None:
                    spinner.stop()
                output.write(event.data)
            elif spinner is not None and (step := _step(event)):
                spinner.step(step)
        execution = stream.final()
    rest = "" if stream.text else execution.text
    if not (stream.text + rest).endswith("\n"):
        rest += "\n"
    output.write(rest)
    return execution


def _step(event: "StreamEvent") -> str:
    """A progress event in words."""
    from monkey_coder.results import route_name  # noqa: PLC0415  # the SDK is imported when a task runs

    if event.type != "progress" or not event.progress:
        return ""
    step, metadata = event.progress.step, event.progress.metadata
    route = route_name(metadata.get("provider"), metadata.get("model")) if isinstance(metadata, dict) else ""
    return f"{route} is {step}" if route and step.endswith("ing") else step


def _refuse_failed(execution: "Execution") -> None:
    if execution.status in {"failed", "cancelled"} or execution.result is None:
        reason = execution.error or f"The task ended as {execution.status}."
        raise CommandFailed(Exit.TASK_FAILED, "task_failed", message=reason, hint="Run it again or reword it.")


def _write_files(
    session: Session, execution: "Execution", flags: TaskFlags, own: Mapping[Path, bytes]
) -> list[artifacts.PlannedFile]:
    if flags.output is None:
        return []
    if not execution.artifacts:
        raise CommandFailed(
            Exit.UNUSABLE_OUTPUT,
            "no_files",
            message="The answer holds no files, so nothing was written.",
            hint="Ask for files in the prompt, or leave -o out.",
        )
    try:
        planned = artifacts.plan(flags.output, execution.artifacts)
    except UnsafePath as error:
        raise CommandFailed(
            Exit.UNUSABLE_OUTPUT,
            "unsafe_path",
            message=f"The answer wants to write {error}; nothing was written.",
            hint="Run it again.",
        ) from error
    foreign = [file for file in planned if file.before is None or own.get(file.target) != file.before]
    _confirm_changes(session, foreign, force=flags.force)
    artifacts.write(flags.output, planned)
    return planned


def _confirm_changes(session: Session, planned: Sequence[artifacts.PlannedFile], *, force: bool) -> None:
    different = [file for file in planned if file.state == "different"]
    if force or not different:
        return
    names = ", ".join(file.name for file in different)
    refusal = CommandFailed(
        Exit.TASK_FAILED,
        "would_overwrite",
        message=f"These files exist and differ: {names}; nothing was written.",
        hint="Repeat with --force to replace them.",
    )
    if not session.may_ask:
        raise refusal
    from monkey_coder.cli import render  # noqa: PLC0415  # rich only where a terminal is

    for file in different:
        render.difference(file.difference(), colours=session.colours)
    if not click.confirm(f"Replace {names}?", default=False, err=True):
        raise refusal


def _print_document(execution: "Execution", written: Sequence[artifacts.PlannedFile]) -> None:
    document = output.plain(execution)
    if written:
        document["written"] = [str(file.target) for file in written]
    output.document(document)


def file_notes(execution: "Execution", written: Sequence[artifacts.PlannedFile]) -> list[str]:
    """What became of the answer's files."""
    words = {"new": "wrote", "same": "unchanged", "different": "replaced"}
    if written:
        return [f"{words[file.state]} {file.target}" for file in written]
    names = [artifact.filename for artifact in execution.artifacts]
    count = "1 file" if len(names) == 1 else f"{len(names)} files"
    return [f"The answer holds {count} ({', '.join(names)}); -o DIR writes them."] if names else []


def caveats(execution: "Execution") -> list[str]:
    """What a reader of the answer should know before using it."""
    metadata, found = execution.metadata, []
    if execution.finish_reason == "length":
        found.append("The answer was cut off at its longest; allow more with --max-tokens.")
    if unfinished := metadata.get("unfinished_file"):
        found.append(f"{unfinished} was not finished by the model.")
    refused = [file for file in metadata.get("refused_files") or [] if isinstance(file, dict)]
    return found + [f"The gateway left out {file.get('path')}: {file.get('reason')}." for file in refused]
