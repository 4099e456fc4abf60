"""One try to hand a message on."""

from typing import Protocol

from monkey_coder_server.ports.mailer import Mail


class Undeliverable(Exception):
    """Refused for good: another try would be refused too. The message holds no address."""


class Delivery(Protocol):
    """A way out for mail."""

    async def deliver(self, mail: Mail, mail_id: str) -> None:
        """Hand one message on; `mail_id` is the same in every try.

        Raises `Undeliverable`; any other exception means that another try may succeed.
        """

    async def close(self) -> None:
        """Let go of connections."""
