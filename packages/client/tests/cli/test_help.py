"""Help text is a contract: changes show up in a diff of the golden files (MONKEY_GOLDEN=write renews them)."""

import os
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from monkey_coder.cli.app import COMMANDS
from monkey_coder.cli.app import monkey as application
from packages.client.tests.conftest import Ran

GOLDEN = Path(__file__).with_name("golden")


def all_paths() -> list[tuple[str, ...]]:
    paths: list[tuple[str, ...]] = [()]
    context = click.Context(application)
    for name in COMMANDS:
        paths += below((name,), application.get_command(context, name), context)
    return paths


def below(path: tuple[str, ...], found: click.Command | None, context: click.Context) -> list[tuple[str, ...]]:
    """A command, and all there is in it."""
    inside = found.list_commands(context) if isinstance(found, click.Group) else []
    children = [(name, found.get_command(context, name)) for name in inside if isinstance(found, click.Group)]
    return [path, *(each for name, child in children for each in below((*path, name), child, context))]


@pytest.mark.parametrize("path", all_paths(), ids=" ".join)
def test_help_is_as_it_was(monkey: Callable[..., Ran], path: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    shown = [monkey(*path, "--help"), monkey(*path, "-h"), monkey("help", *path)]
    if path in {(), ("auth",), ("auth", "mfa"), ("keys",), ("receipts",), ("config",)}:
        shown.append(monkey(*path))
    assert {ran.code for ran in shown} == {0}
    assert len({ran.out for ran in shown}) == 1
    golden = GOLDEN / f"{'-'.join(path) or 'monkey'}.txt"
    if os.environ.get("MONKEY_GOLDEN") == "write":
        GOLDEN.mkdir(exist_ok=True)
        golden.write_text(shown[0].out)
    assert shown[0].out == golden.read_text()


def test_the_first_page_is_short_and_starts_with_examples(monkey: Callable[..., Ran]) -> None:
    shown = monkey("--help").out
    assert len(shown.encode()) <= 2500
    assert shown.index("Examples:") < shown.index("Work:") < shown.index("Options:")


def test_no_command_takes_a_secret_as_text() -> None:
    context = click.Context(application)
    names = set()
    for path in all_paths()[1:]:
        found: click.Command | None = application
        for name in path:
            assert isinstance(found, click.Group)
            found = found.get_command(context, name)
        assert found is not None
        names |= {name for param in found.params if not getattr(param, "is_flag", False) for name in param.opts}
    assert not {name for name in names if "key" in name and name not in {"--keys", "--key-id", "key", "key_id"}}
    counts = {"--tokens", "--max-tokens", "--day-tokens", "--month-tokens", "--total-tokens", "--rate-tokens"}
    assert not {name for name in names if "password" in name or "token" in name} - counts
