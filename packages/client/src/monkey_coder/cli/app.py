"""The table of commands. `monkey --help` reads only this; a command's module is imported when it runs."""

from importlib import import_module
from typing import Any

import click

from monkey_coder.cli.command import SETTINGS
from monkey_coder.cli.options import common_options

Table = dict[str, tuple[str, str]]
"""Command name to its module and one line of help."""

SECTIONS: dict[str, Table] = {
    "Work": {
        "implement": ("tasks", "Write code for a description."),
        "build": ("tasks", "Design and build a small project."),
        "test": ("tasks", "Write tests for files."),
        "review": ("tasks", "Review files and propose changes."),
        "analyze": ("tasks", "Analyze quality, security or performance of files."),
        "explain": ("tasks", "Explain what files do."),
        "chat": ("chat", "Talk about code."),
    },
    "Models and money": {
        "models": ("catalog", "List the models you can ask."),
        "providers": ("catalog", "List the providers behind the gateway."),
        "quote": ("quote", "Say what a task would cost."),
        "usage": ("usage", "Show what you used, and how long your credit lasts."),
        "balance": ("billing", "Show what is left."),
        "limits": ("limits", "Show what counts for your key, and who says so."),
        "billing": ("buying", "Buy credit, give it back, top up automatically."),
        "statement": ("statement", "Show what moved your balance in a month."),
        "invoices": ("invoices", "Show what each month came to, and what is due."),
        "receipts": ("receipts", "Show and verify signed receipts."),
        "feedback": ("feedback", "Tell how an answer turned out; routing learns from it."),
    },
    "Account and setup": {
        "auth": ("auth", "Log in and out, make an account, print the key."),
        "keys": ("keys", "List, create and revoke API keys."),
        "orgs": ("orgs", "Organizations: people, teams, projects, limits."),
        "config": ("config", "Read and change the configuration."),
        "health": ("health", "Ask whether the gateway serves."),
        "help": ("help_command", "Show help for a command."),
    },
}
COMMANDS: Table = {name: entry for table in SECTIONS.values() for name, entry in table.items()}
EXAMPLES = (
    "monkey auth register",
    "monkey auth login",
    'monkey implement "create a REST API" -o api',
    "monkey review src/app.py --model auto:best",
    "git diff | monkey explain -",
)


class LazyGroup(click.Group):
    """Finds a command in the table and imports its module only then."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """All names, for help and for suggestions."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's signature
        """The command, or None."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"monkey_coder.cli.commands.{COMMANDS[cmd_name][0]}")
        found: Any = getattr(module, cmd_name.replace("help", "show_help"))
        return found if isinstance(found, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's, but suggestions come from the table."""
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            raise click.exceptions.NoSuchCommand(error.command_name, possibilities=COMMANDS, ctx=ctx) from error

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Usage, examples, the table, the options."""
        self.format_usage(ctx, formatter)
        self.format_help_text(ctx, formatter)
        with formatter.section("Examples"):
            for example in EXAMPLES:
                formatter.write(f"{'':>{formatter.current_indent}}{example}\n")
        for title, table in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, text) for name, (_, text) in table.items()])
        self.format_options(ctx, formatter)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Only the options: the commands are in their sections already."""
        click.Command.format_options(self, ctx, formatter)


@click.group(
    "monkey", cls=LazyGroup, invoke_without_command=True, context_settings=SETTINGS, params=list(common_options())
)
@click.version_option(package_name="monkey-coder", message="monkey %(version)s")
@click.pass_context
def monkey(ctx: click.Context) -> None:
    """One key for every coding model: write, review and explain code, and see what it cost."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
