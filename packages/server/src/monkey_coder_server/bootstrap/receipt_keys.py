"""The public keys of all gateways of the books, as this one publishes them."""

import logging
from collections.abc import Mapping

from monkey_coder_server.adapters.storage.receipt_keys import SqlReceiptKeys
from monkey_coder_server.bootstrap.books import Books
from monkey_coder_server.domain.errors import Unavailable
from monkey_coder_server.ports.clock import Clock

logger = logging.getLogger(__name__)
KNOWN_SECONDS = 10.0
"""How long after another gateway's first start its key may be missing here while the database is there."""


class PublishedKeys:
    """Calling it gives key id to base64 public key, read from the books again when that was too long ago."""

    def __init__(self, keys: SqlReceiptKeys, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock
        self._known: Mapping[str, str] = {}
        self._until = clock.monotonic()

    async def __call__(self) -> Mapping[str, str]:
        """The keys, former and others' included; those known before while the database is away."""
        now = self._clock.monotonic()
        if now >= self._until:
            self._until = now + KNOWN_SECONDS
            try:
                await self.look()
            except Unavailable as away:
                logger.info("receipt keys are as they were before the database went away: %s", away.message)
        return self._known

    async def look(self) -> None:
        """Read them now. Raises `Unavailable`."""
        self._known = await self._keys.published()


async def open_receipt_keys(books: Books) -> PublishedKeys:
    """The keys, this gateway's own added; logs an error when the newest receipt was signed with one nobody published.

    The gateway serves all the same: a key that is lost for good must not keep it from that. Raises `Unavailable`.
    """
    await books.storage.receipt_keys.publish()
    published = PublishedKeys(books.storage.receipt_keys, books.clock)
    await published.look()
    used = await books.storage.statements.signed_by()
    if used is not None and used not in await published():
        logger.error(
            "receipts of these books are signed with the key %s, which no gateway published: they cannot be checked; "
            "start the gateway that has it with this version, or put its public half into %s as "
            "receipt-signing-key-old.pub and start this one again",
            used,
            books.settings.data_dir,
        )
    return published
