"""`help`: the same as `--help` after a command."""

import click

from monkey_coder.cli.command import command
from monkey_coder.cli.options import pass_session
from monkey_coder.cli.session import Session


@command("help", examples=("monkey help implement", "monkey help keys create"))
@click.argument("path", nargs=-1)
@pass_session
@click.pass_context
def show_help(ctx: click.Context, session: Session, path: tuple[str, ...]) -> None:
    """Show help for a command."""
    found, context = _find(ctx, path)
    session.emit({"help": found.get_help(context)}, text=lambda: found.get_help(context))


def _find(ctx: click.Context, path: tuple[str, ...]) -> tuple[click.Command, click.Context]:
    context = ctx.find_root()
    command_: click.Command = context.command
    for name in path:
        child = command_.get_command(context, name) if isinstance(command_, click.Group) else None
        if child is None:
            names = command_.list_commands(context) if isinstance(command_, click.Group) else []
            raise click.exceptions.NoSuchCommand(name, possibilities=names, ctx=context)
        context = click.Context(child, info_name=name, parent=context)
        command_ = child
    return command_, context
