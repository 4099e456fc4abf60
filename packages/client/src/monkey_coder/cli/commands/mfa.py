"""`auth mfa enroll|status|disable|recovery-codes`."""

from monkey_coder.cli import output
from monkey_coder.cli.command import command
from monkey_coder.cli.group import group
from monkey_coder.cli.options import pass_session
from monkey_coder.cli.person_login import logged_in, person_options
from monkey_coder.cli.session import Session


@command(
    "enroll",
    examples=("monkey auth mfa enroll", "monkey auth mfa enroll --email you@example.com"),
)
@person_options
@pass_session
def enroll(session: Session, email: str | None, *, password_stdin: bool) -> None:
    """Add an authenticator app; from then on a log-in asks for its codes."""
    with logged_in(session, email, password_stdin=password_stdin) as person:
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
@person_options
@pass_session
def status(session: Session, email: str | None, *, password_stdin: bool) -> None:
    """Say which second factors you have."""
    with logged_in(session, email, password_stdin=password_stdin) as person:
        found = person.client.mfa.status()
    pairs: list[tuple[str, object]] = [
        ("authenticator app", "yes" if found.totp else "no"),
        ("passkeys", found.passkeys),
        ("recovery codes left", found.recovery_codes_left),
        ("required here", "yes" if found.required else "no"),
    ]
    session.emit(output.plain(found), text=lambda: output.fields(pairs))


@command("disable", examples=("monkey auth mfa disable",))
@person_options
@pass_session
def disable(session: Session, email: str | None, *, password_stdin: bool) -> None:
    """Take the authenticator app away."""
    with logged_in(session, email, password_stdin=password_stdin) as person:
        said = person.client.mfa.disable_totp(confirmation=person.confirmation())
    session.emit(output.plain(said), text=lambda: said.message)


@command("recovery-codes", examples=("monkey auth mfa recovery-codes",))
@person_options
@pass_session
def recovery_codes(session: Session, email: str | None, *, password_stdin: bool) -> None:
    """Make new recovery codes; the old ones end."""
    with logged_in(session, email, password_stdin=password_stdin) as person:
        codes = person.client.mfa.new_recovery_codes(confirmation=person.confirmation()).recovery_codes
    _show(session, codes, "The old codes are of no use any more.")


mfa = group("mfa", "Second factors: an authenticator app and recovery codes.", enroll, status, disable, recovery_codes)


def _show(session: Session, codes: list[str], first: str) -> None:
    text = "\n".join(["", *(f"    {code}" for code in codes), ""])
    words = f"{first} Keep these recovery codes where your phone is not; each is good once:\n{text}"
    session.emit({"recovery_codes": codes}, text=lambda: words)
