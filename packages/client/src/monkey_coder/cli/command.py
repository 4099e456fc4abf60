"""How a command of `monkey` presents itself: examples before options, common options last."""

from collections.abc import Callable
from typing import Any

import click

from monkey_coder.cli.options import common_options

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Command(click.Command):
    """A command with examples and the options that all share."""

    def __init__(self, *args: Any, examples: tuple[str, ...] = (), **attributes: Any) -> None:
        attributes.setdefault("context_settings", SETTINGS)
        super().__init__(*args, **attributes)
        self.examples = examples
        self.common = common_options()
        self.params = [*self.params, *self.common]

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The text, then the examples."""
        super().format_help_text(ctx, formatter)
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    formatter.write(f"{'':>{formatter.current_indent}}{example}\n")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The command's own options first."""
        own = [param for param in self.get_params(ctx) if isinstance(param, click.Option) and param not in self.common]
        for title, params in (("Options", own), ("Options of every command", self.common)):
            records = [record for param in params if (record := param.get_help_record(ctx))]
            with formatter.section(title):
                formatter.write_dl(records)


def command(name: str, *, examples: tuple[str, ...] = ()) -> Callable[[Callable[..., Any]], Command]:
    """Declare a command by name."""
    return click.command(name, cls=Command, examples=examples)
