"""A person who logs in for one command: what a key may not do, or not for this organization, a session does."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import click

from monkey_coder.cli.session import Session

if TYPE_CHECKING:
    from monkey_coder import Client

F = TypeVar("F", bound=Callable[..., object])
PASSWORD, NEW_PASSWORD = "Password", "New password"
CODE = "Code of your authenticator app, or a recovery code"
NEXT_CODE = "The next code your app shows, or a recovery code"


def person_options(command: F) -> F:
    """Who logs in, and from where their answers are read."""
    stdin = click.option("--password-stdin", is_flag=True, help="Read password, then codes, from stdin, a line each.")
    email = click.option("--email", metavar="EMAIL", help="The account; by default that of your key.")
    return email(stdin(command))


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who has just logged in: a key may not change factors, so it is a session for this one command."""

    client: "Client"
    password: str
    ask: Callable[[str], str]

    def confirmation(self) -> str | None:
        """Proof for a change of factors, where there are some."""
        status = self.client.mfa.status()
        if not status.totp and not status.passkeys:
            return None
        return self.client.mfa.confirm("factors", password=self.password, code=self.ask(NEXT_CODE)).confirmation


@contextmanager
def logged_in(session: Session, email: str | None, *, password_stdin: bool) -> Iterator[Person]:
    """Log in for this command alone; the session ends with it."""
    from monkey_coder import MfaRequiredError, MonkeyCoderError  # noqa: PLC0415  # `--help` loads no SDK

    ask = _answers(session, password_stdin=password_stdin)
    with session.client(needs_key=False) as anyone:
        address = address_of(session, anyone, email, ask=None if password_stdin else ask)
        password = ask(PASSWORD)
        try:
            tokens = anyone.auth.login(address, password)
        except MfaRequiredError as second_step:
            tokens = anyone.auth.verify_mfa(second_step.mfa_token, ask(CODE))
    with session.client(key=tokens.access_token) as client:
        try:
            yield Person(client, password, ask)
        finally:
            with suppress(MonkeyCoderError):
                client.auth.logout()


def _answers(session: Session, *, password_stdin: bool) -> Callable[[str], str]:
    """How questions are answered: by a person, or by the lines of stdin in their order."""
    if password_stdin:
        return _next_line
    if not session.may_ask:
        message = "Say --email EMAIL and --password-stdin where nobody can be asked."
        raise click.UsageError(message)
    return asked


def asked(question: str) -> str:
    """What a person types; a password is not shown, and a new one is typed twice."""
    hidden, twice = question in {PASSWORD, NEW_PASSWORD}, question == NEW_PASSWORD
    return str(click.prompt(question, hide_input=hidden, confirmation_prompt=twice, err=True))


def _next_line(question: str) -> str:
    line = sys.stdin.readline().strip("\r\n")
    if not line.strip():
        message = f"Nothing was given on stdin for: {question}."
        raise click.UsageError(message)
    return line


def address_of(session: Session, client: "Client", email: str | None, *, ask: Callable[[str], str] | None) -> str:
    """The address that was said, that of the key in force, or what is typed. Raises `UsageError` without any."""
    if email:
        return email
    user = client.auth.status().user if session.settings().api_key else None
    if user is not None and user.email:
        return user.email
    if ask is None:
        message = "Say --email EMAIL where nobody can be asked."
        raise click.UsageError(message)
    return ask("Email")
