"""`auth mfa enroll|status|disable|recovery-codes`."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from monkey_coder.cli import output
from monkey_coder.cli.command import command
from monkey_coder.cli.group import group
from monkey_coder.cli.options import pass_session
from monkey_coder.cli.session import Session

if TYPE_CHECKING:
    from monkey_coder import Client

CODE = "Code of your authenticator app, or a recovery code"
NEXT_CODE = "The next code your app shows, or a recovery code"
_email = click.option("--email", metavar="EMAIL", help="The account; by default that of your key.")
_stdin = click.option("--password-stdin", is_flag=True, help="Read password, then codes, from stdin, a line each.")


@dataclass(frozen=True, slots=True)
class _Person:
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


@command(
    "enroll",
    examples=("monkey auth mfa enroll", "monkey auth mfa enroll --email you@example.com"),
)
@_email
@_stdin
@pass_session
def enroll(session: Session, email: str | None, *, password_stdin: bool) -> None:
    """Add an authenticator app; from then on a log-in asks for its codes."""
    with _logged_in(session, email, password_stdin=password_stdin) as person:
        begun = person.client.mfa.enroll_totp(confirmation=person.confirmation())
        if session.on("json"):
            output.document({"event": "enrolment", **output.plain(begun)})
        else:
            output.error_line(
                f"Add this to your authenticator app, as a QR code or by hand:\n\n"
                f"    {begun.otpauth_uri}\n    {begun.secret}\n"
            )
        codes = person.client.mfa.confirm_totp(person.ask("The code it shows")).recovery_codes
    _show(session, codes, "The app is your second factor now.")


@command("status", examples=("monkey auth mfa status",))
@_email
@_stdin
@pass_session
def status(session: Session, email: str | None, *, password_stdin: bool) -> None:
    """Say which second factors you have."""
    with _logged_in(session, email, password_stdin=password_stdin) as person:
        found = person.client.mfa.status()
    pairs: list[tuple[str, object]] = [
        ("authenticator app", "yes" if found.totp else "no"),
        ("passkeys", found.passkeys),
        ("recovery codes left", found.recovery_codes_left),
        ("required here", "yes" if found.required else "no"),
    ]
    session.emit(output.plain(found), text=lambda: output.fields(pairs))


@command("disable", examples=("monkey auth mfa disable",))
@_email
@_stdin
@pass_session
def disable(session: Session, email: str | None, *, password_stdin: bool) -> None:
    """Take the authenticator app away."""
    with _logged_in(session, email, password_stdin=password_stdin) as person:
        said = person.client.mfa.disable_totp(confirmation=person.confirmation())
    session.emit(output.plain(said), text=lambda: said.message)


@command("recovery-codes", examples=("monkey auth mfa recovery-codes",))
@_email
@_stdin
@pass_session
def recovery_codes(session: Session, email: str | None, *, password_stdin: bool) -> None:
    """Make new recovery codes; the old ones end."""
    with _logged_in(session, email, password_stdin=password_stdin) as person:
        codes = person.client.mfa.new_recovery_codes(confirmation=person.confirmation()).recovery_codes
    _show(session, codes, "The old codes are of no use any more.")


mfa = group("mfa", "Second factors: an authenticator app and recovery codes.", enroll, status, disable, recovery_codes)


@contextmanager
def _logged_in(session: Session, email: str | None, *, password_stdin: bool) -> Iterator[_Person]:
    """Log in for this command alone; the session ends with it."""
    from monkey_coder import MfaRequiredError, MonkeyCoderError  # noqa: PLC0415  # `--help` loads no SDK

    ask = _answers(session, password_stdin=password_stdin)
    with session.client(needs_key=False) as anyone:
        address = email or _own_address(session, anyone) or ("" if password_stdin else ask("Email"))
        if not address:
            message = "Say --email EMAIL where nobody can be asked."
            raise click.UsageError(message)
        password = ask("Password")
        try:
            tokens = anyone.auth.login(address, password)
        except MfaRequiredError as second_step:
            tokens = anyone.auth.verify_mfa(second_step.mfa_token, ask(CODE))
    with session.client(key=tokens.access_token) as client:
        try:
            yield _Person(client, password, ask)
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
    return lambda question: str(click.prompt(question, hide_input=question == "Password", err=True))


def _next_line(question: str) -> str:
    line = sys.stdin.readline().strip("\r\n")
    if not line.strip():
        message = f"Nothing was given on stdin for: {question}."
        raise click.UsageError(message)
    return line


def _own_address(session: Session, client: "Client") -> str | None:
    """Whose key is stored here."""
    if not session.settings().api_key:
        return None
    user = client.auth.status().user
    return None if user is None else user.email


def _show(session: Session, codes: list[str], first: str) -> None:
    text = "\n".join(["", *(f"    {code}" for code in codes), ""])
    words = f"{first} Keep these recovery codes where your phone is not; each is good once:\n{text}"
    session.emit({"recovery_codes": codes}, text=lambda: words)
