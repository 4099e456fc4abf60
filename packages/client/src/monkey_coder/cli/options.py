"""Options that many commands share. None of them takes a secret as text."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, TypeVar

import click

from monkey_coder.cli.session import Session

F = TypeVar("F", bound=Callable[..., Any])
pass_session = click.make_pass_decorator(Session)


class Amount(click.ParamType[Decimal]):
    """USD as an exact decimal."""

    name = "usd"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        """A positive, finite amount."""
        try:
            amount = Decimal(str(value).removeprefix("$"))
        except InvalidOperation:
            self.fail(f"{value!r} is not an amount; write it like 0.25.", param, ctx)
        if not amount.is_finite() or amount <= 0:
            self.fail(f"{value!r} must be more than 0.", param, ctx)
        return amount


AMOUNT = Amount()
DAY = click.DateTime(["%Y-%m-%d"])


def day(moment: Any) -> str | None:
    """A day that `DAY` read, as the gateway takes it."""
    return moment.strftime("%Y-%m-%d") if moment else None


def common_options() -> list[click.Option]:
    """What every command understands, before or after its name."""
    return [
        _remembered("--json", help="Print one JSON document on stdout, for errors too.", is_flag=True),
        _remembered("--base-url", metavar="URL", help="The gateway's address."),
        _remembered("--timeout", type=click.FloatRange(1, 3600), metavar="S", help="Seconds to allow in all."),
        _remembered("--quiet", "-q", help="Only the answer and errors.", is_flag=True),
        _remembered("--no-input", help="Never ask; fail instead.", is_flag=True),
        _remembered("--no-color", help="No colours.", is_flag=True),
        _remembered("--debug", help="Show a traceback when something goes wrong.", is_flag=True),
    ]


def task_options(command: F) -> F:
    """What a task can be told."""
    for option in reversed(_TASK_OPTIONS):
        command = option(command)
    return command


def verify_options(command: F) -> F:
    """How the files of an answer are checked."""
    for option in reversed(_VERIFY_OPTIONS):
        command = option(command)
    return command


def _remembered(*names: str, **attributes: Any) -> click.Option:
    return click.Option(names, expose_value=False, callback=_remember, **attributes)


def _remember(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    if value and param.name:
        ctx.ensure_object(Session).flags[param.name] = value
    return value


_TASK_OPTIONS = (
    click.option("-p", "--persona", metavar="NAME", help="Who answers: developer, architect, reviewer, tester, …"),
    click.option(
        "-m", "--model", metavar="NAME", help="auto, auto:cheap, auto:fast, auto:best, provider/model or a model."
    ),
    click.option("--provider", "providers", multiple=True, metavar="NAME", help="Prefer this provider; repeatable."),
    click.option("--max-cost", type=AMOUNT, metavar="USD", help="Refuse what could cost more."),
    click.option("--quote", is_flag=True, help="First show what it would cost; go on only when told to."),
    click.option("--explain", is_flag=True, help="Say why this model answered, with the numbers."),
    click.option("--max-tokens", type=click.IntRange(min=1), metavar="N", help="Longest answer."),
    click.option("--temperature", type=click.FloatRange(0, 2), metavar="T", help="0 to 2."),
    click.option("--instructions", metavar="TEXT", help="More instructions for the answer."),
    click.option(
        "-o",
        "--output",
        type=click.Path(path_type=Path, file_okay=False),
        metavar="DIR",
        help="Write the answer's files into DIR.",
    ),
    click.option("--force", is_flag=True, help="Let -o replace files that differ."),
    click.option("--stream/--no-stream", default=None, help="Show the answer as it comes, or only when whole."),
)
_VERIFY_OPTIONS = (
    click.option(
        "--verify",
        metavar="COMMAND",
        help="Run COMMAND here once the files are written, such as 'pytest -q', and tell the gateway how it ended.",
    ),
    click.option("--verify-configured", is_flag=True, help="Verify with the configuration's verifyCommand."),
    click.option(
        "--verify-timeout",
        type=click.FloatRange(min=1),
        default=300.0,
        metavar="S",
        help="Seconds COMMAND may run; 300 when left out.",
    ),
    click.option(
        "--repair",
        type=click.IntRange(0, 5),
        default=0,
        metavar="N",
        help="When COMMAND fails, ask the next model up to N times, with its output.",
    ),
    click.option(
        "--cascade/--no-cascade",
        default=True,
        help="With --repair: the cheapest model worth trying first, or the one that would answer anyway.",
    ),
    click.option(
        "--verify-as",
        type=click.Choice(["tests", "build", "lint"]),
        default="tests",
        help="What COMMAND is: how far each is believed is learnt apart.",
    ),
)
