"""`auth password|sessions`: what a person does about their log-in, who proves by their password that it is them."""

from typing import TYPE_CHECKING

import click

from monkey_coder.cli import output
from monkey_coder.cli.command import command
from monkey_coder.cli.options import pass_session
from monkey_coder.cli.person_login import NEW_PASSWORD, address_of, asked, logged_in, person_options
from monkey_coder.cli.session import Session

if TYPE_CHECKING:
    from monkey_coder_protocol.identity import SessionInfo


@command(
    "password",
    examples=("monkey auth password", "monkey auth password --forgot --email you@example.com"),
)
@person_options
@click.option("--forgot", is_flag=True, help="Have a mail sent to set a new password with.")
@pass_session
def password(session: Session, email: str | None, *, password_stdin: bool, forgot: bool) -> None:
    """Change your password, which logs you out everywhere else. Keys go on working."""
    if forgot:
        with session.client(needs_key=False) as client:
            address = address_of(session, client, email, ask=asked if session.may_ask else None)
            done = client.auth.forgot_password(address)
        session.emit(done, text=lambda: done.message)
        return
    with logged_in(session, email, password_stdin=password_stdin) as person:
        changed = person.client.auth.change_password(person.password, person.ask(NEW_PASSWORD))
    session.emit(changed, text=lambda: changed.message)


@command(
    "sessions", examples=("monkey auth sessions", "monkey auth sessions --end ses_…", "monkey auth sessions --end-all")
)
@person_options
@click.option("--end", "end", metavar="ID", help="End this session.")
@click.option("--end-all", is_flag=True, help="End all of them.")
@pass_session
def sessions(session: Session, email: str | None, end: str | None, *, password_stdin: bool, end_all: bool) -> None:
    """Show where you are logged in in a browser or an app; end it there. Keys are listed by `monkey keys list`."""
    if end and end_all:
        message = "Say --end ID or --end-all, not both."
        raise click.UsageError(message)
    with logged_in(session, email, password_stdin=password_stdin) as person:
        auth = person.client.auth
        if end:
            told = auth.end_session(end)
            session.emit(told, text=lambda: told.message)
        elif end_all:
            ended = auth.end_sessions(this_one=False)
            session.emit(ended, text=lambda: ended.message)
        else:
            found = [each for each in auth.sessions().sessions if not each.current]
            session.emit({"sessions": found, "count": len(found)}, text=lambda: _table(found))


def _table(found: "list[SessionInfo]") -> str:
    if not found:
        return "You are logged in nowhere else."
    rows = [(each.session_id, (each.created_at or "")[:16], each.address, each.agent[:40]) for each in found]
    return output.columns(("id", "since", "address", "program"), rows)
