"""Holds in the books: for requests under an idempotency key, for keys that ask rarely, and near zero.

Before a refusal stands, what this process and others have in hand of the wallet is given back.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence

from monkey_coder_server.adapters.leasing.lending import Lending
from monkey_coder_server.adapters.leasing.parts import Timing, within
from monkey_coder_server.adapters.leasing.purse import Purses
from monkey_coder_server.adapters.leasing.shipper import Shipper
from monkey_coder_server.domain.errors import BudgetExceeded, GatewayError, InsufficientCredit, Unavailable
from monkey_coder_server.domain.limits import HolderKind, LimitReached
from monkey_coder_server.domain.payments import FROZEN
from monkey_coder_server.ports.books import Books
from monkey_coder_server.ports.ledger import HoldRequest, Replay

MOST_UNSURE = 1_000
VAIN_SECONDS = 1
"""How long a refusal after all was asked back speaks for the requests that follow."""

Whose = tuple[str, str | None]
"""An account, and the key of it that alone is meant."""


class DirectHolds:
    """Places holds in the books."""

    def __init__(  # noqa: PLR0913 - what it stands on, named
        self, books: Books, purses: Purses, lending: Lending, shipper: Shipper, *, instance: str, timing: Timing
    ) -> None:
        self._books = books
        self._purses = purses
        self._lending = lending
        self._shipper = shipper
        self._instance = instance
        self._timing = timing
        self._recalling: dict[Whose, asyncio.Task[int]] = {}
        self._vain: OrderedDict[Whose, int] = OrderedDict()
        self._unsure: OrderedDict[str, HoldRequest] = OrderedDict()

    async def place(self, request: HoldRequest) -> Replay | None:
        """Hold, or what a repeat is given. The errors are those of `Ledger.hold`."""
        account_id = request.account_id
        if request.idempotency is not None and self._shipper.unbooked(account_id) and not self._shipper.away:
            await self._shipper.flush(account_id)
        try:
            return await self._place(request)
        except (InsufficientCredit, BudgetExceeded) as short:
            whose = account_id, _limited(short)
            if short.facts.get("limit") == FROZEN or not self._may_help(*whose):
                raise
        for number in range(1, self._timing.recalls + 1):
            others = await self._recall(*whose)
            try:
                return await self._place(request)
            except (InsufficientCredit, BudgetExceeded) as short:
                if not others or number == self._timing.recalls:
                    self._note_vain(*whose)
                    raise
                whose = account_id, _limited(short)
        raise AssertionError("a refusal was raised in the last round")

    @property
    def unsure(self) -> bool:
        """Whether it is unknown of any request if the books hold for it."""
        return bool(self._unsure)

    def take_unsure(self) -> Sequence[HoldRequest]:
        """Requests that were refused, or given up, while their holds may have been placed."""
        unsure = list(self._unsure.values())
        self._unsure.clear()
        return unsure

    async def _place(self, request: HoldRequest) -> Replay | None:
        try:
            placed = await within(self._timing.call, self._books.place(request))
        except (Unavailable, asyncio.CancelledError):
            self._unsure[request.request_id] = request
            if len(self._unsure) > MOST_UNSURE:
                self._unsure.popitem(last=False)  # it expires in the books
            raise
        return placed if isinstance(placed, Replay) else None

    def _may_help(self, account_id: str, key_id: str | None) -> bool:
        """Whether a refusal may not stand: something is in hand here, or others were not asked just now."""
        if self._shipper.unbooked(account_id):
            return True
        if any(purse.free or purse.growing for purse in self._purses.among(account_id, key_id)):
            return True
        return self._lending.second() >= self._vain.get((account_id, key_id), 0)

    def _note_vain(self, account_id: str, key_id: str | None) -> None:
        self._vain[account_id, key_id] = self._lending.second() + VAIN_SECONDS
        self._vain.move_to_end((account_id, key_id))
        if len(self._vain) > MOST_UNSURE:
            self._vain.popitem(last=False)

    async def _recall(self, account_id: str, key_id: str | None) -> int:
        """Give back what is free here and ask others to; how many leases they have. One round at a time."""
        whose = account_id, key_id
        task = self._recalling.get(whose)
        if task is None:
            task = asyncio.create_task(self._round(*whose))
            self._recalling[whose] = task
            task.add_done_callback(lambda _: self._recalling.pop(whose, None))
        return await asyncio.shield(task)

    async def _round(self, account_id: str, key_id: str | None) -> int:
        await self._lending.settled_down(account_id, key_id)
        self._lending.retire_all(account_id, key_id)
        for purse in self._purses.among(account_id, key_id):
            await self._lending.give_back(purse)
        if self._shipper.unbooked(account_id):
            await self._shipper.flush(account_id)
        others = await within(self._timing.call, self._books.recall(account_id, self._instance, key_id=key_id))
        if others:
            await asyncio.sleep(self._timing.recall)
        return others


def _limited(short: GatewayError) -> str | None:
    """The key whose leases alone count for the limit that refused; None where those of the whole account do."""
    if isinstance(short, LimitReached) and short.standing.limit.holder.kind is HolderKind.KEY:
        return short.standing.limit.holder.id
    return None
