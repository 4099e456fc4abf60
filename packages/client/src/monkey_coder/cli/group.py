"""A command with subcommands."""

import click

from monkey_coder.cli.command import SETTINGS


def group(name: str, text: str, *commands: click.Command) -> click.Group:
    """A group; without a subcommand it shows its help and succeeds."""
    made = click.Group(name, help=text, callback=_show_help, invoke_without_command=True, context_settings=SETTINGS)
    for command in commands:
        made.add_command(command)
    return made


@click.pass_context
def _show_help(ctx: click.Context) -> None:
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
