"""`auth login|logout|status|register|token`."""

import sys
from typing import TYPE_CHECKING, Any

import click

from monkey_coder.cli import output
from monkey_coder.cli.command import command
from monkey_coder.cli.exits import Exit
from monkey_coder.cli.failures import CommandFailed
from monkey_coder.cli.group import group
from monkey_coder.cli.options import pass_session
from monkey_coder.cli.session import Session

if TYPE_CHECKING:
    from monkey_coder import Client
    from monkey_coder_protocol.auth import AuthStatus


@command(
    "login",
    examples=(
        "monkey auth login",
        "monkey auth login --api-key-stdin < key.txt",
        "monkey auth login --email you@example.com --password-stdin < password.txt",
    ),
)
@click.option("--email", metavar="EMAIL", help="The account's email.")
@click.option("--password-stdin", is_flag=True, help="Read the password from stdin.")
@click.option("--api-key-stdin", is_flag=True, help="Read a key from stdin instead of email and password.")
@pass_session
def login(session: Session, email: str | None, *, password_stdin: bool, api_key_stdin: bool) -> None:
    """Get a key and store it in the configuration file (mode 0600)."""
    if api_key_stdin:
        key = _first_line()
        user = _checked_status(session, key)
        _store(session, key)
        session.emit({"user": user}, text=lambda: f"Logged in as {_name(user)}.")
        return
    address, password = _credentials(session, email, password_stdin=password_stdin)
    with session.client(needs_key=False) as client:
        _log_in(session, client, address, password=password)


@command(
    "register",
    examples=("monkey auth register", "monkey auth register --email you@example.com --password-stdin < password.txt"),
)
@click.option("--email", metavar="EMAIL", help="Your email.")
@click.option("--name", metavar="NAME", help="Your name.")
@click.option("--plan", metavar="NAME", help="A price plan.")
@click.option("--password-stdin", is_flag=True, help="Read the password from stdin.")
@pass_session
def register(session: Session, email: str | None, name: str | None, plan: str | None, *, password_stdin: bool) -> None:
    """Make an account and log in."""
    address, password = _credentials(session, email, password_stdin=password_stdin, new=True)
    with session.client(needs_key=False) as client:
        client.auth.register(address, password, name=name, plan=plan)
        _log_in(session, client, address, password=password)


@command("logout", examples=("monkey auth logout",))
@pass_session
def logout(session: Session) -> None:
    """Forget the stored key. The gateway ends a key that a login made; one you brought goes on working."""
    from monkey_coder import config_file  # noqa: PLC0415  # `--help` reads no files

    target = config_file.user_file(session.environ)
    stored = config_file.read(target).get("apiKey")
    said = _end(session, stored) if isinstance(stored, str) else ""
    if stored:
        config_file.update(target, {"apiKey": None, "refreshToken": None})
    text = f"The key was removed from {target}. {said}".rstrip() if stored else "No key was stored."
    session.emit({"logged_out": bool(stored), "message": said or None}, text=lambda: text)
    if session.environ.get("MONKEY_CODER_API_KEY"):
        session.note("MONKEY_CODER_API_KEY is still set and will be used.")


@command("status", examples=("monkey auth status",))
@pass_session
def status(session: Session) -> None:
    """Say who you are to the gateway."""
    with session.client() as client:
        answer = client.auth.status()
        address = client.base_url
    if not answer.authenticated:
        raise _refused()
    session.emit(answer, text=lambda: _who(answer, address))


@command("token", examples=("monkey auth token", 'OPENAI_API_KEY="$(monkey auth token)" some-tool'))
@pass_session
def token(session: Session) -> None:
    """Print the key on stdout, for tools that call a command for it."""
    key = session.settings().api_key
    if not key:
        raise CommandFailed(
            Exit.NOT_AUTHENTICATED,
            "not_authenticated",
            message="You are not logged in.",
            hint="Run `monkey auth login`.",
        )
    session.emit({"api_key": key}, text=lambda: key)


auth = group("auth", "Log in and out, make an account, print the key.", login, register, logout, status, token)


def _end(session: Session, key: str) -> str:
    """Tell the gateway; whatever comes of it, the key is forgotten here."""
    from monkey_coder import MonkeyCoderError  # noqa: PLC0415  # `--help` loads no SDK

    try:
        with session.client(key=key, timeout=5) as client:
            return client.with_options(max_retries=0).auth.logout().message
    except MonkeyCoderError as error:
        session.note(f"The gateway was not told ({error.message.rstrip('.')}): the key works until it is revoked.")
        return ""


def _log_in(session: Session, client: "Client", email: str, *, password: str) -> None:
    tokens = client.auth.login(email, password, client="cli")
    if not isinstance(tokens.api_key, str):
        raise CommandFailed(
            Exit.UNUSABLE_OUTPUT,
            "unusable_output",
            message="The gateway gave no key to this login.",
            hint="Make one on the website and run `monkey auth login --api-key-stdin`.",
        )
    target = _store(session, tokens.api_key)
    user = output.plain(tokens).get("user", {"email": email})
    session.emit({"user": user}, text=lambda: f"Logged in as {_name(user)}.")
    session.note(f"The key is stored in {target}.")


def _store(session: Session, key: str) -> str:
    """Save the key; and the address it is for when a flag named it, else the next command would go elsewhere."""
    from monkey_coder import config_file  # noqa: PLC0415  # `--help` reads no files

    target = config_file.user_file(session.environ)
    changes: dict[str, Any] = {"apiKey": key}
    if session.flags.get("base_url"):
        changes["baseUrl"] = session.settings().base_url
    config_file.update(target, changes)
    return str(target)


def _checked_status(session: Session, key: str) -> dict[str, Any]:
    with session.client(key=key) as client:
        answer = client.auth.status()
    if not answer.authenticated:
        raise _refused()
    user: dict[str, Any] = output.plain(answer.user) or {}
    return user


def _refused() -> CommandFailed:
    return CommandFailed(
        Exit.NOT_AUTHENTICATED,
        "invalid_api_key",
        message="The gateway does not accept this key.",
        hint="Run `monkey auth login` for a key that works.",
    )


def _credentials(session: Session, email: str | None, *, password_stdin: bool, new: bool = False) -> tuple[str, str]:
    if not session.may_ask and not (email and password_stdin):
        message = "Say --email EMAIL and --password-stdin (or --api-key-stdin) where nobody can be asked."
        raise click.UsageError(message)
    address = email or str(click.prompt("Email", err=True))
    if password_stdin:
        return address, _first_line()
    return address, str(click.prompt("Password", hide_input=True, confirmation_prompt=new, err=True))


def _first_line() -> str:
    line = sys.stdin.readline().strip("\r\n")
    if not line.strip():
        message = "Nothing was given on stdin."
        raise click.UsageError(message)
    return line


def _name(user: dict[str, Any]) -> str:
    return str(user.get("email") or user.get("name") or "the key's owner")


def _who(answer: "AuthStatus", address: str) -> str:
    user = answer.user
    pairs: list[tuple[str, object]] = [("gateway", address), ("session until", answer.session_expires)]
    if user is not None:
        pairs += [
            ("email", user.email),
            ("name", user.name),
            ("plan", user.subscription_tier),
            ("credit", output.usd(user.credit_usd)),
        ]
    return output.fields(pairs)
