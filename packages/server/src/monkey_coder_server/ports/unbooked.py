"""Endings of requests that the books could not take, kept until an operator has dealt with them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from monkey_coder_server.ports.books import Resolved
from monkey_coder_server.ports.record import Record


class KeptEnding(Record, frozen=True):
    """One of them, kept since `at`; `reason` is why. `resolved` is None when it cannot be read any more."""

    request_id: str
    account_id: str
    reason: str
    at: datetime
    resolved: Resolved | None


class Unbooked(Protocol):
    """Endings aside. Changes are durable on return; each is one transaction with the removal of what was kept."""

    async def kept(self) -> Sequence[KeptEnding]:
        """All of them, oldest first."""

    async def retry(self, request_id: str) -> None:
        """Book it as it was told. Raises `NotFound`, and `Conflict` with the reason when it contradicts the books yet.

        Of a request that has ended in the books meanwhile nothing is booked.
        """

    async def write_off(self, request_id: str) -> bool:
        """End the request without a charge; what its providers bill is the house's loss. Raises `NotFound`.

        False when the books can take not even that: then nothing of it is booked.
        """
