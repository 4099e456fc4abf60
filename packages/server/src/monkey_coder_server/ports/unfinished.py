"""What the books take for unfinished at the payment processor: looked at anew each day, however old it is."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol


class Unfinished(Protocol):
    """Ids at the processor. It looks through many rows: once a day, not on a request. Raises `Unavailable`."""

    async def payments(self, since: datetime) -> Sequence[str]:
        """Those with a dispute or refund nobody decided, and those since then that may still be paid, or won back."""

    async def invoices(self) -> Sequence[str]:
        """Invoices of ours that may still be paid or taken back."""

    async def subscriptions(self) -> Sequence[str]:
        """Subscriptions that have not ended."""
