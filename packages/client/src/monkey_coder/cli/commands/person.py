"""`auth password|sessions`: what a person does about their log-in, who proves by their password that it is them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from monkey_coder.cli import output
from monkey_coder.cli.command import command
from monkey_coder.cli.exits import Exit
from monkey_coder.cli.failures import CommandFailed
from monkey_coder.cli.options import pass_session
from monkey_coder.cli.session import Session

if TYPE_CHECKING:
    from monkey_coder import Client
    from monkey_coder_protocol.identity import SessionInfo

_NOBODY_TO_ASK = "Passwords are typed in here, and nobody can be asked; run this in a terminal."


@command(
    "password",
    examples=("monkey auth password", "monkey auth password --forgot --email you@example.com"),
)
@click.option("--email", metavar="EMAIL", help="The account's email, by default that of your key.")
@click.option("--forgot", is_flag=True, help="Have a mail sent to set a new password with.")
@pass_session
def password(session: Session, email: str | None, *, forgot: bool) -> None:
    """Change your password, which logs you out everywhere else. Keys go on working."""
    if forgot:
        with session.client(needs_key=False) as client:
            done = client.auth.forgot_password(_address(session, email))
        session.emit(done, text=lambda: done.message)
        return
    with _as_person(session, email) as (client, present):
        new = str(click.prompt("New password", hide_input=True, confirmation_prompt=True, err=True))
        changed = client.auth.change_password(present, new)
    session.emit(changed, text=lambda: changed.message)


@command(
    "sessions", examples=("monkey auth sessions", "monkey auth sessions --end ses_…", "monkey auth sessions --end-all")
)
@click.option("--email", metavar="EMAIL", help="The account's email, by default that of your key.")
@click.option("--end", "end", metavar="ID", help="End this session.")
@click.option("--end-all", is_flag=True, help="End all of them.")
@pass_session
def sessions(session: Session, email: str | None, end: str | None, *, end_all: bool) -> None:
    """Show where you are logged in in a browser or an app; end it there. Keys are listed by `monkey keys list`."""
    if end and end_all:
        message = "Say --end ID or --end-all, not both."
        raise click.UsageError(message)
    with _as_person(session, email) as (client, _):
        if end:
            told = client.auth.end_session(end)
            session.emit(told, text=lambda: told.message)
        elif end_all:
            ended = client.auth.end_sessions(this_one=False)
            session.emit(ended, text=lambda: ended.message)
        else:
            found = [each for each in client.auth.sessions().sessions if not each.current]
            session.emit({"sessions": found, "count": len(found)}, text=lambda: _table(found))


@contextmanager
def _as_person(session: Session, email: str | None) -> "Iterator[tuple[Client, str]]":
    """A client in a session of its own, which ends with the block, and the password that opened it."""
    from monkey_coder import MfaRequiredError  # noqa: PLC0415  # `--help` loads no SDK

    if not session.may_ask:
        raise CommandFailed(Exit.USAGE, "usage", message=_NOBODY_TO_ASK, hint="")
    address = _address(session, email)
    present = str(click.prompt("Password", hide_input=True, err=True))
    with session.client(needs_key=False) as stranger:
        try:
            tokens = stranger.auth.login(address, present)
        except MfaRequiredError as second_step:
            code = str(click.prompt("Code of your authenticator app, or a recovery code", err=True))
            tokens = stranger.auth.verify_mfa(second_step.mfa_token, code)
    with session.client(key=tokens.access_token) as person:
        try:
            yield person, present
        finally:
            person.auth.logout()


def _address(session: Session, email: str | None) -> str:
    """The email that was said, that of the key in force, or what is typed."""
    if email:
        return email
    if session.settings().api_key:
        with session.client() as client:
            user = client.auth.status().user
        if user is not None:
            return user.email
    if not session.may_ask:
        message = "Say --email EMAIL where nobody can be asked."
        raise click.UsageError(message)
    return str(click.prompt("Email", err=True))


def _table(found: "list[SessionInfo]") -> str:
    if not found:
        return "You are logged in nowhere else."
    rows = [(each.session_id, (each.created_at or "")[:16], each.address, each.agent[:40]) for each in found]
    return output.columns(("id", "since", "address", "program"), rows)
