"""`chat`: a conversation, turn by turn; what was said before goes along with each question."""

import sys
import uuid
from typing import Any

import click

from monkey_coder.cli.command import command
from monkey_coder.cli.options import pass_session, task_options
from monkey_coder.cli.route_options import route_options
from monkey_coder.cli.session import Session
from monkey_coder.cli.sources import read_stdin
from monkey_coder.cli.task_run import Task, TaskFlags, run_task

MAX_HISTORY_CHARACTERS = 48_000
Turn = tuple[str, str]


@command(
    "chat", examples=("monkey chat", 'monkey chat "why is this slow?" --model auto:fast', "cat q.txt | monkey chat")
)
@click.argument("message", required=False)
@task_options
@route_options
@pass_session
def chat(session: Session, /, message: str | None, **flags: Any) -> None:
    """Talk about code. With MESSAGE (or stdin) one answer; without, a conversation.

    In a conversation an empty line is ignored, /new forgets what was said, /exit or Ctrl-D ends it.
    """
    task_flags = TaskFlags(**flags)
    if message is None and session.may_ask:
        _converse(session, task_flags)
        return
    words = message if message is not None else read_stdin()
    if not words.strip():
        sentence = "The message is empty; say what is wanted."
        raise click.UsageError(sentence)
    _ask(session, words, [], flags=task_flags, session_id=str(uuid.uuid4()))


def conversation_prompt(message: str, turns: list[Turn]) -> str:
    """The message after as many of the latest turns as fit."""
    kept: list[str] = []
    room = MAX_HISTORY_CHARACTERS
    for question, answer in reversed(turns):
        turn = f"User: {question}\nAssistant: {answer}"
        room -= len(turn)
        if room < 0:
            break
        kept.append(turn)
    if not kept:
        return message
    return "The conversation so far:\n\n" + "\n\n".join(reversed(kept)) + f"\n\nThe user now says:\n\n{message}"


def _converse(session: Session, flags: TaskFlags) -> None:
    turns: list[Turn] = []
    session_id = str(uuid.uuid4())
    session.note("Ask away; /new starts over, /exit or Ctrl-D ends.")
    while (message := _next_message()) not in {None, "/exit", "/quit"}:
        if message == "/new":
            turns, session_id = [], str(uuid.uuid4())
        elif message:
            answer = _ask(session, message, turns, flags=flags, session_id=session_id)
            if answer is not None:
                turns.append((message, answer))


def _next_message() -> str | None:
    sys.stderr.write("> ")
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        sys.stderr.write("\n")
        return None
    return line.strip()


def _ask(session: Session, message: str, turns: list[Turn], *, flags: TaskFlags, session_id: str) -> str | None:
    task = Task(
        task_type="chat",
        prompt=conversation_prompt(message, turns),
        persona="developer",
        follows_default_persona=True,
        session_id=session_id,
    )
    answer = run_task(session, task, flags)
    return None if answer is None else answer.text
