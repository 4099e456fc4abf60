"""Mail that leaves by no wire."""

import logging

from monkey_coder_server.adapters.mail.delivery import Undeliverable
from monkey_coder_server.ports.mailer import Mail

logger = logging.getLogger(__name__)


class Console:
    """Shows mail in the log, so that a developer can follow the link in it."""

    async def deliver(self, mail: Mail, mail_id: str) -> None:
        """Log the text, line by line: a log shows a break within a line as two characters, and links end nowhere."""
        logger.info("%s is for %s: %s", mail_id, mail.to, mail.subject)
        for line in filter(None, mail.text.splitlines()):
            logger.info("%s: %s", mail_id, line)

    async def close(self) -> None:
        """Nothing is open."""


class Nowhere:
    """Where no way out for mail is configured: it is counted as not delivered."""

    async def deliver(self, mail: Mail, mail_id: str) -> None:  # noqa: ARG002 - a seam's signature
        """Raise `Undeliverable`."""
        message = f"{mail_id} was not sent: MAIL_URL is not set"
        raise Undeliverable(message)

    async def close(self) -> None:
        """Nothing is open."""
