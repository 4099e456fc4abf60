"""Getting leases from the books and giving them back."""

import asyncio
import logging
from datetime import datetime

from monkey_coder_server.adapters.leasing.parts import Timing, within
from monkey_coder_server.adapters.leasing.purse import Purse, Purses
from monkey_coder_server.domain import leases
from monkey_coder_server.domain.errors import GatewayError, Unavailable
from monkey_coder_server.domain.leases import Slice
from monkey_coder_server.domain.ledger import cap_periods
from monkey_coder_server.ports.books import Books, Lease, LeaseWish
from monkey_coder_server.ports.clock import Clock, Ids
from monkey_coder_server.ports.ledger import HoldRequest

logger = logging.getLogger(__name__)


class Lending:
    """Speaks with the books about leases; never about single requests. One growth at a time for each key."""

    def __init__(  # noqa: PLR0913 - what it stands on, named
        self, books: Books, purses: Purses, *, instance: str, clock: Clock, ids: Ids, timing: Timing
    ) -> None:
        self._books = books
        self._purses = purses
        self._instance = instance
        self._clock = clock
        self._ids = ids
        self._timing = timing
        self._tasks: set[asyncio.Task[GatewayError | None]] = set()
        self._closed = False

    def second(self) -> int:
        """Now, in whole monotonic seconds."""
        return int(self._clock.monotonic())

    async def grow(self, purse: Purse, request: HoldRequest) -> None:
        """Get a lease that covers a request, if there is one to be had. Raises `Unavailable`, `NotFound`."""
        refused = await asyncio.shield(self.start(purse, request))
        if refused is not None:
            raise type(refused)(refused.message, facts=refused.facts, retry_after=refused.retry_after)

    def start(self, purse: Purse, request: HoldRequest) -> "asyncio.Task[GatewayError | None]":
        """Begin to get more, unless that is being done."""
        return purse.growing or self._begin(purse, purse.unsure or self._wish(purse, request))

    async def find_out(self) -> None:
        """Ask again for leases that may have been given though the answer did not come: nobody else may.

        Raises `Unavailable`.
        """
        for purse in self._purses.all():
            if purse.unsure is not None and purse.growing is None:
                refused = await asyncio.shield(self._begin(purse, purse.unsure))
                if isinstance(refused, Unavailable):
                    raise refused

    def retire_all(self, account_id: str, key_id: str | None = None) -> None:
        """Give up what is free of an account, or of one key, and take no lease for a while: others need it."""
        for purse in self._purses.among(account_id, key_id):
            self._retire(purse)

    async def settled_down(self, account_id: str, key_id: str | None = None) -> None:
        """Wait for leases of an account, or of one key, that are being taken."""
        growing = [purse.growing for purse in self._purses.among(account_id, key_id) if purse.growing is not None]
        if growing:
            await asyncio.wait(growing)

    async def give_back(self, purse: Purse) -> None:
        """Tell the books what was returned. Raises `Unavailable`; telling it again does no harm."""
        for lease_id, returned in purse.to_return():
            await within(self._timing.call, self._books.give_back(lease_id, returned))
            self._purses.confirm(purse, lease_id, returned)

    async def answer_recalls(self) -> None:
        """Give back what others asked for. Raises `Unavailable`."""
        for lease_id in await within(self._timing.call, self._books.recalled(self._instance)):
            purse = self._purses.of_lease(lease_id)
            if purse is None:
                continue
            self._retire(purse)
            lease = purse.slices.get(lease_id)
            if lease is not None:
                await within(self._timing.call, self._books.give_back(lease_id, lease.returned))
                self._purses.confirm(purse, lease_id, lease.returned)
            await self.give_back(purse)

    def retire_the_old(self, now: datetime) -> None:
        """Retire leases that are idle or over."""
        day, second = cap_periods(now)[0], self.second()
        for purse in self._purses.all():
            idle = purse.idle(second)
            for lease_id, lease in list(purse.slices.items()):
                if not lease.retired and (idle or leases.over(lease, day, now)):
                    purse.retire(lease_id)
        self._purses.tidy(second)

    async def extend(self) -> None:
        """Let the books know that this process lives, and give up what they took back. Raises `Unavailable`."""
        until = self._clock.now() + leases.LEASE_LIFE
        had = [(purse, lease_id) for purse in self._purses.all() for lease_id in purse.slices]
        has = await within(self._timing.call, self._books.extend(self._instance, until))
        for purse, lease_id in had:
            lease = purse.slices.get(lease_id)
            if lease is None:
                continue
            if lease_id in has:
                purse.slices[lease_id] = lease._replace(expires_at=max(lease.expires_at, until))
            else:
                purse.retire(lease_id)

    async def end(self) -> None:
        """Give back all there is, known here or not. Raises `Unavailable`: then it comes back when it expires."""
        await within(self._timing.call, self._books.end_leases(self._instance))

    async def close(self) -> None:
        """Take no more leases, and wait for those that are being taken."""
        self._closed = True
        if self._tasks:
            await asyncio.wait(set(self._tasks))

    def _retire(self, purse: Purse) -> None:
        purse.patient_until = self.second() + leases.CONTENDED_SECONDS
        for lease_id in list(purse.slices):
            purse.retire(lease_id)

    def _begin(self, purse: Purse, wish: LeaseWish) -> "asyncio.Task[GatewayError | None]":
        growing = purse.growing = asyncio.create_task(self._grow(purse, wish))
        self._tasks.add(growing)
        growing.add_done_callback(self._tasks.discard)
        return growing

    async def _grow(self, purse: Purse, wish: LeaseWish) -> GatewayError | None:
        try:
            if self._closed:
                return Unavailable("The gateway is shutting down; ask again.", retry_after=1.0)
            purse.unsure = wish
            lease = await within(self._timing.call, self._books.lease(wish))
            purse.unsure = None
            self._put(purse, lease, wish)
        except Unavailable as away:
            purse.patient_until = self.second() + 1
            return away
        except GatewayError as refused:
            purse.unsure = None
            return refused
        except Exception:
            logger.exception("no lease could be taken")
            purse.unsure = None
            purse.patient_until = self.second() + leases.CONTENDED_SECONDS
        finally:
            purse.growing = None
        return None

    def _wish(self, purse: Purse, request: HoldRequest) -> LeaseWish:
        wanted = leases.target(purse.demand, self.second()) - purse.left
        return LeaseWish(
            lease_id=self._ids.new("lse"),
            account_id=purse.account_id,
            key_id=purse.key_id,
            instance=self._instance,
            wanted=max(wanted, request.amount, 1),
            least=max(request.amount, 1),
            at=request.at,
            expires_at=self._clock.now() + leases.LEASE_LIFE,
        )

    def _put(self, purse: Purse, lease: Lease | None, wish: LeaseWish) -> None:
        """Take a lease in; those that could not serve what asked for it are given back."""
        second = self.second()
        if lease is None or lease.amount < wish.wanted:
            purse.patient_until = second + leases.CONTENDED_SECONDS
        if lease is None:
            return
        for lease_id, other in list(purse.slices.items()):
            if other.free < wish.least:
                purse.retire(lease_id)
        day = cap_periods(lease.at)[0]
        self._purses.put(purse, Slice(lease.lease_id, lease.amount, day, lease.expires_at))
