"""The ledger database for processes that admit by themselves: leases out, endings in."""

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial

from monkey_coder_server.adapters.storage import (
    expiry,
    holds,
    leases,
    recalls,
    shipping,
    unbooked,
    usage_rows,
)
from monkey_coder_server.adapters.storage.moments import to_micros
from monkey_coder_server.adapters.storage.operations import Reading, Writing
from monkey_coder_server.domain.errors import GatewayError, Unavailable
from monkey_coder_server.ports.books import Lease, LeaseWish, Resolved
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.ledger import Charge, Hold, HoldRequest, Replay, Wallet
from monkey_coder_server.ports.signing import ReceiptSigner

logger = logging.getLogger(__name__)

SHIPPED_TOGETHER = 128
"""About 7 ms of work, in steps where the writer works in the event loop; slices share a commit."""
SHIPPED_BEHIND_A_WIRE = 256
"""Where the writer has a thread of its own and each statement costs a round trip."""


class SqlBooks:
    """`ports.books.Books`. Every change is one operation of the writer, durable on return."""

    def __init__(
        self,
        writer: Writing,
        readers: Reading,
        *,
        signer: ReceiptSigner,
        clock: Clock,
        together: int = SHIPPED_TOGETHER,
    ) -> None:
        self._writer = writer
        self._readers = readers
        self._signer = signer
        self._clock = clock
        self._together = together

    async def place(self, request: HoldRequest) -> Hold | Replay:
        """Hold directly; the errors are those of `Ledger.hold`. A repeat of what is held already is that hold."""
        try:
            return await self._writer.perform(partial(holds.place, request))
        except asyncio.CancelledError:
            with suppress(Unavailable):  # then the hold's expiry gives the credit back
                gone = to_micros(self._clock.now())
                self._writer.submit(partial(expiry.abandon, request, gone, self._signer))
            raise
        except Unavailable:
            raise
        except GatewayError:
            if await self._writer.perform(partial(holds.is_open, request)):
                return Hold(request.request_id, request.account_id, request.amount)
            raise

    async def lease(self, wish: LeaseWish) -> Lease | None:
        """Take a slice; None when a fair share is less than `wish.least`. Raises `NotFound` without a wallet."""
        return await self._writer.perform(partial(leases.take, wish))

    async def give_back(self, lease_id: str, returned: int) -> None:
        """Return unused credit, `returned` in all."""
        await self._writer.perform(partial(leases.give_back, lease_id, returned))

    async def extend(self, instance: str, expires_at: datetime) -> Collection[str]:
        """Let the leases of a living process last longer; those it still has."""
        return await self._writer.perform(partial(recalls.extend, instance, to_micros(expires_at)))

    async def recall(self, account_id: str, instance: str, *, key_id: str | None = None) -> int:
        """Ask all other processes for what they do not need of this wallet, or of a key's leases; how many leases.

        Raises `NotFound`.
        """
        now = to_micros(self._clock.now())
        return await self._writer.perform(partial(recalls.recall, account_id, instance, now, key_id=key_id))

    async def recalled(self, instance: str) -> Sequence[str]:
        """The leases of this process that others asked for and `give_back` has not answered."""
        return await self._readers.read(partial(recalls.recalled, instance))

    async def ship(self, batch: Sequence[Resolved]) -> Mapping[str, str]:
        """Book endings, `together` at a time; those that cannot be are kept aside. See the port."""
        return await self._ship(
            [batch[start : start + self._together] for start in range(0, len(batch), self._together)]
        )

    async def charge(self, request_id: str) -> Charge | None:
        """The charge of a request that is booked already."""
        return await self._readers.read(lambda transaction: usage_rows.charge_of(transaction, request_id))

    async def wallet(self, account_id: str) -> Wallet:
        """Balance and holds as committed. Raises `NotFound`."""
        return await self._readers.read(lambda transaction: holds.read_wallet(transaction, account_id))

    async def expire_leases(self, now: datetime) -> int:
        """Return what is left of leases whose process was not heard of for long; how many leases."""
        ended = 0
        while some := await self._writer.perform(partial(leases.expire, to_micros(now))):
            ended += some
        return ended

    async def end_leases(self, instance: str) -> int:
        """Return what is left of all leases of a process that is dead and whose endings are booked; how many."""
        ended = 0
        while some := await self._writer.perform(partial(leases.end_all, instance)):
            ended += some
        return ended

    async def _ship(self, slices: Sequence[Sequence[Resolved]]) -> Mapping[str, str]:
        """Book endings slice by slice; if one of a slice cannot be, the others without it."""
        refused: dict[str, str] = {}
        jobs = await self._writer.perform_each([partial(shipping.steps, some, self._signer) for some in slices])
        for some, job in zip(slices, jobs, strict=True):
            try:
                job.result()
            except Unavailable:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, it must not keep the others from being booked
                refused |= await self._apart(some, error)
        return refused

    async def _apart(self, some: Sequence[Resolved], error: Exception) -> Mapping[str, str]:
        """Book each half of a slice by itself, in the end without the ending that cannot be."""
        if len(some) == 1:
            return await self._keep(some[0], error)
        middle = len(some) // 2
        return await self._ship([some[:middle], some[middle:]])

    async def _keep(self, resolved: Resolved, error: Exception) -> Mapping[str, str]:
        """Put an ending aside that contradicts the books."""
        request_id, reason = resolved.hold.request_id, f"{type(error).__name__}: {error}"
        logger.error("an ending cannot be booked: %s", reason, extra={"request_id": request_id})
        await self._writer.perform(partial(unbooked.keep, resolved, reason, to_micros(self._clock.now())))
        return {request_id: reason}
