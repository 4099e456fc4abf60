"""Mail to people."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Mail:
    """One message, in plain text and in HTML that says the same."""

    to: str
    subject: str
    text: str
    html: str


class Mailer(Protocol):
    """Sends mail in the background: nobody who asks for one can tell from the time it takes whether one was sent."""

    def post(self, mail: Mail) -> None:
        """Take a message to be sent soon, with a few tries; returns at once."""
