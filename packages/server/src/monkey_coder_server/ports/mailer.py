"""Mail to people."""

from dataclasses import dataclass
from typing import Protocol

_BREAKS = frozenset("\r\n\0\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")


@dataclass(frozen=True, slots=True)
class Mail:
    """One message, in plain text and in HTML that says the same.

    An address or a subject with a line break in it, which could bring headers of its own, raises `ValueError`.
    """

    to: str
    subject: str
    text: str
    html: str

    def __post_init__(self) -> None:
        if _BREAKS.intersection(self.to + self.subject):
            message = "a mail's address and subject are one line each"
            raise ValueError(message)


class Mailer(Protocol):
    """Sends mail in the background: nobody who asks for one can tell from the time it takes whether one was sent."""

    def post(self, mail: Mail) -> None:
        """Take a message to be sent soon, with a few tries; returns at once."""
