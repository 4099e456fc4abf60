"""One run of the command line: the boundary where every error becomes a sentence and an exit code."""

import os
import sys
import traceback
from collections.abc import Sequence

import click

from monkey_coder.cli import output
from monkey_coder.cli.app import monkey
from monkey_coder.cli.exits import Exit
from monkey_coder.cli.failures import CommandFailed, Failure, describe
from monkey_coder.cli.session import Session
from monkey_coder.errors import MonkeyCoderError


def run(arguments: Sequence[str], *, session: Session | None = None) -> int:
    """Run one command; return its exit code."""
    session = session or Session()
    if "--json" in arguments:
        session.flags["json"] = True  # a usage error is found before the flag is parsed
    output.prepare_streams()
    try:
        code = _invoke(list(arguments), session)
        sys.stdout.flush()
    except BrokenPipeError:
        _abandon_stdout()
        return Exit.BROKEN_PIPE
    return code


def _invoke(arguments: list[str], session: Session) -> int:
    try:
        with monkey.make_context("monkey", arguments, obj=session) as context:
            monkey.invoke(context)
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except (KeyboardInterrupt, click.Abort):
        session.note("Stopped.")
        return Exit.INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001  # the boundary: whatever it is, the user gets a sentence and a code
        failure = _failure(error, session)
        _report(failure, session)
        return failure.exit_code
    return Exit.DONE


def _failure(error: Exception, session: Session) -> Failure:
    if session.on("debug"):
        traceback.print_exception(error)
    if isinstance(error, CommandFailed):
        return error.failure
    if isinstance(error, MonkeyCoderError):
        return describe(error, max_cost=session.max_cost)
    if isinstance(error, click.UsageError):
        path = error.ctx.command_path if error.ctx else "monkey"
        return Failure(Exit.USAGE, "usage", _one_line(error.format_message()), f"See `{path} --help`.")
    if isinstance(error, click.ClickException):
        return Failure(Exit.USAGE, "usage", _one_line(error.format_message()))
    if isinstance(error, OSError):
        return Failure(Exit.TASK_FAILED, "system", f"{error.strerror or error}: {error.filename or ''}".rstrip(": "))
    message = f"Something is wrong inside monkey: {type(error).__name__}: {error}."
    return Failure(Exit.INTERNAL, "internal", message, "Run it again with --debug and report the traceback.")


def _one_line(message: str) -> str:
    words = " ".join(message.split())
    return words if words.endswith((".", "?", ")")) else f"{words}."


def _report(failure: Failure, session: Session) -> None:
    if session.on("json"):
        words = {"code": failure.code, "message": failure.message, "hint": failure.hint or None}
        output.document({"error": {**words, "request_id": failure.request_id, **(failure.facts or {})}})
    sentence = f"monkey: {_one_line(failure.message)} {failure.hint}".rstrip()
    about = f" (request {failure.request_id})" if failure.request_id else ""
    output.error_line(sentence + about)


def _abandon_stdout() -> None:
    """The reader left: give the interpreter's last flush somewhere to go."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
