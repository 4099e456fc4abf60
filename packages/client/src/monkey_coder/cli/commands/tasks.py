"""`implement`, `build`, `test`, `review`, `analyze`, `explain`: one task each."""

from typing import Any

import click

from monkey_coder.cli.command import command
from monkey_coder.cli.options import pass_session, task_options, verify_options
from monkey_coder.cli.route_options import route_options
from monkey_coder.cli.session import Session
from monkey_coder.cli.sources import STDIN, read_sources, read_stdin
from monkey_coder.cli.task_run import Task, TaskFlags, run_task
from monkey_coder.cli.verified import chosen_check, run_verified

_ANALYSES = {
    "quality": ("reviewer", "Analyze the quality of the given code: structure, naming, errors, tests, clarity."),
    "security": ("security_analyst", "Analyze the security of the given code: what can be attacked, how, how bad."),
    "performance": ("performance_expert", "Analyze the performance of the given code: what is slow, why, what helps."),
}


@command(
    "implement",
    examples=(
        'monkey implement "create a REST API" -o api',
        'monkey implement "add paging" src/views.py src/models.py -o . --force',
        'monkey implement "fix the totals" src/totals.py --collapse vote --branches 3 --weights quality=1,cost=0.3',
        'monkey implement "fix the totals" src/*.py -o . --force --verify "pytest -q" --repair 2 --max-cost 0.50',
        "cat task.txt | monkey implement - --model auto:best",
    ),
)
@click.argument("prompt")
@click.argument("files", nargs=-1)
@task_options
@route_options
@verify_options
@pass_session
def implement(session: Session, /, prompt: str, files: tuple[str, ...], **flags: Any) -> None:
    """Write code for PROMPT, with FILES as context.

    PROMPT may be `-` for stdin. FILES may be globs such as 'src/**/*.py', or `-` for stdin.
    """
    task = Task(
        task_type="code_generation",
        prompt=_prompt(prompt),
        persona="developer",
        follows_default_persona=True,
        files=read_sources(files),
    )
    _run_checked(session, task, flags)


@command("build", examples=('monkey build "a URL shortener with tests" -o shortener',))
@click.argument("prompt")
@click.argument("files", nargs=-1)
@task_options
@route_options
@verify_options
@pass_session
def build(session: Session, /, prompt: str, files: tuple[str, ...], **flags: Any) -> None:
    """Design and build a small project for PROMPT, with FILES as context. PROMPT may be `-` for stdin."""
    words = f"Design and build a complete small project, with every file it needs to run: {_prompt(prompt)}"
    task = Task(task_type="custom", prompt=words, persona="architect", files=read_sources(files))
    _run_checked(session, task, flags)


@command("test", examples=("monkey test src/money.py -o tests", "monkey test lib/*.js --framework vitest -o tests"))
@click.argument("files", nargs=-1, required=True)
@click.option("-f", "--framework", metavar="NAME", help="Test framework, such as pytest.")
@task_options
@route_options
@pass_session
def test(session: Session, /, files: tuple[str, ...], framework: str | None, **flags: Any) -> None:
    """Write tests for FILES (globs and `-` for stdin too)."""
    words = "Write tests for the given code that fail when it breaks."
    if framework:
        words += f" Use {framework}."
    task = Task(task_type="testing", prompt=words, persona="tester", files=read_sources(files))
    run_task(session, task, TaskFlags(**flags))


@command("review", examples=("monkey review src/app.py", "git diff | monkey review -"))
@click.argument("files", nargs=-1, required=True)
@task_options
@route_options
@pass_session
def review(session: Session, /, files: tuple[str, ...], **flags: Any) -> None:
    """Review FILES (globs and `-` for stdin too) and propose changes."""
    words = "Review the given code: say what is wrong or risky, most serious first, and propose the change for each."
    task = Task(task_type="code_review", prompt=words, persona="reviewer", files=read_sources(files))
    run_task(session, task, TaskFlags(**flags))


@command("analyze", examples=("monkey analyze src/*.py", "monkey analyze src/auth.py --type security"))
@click.argument("files", nargs=-1, required=True)
@click.option("-t", "--type", "kind", type=click.Choice(list(_ANALYSES)), default="quality", help="What to look at.")
@task_options
@route_options
@pass_session
def analyze(session: Session, /, files: tuple[str, ...], kind: str, **flags: Any) -> None:
    """Analyze quality, security or performance of FILES (globs and `-` for stdin too)."""
    persona, words = _ANALYSES[kind]
    task = Task(task_type="code_analysis", prompt=words, persona=persona, files=read_sources(files))
    run_task(session, task, TaskFlags(**flags))


@command("explain", examples=("monkey explain src/router.py", "git diff | monkey explain -"))
@click.argument("files", nargs=-1, required=True)
@task_options
@route_options
@pass_session
def explain(session: Session, /, files: tuple[str, ...], **flags: Any) -> None:
    """Explain what FILES (globs and `-` for stdin too) do."""
    words = "Explain what the given code does, how its parts work together, and what a newcomer should know."
    task = Task(
        task_type="documentation",
        prompt=words,
        persona="technical_writer",
        follows_default_persona=True,
        files=read_sources(files),
    )
    run_task(session, task, TaskFlags(**flags))


def _run_checked(session: Session, task: Task, flags: dict[str, Any]) -> None:
    """Do the task; its files are verified where the options ask for that."""
    names = ("verify", "verify_configured", "verify_timeout", "verify_as", "repair", "cascade")
    asked = {name: flags.pop(name) for name in names}
    check = chosen_check(session, **asked)
    if check is None:
        run_task(session, task, TaskFlags(**flags))
    else:
        run_verified(session, task, TaskFlags(**flags), check)


def _prompt(words: str) -> str:
    text = read_stdin() if words == STDIN else words
    if not text.strip():
        message = "The prompt is empty; say what is wanted."
        raise click.UsageError(message)
    return text
