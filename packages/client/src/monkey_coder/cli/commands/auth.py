"""`auth login|logout|status|register|token|mfa`."""

import sys
from typing import TYPE_CHECKING, Any

import click

from monkey_coder.cli import output
from monkey_coder.cli.command import command
from monkey_coder.cli.commands.mfa import mfa
from monkey_coder.cli.commands.person import password, sessions
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
        "monkey auth login --device",
        "monkey auth login --api-key-stdin < key.txt",
        "monkey auth login --email you@example.com --password-stdin < password.txt",
    ),
)
@click.option("--browser", is_flag=True, help="Log in in the browser of this computer.")
@click.option("--device", is_flag=True, help="Show a code to type in the browser of any computer.")
@click.option("--email", metavar="EMAIL", help="Log in here, with the password of this account.")
@click.option("--password-stdin", is_flag=True, help="Read the password from stdin.")
@click.option("--api-key-stdin", is_flag=True, help="Read a key from stdin.")
@pass_session
def login(  # noqa: PLR0913  # one argument an option
    session: Session, email: str | None, *, browser: bool, device: bool, password_stdin: bool, api_key_stdin: bool
) -> None:
    """Get a key of this computer's own and keep it in the keyring, else in a file (mode 0600).

    Without an option: in the browser of this computer, or by a code where there is none.
    """
    if sum((browser, device, bool(email or password_stdin), api_key_stdin)) > 1:
        message = "Say one of --browser, --device, --email and --api-key-stdin."
        raise click.UsageError(message)
    if api_key_stdin:
        key = _first_line()
        _finish(session, key, _checked_status(session, key))
    elif email or password_stdin:
        address, password = _credentials(session, email, password_stdin=password_stdin)
        with session.client(needs_key=False) as client:
            _log_in(session, client, address, password=password)
    elif session.on("no_input") and not (browser or device):
        message = "Say --device, --email EMAIL and --password-stdin, or --api-key-stdin where nobody can be asked."
        raise click.UsageError(message)
    else:
        _log_in_elsewhere(session, browser=browser, device=device)


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
    from monkey_coder import config_file, key_store  # noqa: PLC0415  # `--help` reads no files

    target = config_file.user_file(session.environ)
    kept = key_store.read(target)
    said = _end(session, kept.key) if kept is not None else ""
    text = "No key was stored."
    if kept is not None:
        key_store.forget(target)
        text = f"The key was removed from {kept.place}. {said}".rstrip()
    session.emit({"logged_out": kept is not None, "message": said or None}, text=lambda: text)
    if session.environ.get("MONKEY_CODER_API_KEY"):
        session.note("MONKEY_CODER_API_KEY is still set and will be used.")


@command("status", examples=("monkey auth status",))
@pass_session
def status(session: Session) -> None:
    """Say who you are to the gateway, and where the key is."""
    with session.client() as client:
        answer = client.auth.status()
        address = client.base_url
    if not answer.authenticated:
        raise _refused()
    place = _place(session)
    session.emit({**output.plain(answer), "key_in": place}, text=lambda: _who(answer, address, place))


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


auth = group(
    "auth",
    "Log in and out, make an account, print the key.",
    login,
    register,
    logout,
    status,
    token,
    password,
    sessions,
    mfa,
)


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
    from monkey_coder import MfaRequiredError  # noqa: PLC0415  # `--help` loads no SDK
    from monkey_coder.cli.logins import host_name  # noqa: PLC0415  # beside its only use

    try:
        tokens = client.auth.login(email, password, client="cli", host=host_name())
    except MfaRequiredError as second_step:
        if not session.may_ask:
            raise
        code = str(click.prompt("Code of your authenticator app, or a recovery code", err=True))
        tokens = client.auth.verify_mfa(second_step.mfa_token, code)
    if not isinstance(tokens.api_key, str):
        raise CommandFailed(
            Exit.UNUSABLE_OUTPUT,
            "unusable_output",
            message="The gateway gave no key to this login.",
            hint="Make one on the website and run `monkey auth login --api-key-stdin`.",
        )
    _finish(session, tokens.api_key, output.plain(tokens).get("user", {"email": email}))


def _log_in_elsewhere(session: Session, *, browser: bool, device: bool) -> None:
    """In a browser: the one of this computer, unless none is at hand or nobody watches this terminal."""
    from monkey_coder.cli import logins  # noqa: PLC0415  # beside its only uses

    here = browser or (not device and session.may_ask and logins.browser_at_hand(session.environ))
    with session.client(needs_key=False) as client:
        got = logins.by_browser(session, client) if here else None
        if got is None and browser:
            raise CommandFailed(
                Exit.USAGE, "no_browser", message="No browser opens here.", hint="Run `monkey auth login --device`."
            )
        got = got or logins.by_device_code(session, client)
    _finish(session, got.api_key, output.plain(got.user))


def _finish(session: Session, key: str, user: dict[str, Any]) -> None:
    """Keep the key; and the address it is for when a flag named it, else the next command would go elsewhere.

    The key that an earlier login left is ended where it came from the same address.
    """
    from monkey_coder import config_file, key_store  # noqa: PLC0415  # `--help` reads no files

    target = config_file.user_file(session.environ)
    former = key_store.read(target)
    elsewhere = bool(session.flags.get("base_url"))
    more = {"baseUrl": session.settings().base_url} if elsewhere else None
    kept = key_store.save(target, key, more=more)
    if former is not None and former.key != key and not elsewhere:
        _end(session, former.key)
    session.emit({"user": user}, text=lambda: f"Logged in as {_name(user)}.")
    session.note(f"The key is stored in {kept.place}.")


def _place(session: Session) -> str:
    """Where the key in force is, in words."""
    from monkey_coder import config_file, key_store  # noqa: PLC0415  # `--help` reads no files

    settings = session.settings()
    origin = settings.found["apiKey"].origin
    if origin == "environment":
        return "MONKEY_CODER_API_KEY"
    if origin == "project":
        return str(settings.project_path)
    kept = key_store.read(config_file.user_file(session.environ))
    return kept.place if kept is not None else origin


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
    question = "Password (12 characters or more)" if new else "Password"
    return address, str(click.prompt(question, hide_input=True, confirmation_prompt=new, err=True))


def _first_line() -> str:
    line = sys.stdin.readline().strip("\r\n")
    if not line.strip():
        message = "Nothing was given on stdin."
        raise click.UsageError(message)
    return line


def _name(user: dict[str, Any]) -> str:
    return str(user.get("email") or user.get("name") or "the key's owner")


def _who(answer: "AuthStatus", address: str, place: str) -> str:
    user = answer.user
    pairs: list[tuple[str, object]] = [
        ("gateway", address),
        ("key in", place),
        ("session until", answer.session_expires),
    ]
    if user is not None:
        pairs += [
            ("email", user.email),
            ("name", user.name),
            ("plan", user.subscription_tier),
            ("credit", output.usd(user.credit_usd)),
        ]
    return output.fields(pairs)
