"""`health`."""

from monkey_coder.cli import output
from monkey_coder.cli.command import command
from monkey_coder.cli.options import pass_session
from monkey_coder.cli.session import Session


@command("health", examples=("monkey health", "monkey health --base-url https://gateway.example.com"))
@pass_session
def health(session: Session) -> None:
    """Ask whether the gateway serves. Needs no key."""
    with session.client(needs_key=False) as client:
        answer = client.health()
        address = client.base_url
    pairs = [("gateway", address), ("status", answer.status), ("version", answer.version)]
    session.emit(answer, text=lambda: output.fields([*pairs, *answer.components.items()]))
