"""Pages of the payment processor: shown, opened in a browser, and waited for until what is paid has arrived."""

import time
import webbrowser
from typing import TYPE_CHECKING

from monkey_coder.cli import output
from monkey_coder.cli.exits import Exit
from monkey_coder.cli.failures import CommandFailed
from monkey_coder.cli.logins import browser_at_hand
from monkey_coder.cli.session import Session

if TYPE_CHECKING:
    from monkey_coder import Client
    from monkey_coder_protocol.buying import PaymentInfo

PAYING_SECONDS = 900.0
"""How long a person may take to pay."""
LOOK_SECONDS = 2.0


def send_to(session: Session, url: str, *, browser: bool) -> None:
    """Open a page in the browser of this computer, if there is one and it is wanted."""
    if not browser or session.on("json") or not browser_at_hand(session.environ):
        return
    try:
        webbrowser.open(url)
    except (webbrowser.Error, OSError):
        session.note("No browser opens here; open the address in one.")


def wait_for(session: Session, client: "Client", reference: str, url: str) -> "PaymentInfo":
    """The payment of a page, once its credit has arrived. Raises `CommandFailed` when it failed or none came."""
    ends = time.monotonic() + (session.timeout or PAYING_SECONDS)
    output.error_line(f"Pay on this page:\n{url}")
    session.note("Waiting for the payment; Ctrl-C stops waiting and nothing else …")
    while True:
        found = [each for each in client.payments.list().payments if each.reference == reference]
        for payment in found:
            if payment.state == "succeeded":
                return payment
            if payment.state == "failed":
                raise _failed(payment.failure)
        if time.monotonic() + LOOK_SECONDS >= ends:
            raise _not_paid()
        time.sleep(LOOK_SECONDS)


def _failed(why: str) -> CommandFailed:
    return CommandFailed(
        Exit.NO_CREDIT,
        "payment_failed",
        message=f"The payment failed{f': {why}' if why else ''}.",
        hint="Pay another way, or try again.",
    )


def _not_paid() -> CommandFailed:
    return CommandFailed(
        Exit.NO_CREDIT,
        "not_paid",
        message="Nothing was paid in time.",
        hint="The page can still be paid; `monkey balance` shows the credit when it is there.",
    )
