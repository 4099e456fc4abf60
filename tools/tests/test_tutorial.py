"""Every `monkey` command of the documents is one that the command line takes: names, options and arguments."""

import re
import shlex
from pathlib import Path

import click
import pytest

from monkey_coder.cli.app import monkey
from monkey_coder.cli.session import Session
from monkey_coder_server.__main__ import _parser

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_LINE = re.compile(r"^(?:\$ )?(?:[^#|\n]*\| )?(monkey(?:-server)? [^|#>)\n]+)", re.MULTILINE)


def commands() -> list[tuple[str, str]]:
    """What stands in code blocks, each with the document it stands in."""
    found = []
    for document in DOCUMENTS:
        for block in re.findall(r"```(?:console|sh)?\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL):
            found += [(document.name, line.strip()) for line in _LINE.findall(block)]
    return found


def parse(words: list[str]) -> None:
    """Read a command line as click would, without running it. Raises `click.UsageError`."""
    context = monkey.make_context("monkey", words, obj=Session(environ={}))
    current: click.Command = monkey
    while isinstance(current, click.Group):
        name, found, rest = current.resolve_command(context, [*context._protected_args, *context.args])
        assert found is not None
        current = found
        context = found.make_context(name, rest, parent=context)


@pytest.mark.parametrize(("document", "line"), sorted(set(commands())), ids=lambda text: text[:60])
def test_a_documented_command_exists_with_its_options(document: str, line: str) -> None:
    program, *words = shlex.split(line)
    if program == "monkey":
        parse(words)
    else:
        _parser().parse_args(words)


def test_the_documents_show_commands() -> None:
    assert len(commands()) > 20
