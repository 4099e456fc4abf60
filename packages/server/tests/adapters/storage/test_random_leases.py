"""Any order of leases, holds, endings, returns and expiries: nothing is charged twice and the books stay sound."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from monkey_coder_server.adapters.signing.ed25519 import Ed25519Signer
from monkey_coder_server.domain.errors import InsufficientCredit
from monkey_coder_server.domain.limits import Holder, HolderKind, Limit, LimitReached, Period, Unit
from monkey_coder_server.ports.books import LeaseWish, Resolved
from monkey_coder_server.ports.ledger import FailedRequest
from packages.server.tests.adapters.storage.stores import Books, played
from packages.server.tests.contract.booking import ACCOUNT, NOON, failure, hold_request, lease_wish, resolved

WHICH = st.integers(0, 12)
STEP = st.tuples(
    st.sampled_from(
        ("lease", "lease", "place", "use", "use", "use", "fail", "ship", "ship", "give_back", "end", "wait", "limit")
    ),
    st.integers(0, 3_000),
    WHICH,
)
Step = tuple[str, int, int]
INSTANCES = ("here", "there")


@dataclass(slots=True)
class World:
    """What was done: leases, endings on their way, and what each request was charged."""

    books: Books
    leases: list[LeaseWish] = field(default_factory=list)
    endings: list[Resolved] = field(default_factory=list)
    charges: dict[str, int] = field(default_factory=dict)

    async def do(self, what: str, amount: int, which: int) -> None:
        """Take one step; a lease or ending is chosen by `which`."""
        books, instance = self.books.books, INSTANCES[which % 2]
        match what:
            case "lease":
                wish = lease_wish(amount, key_id=f"key_{which % 3}", instance=instance, at=self.books.clock.now())
                if await books.lease(wish) is not None:
                    self.leases.append(wish)
            case "place":
                await self.place(amount, which)
            case "use" | "fail":
                await self.end(what, amount, which)
            case "ship":
                await self.ship(self.endings[which % 5 :: 2])
            case "give_back" if self.leases:
                await books.give_back(self.leases[which % len(self.leases)].lease_id, amount)
            case "end":
                await books.end_leases(instance)
            case "wait":
                self.books.clock.forward(timedelta(minutes=amount // 150))
                await asyncio.gather(
                    books.expire_leases(self.books.clock.now()), self.books.ledger.expire_holds(self.books.clock.now())
                )
            case "limit":
                limit = Limit(Holder(HolderKind.ACCOUNT, ACCOUNT), Period.DAY, Unit(Unit.MONEY), 4_000 + amount)
                await self.books.limits.put(ACCOUNT, limit, NOON)

    async def place(self, amount: int, which: int) -> None:
        """Hold directly; the request ends later."""
        request = hold_request(amount, key_id=f"key_{which % 3}", at=self.books.clock.now(), tokens=150)
        try:
            await self.books.books.place(request)
        except (InsufficientCredit, LimitReached):
            return
        self.endings.append(resolved(request, None, amount + which))

    async def end(self, what: str, amount: int, which: int) -> None:
        """A request ends that was admitted on a lease, whether or not that covers it any more."""
        lease = self.leases[which % len(self.leases)] if self.leases else lease_wish()
        request = hold_request(amount, key_id=lease.key_id, at=self.books.clock.now(), tokens=150)
        failed = failure(request, provider="openai", provider_cost=amount) if what == "fail" else None
        self.endings.append(resolved(request, lease.lease_id, amount + which, ending=failed))

    async def ship(self, batch: list[Resolved]) -> None:
        """Ship endings, some of them again; what a request was charged never changes."""
        assert await self.books.books.ship(batch) == {}
        for each in batch:
            charge = await self.books.books.charge(each.hold.request_id)
            if isinstance(each.ending, FailedRequest):
                assert charge is None
                continue
            assert charge is not None
            assert charge.charged <= each.charged
            assert self.charges.setdefault(each.hold.request_id, charge.charged) == charge.charged


@settings(max_examples=30, deadline=None)
@given(steps=st.lists(STEP, max_size=40))
async def test_leases_and_endings_in_any_order_leave_sound_books(
    template: Path, signer: Ed25519Signer, steps: list[Step]
) -> None:
    async with played(World, steps, template, signer) as world:
        books = world.books
        await world.ship(world.endings)
        books.clock.forward(timedelta(minutes=20))
        await books.books.expire_leases(books.clock.now())
        await books.ledger.expire_holds(books.clock.now())
        wallet, report = await books.books.wallet(ACCOUNT), await books.ledger.verify()
        assert report.sound, report.details
        assert (wallet.balance, wallet.held) == (10_000 - sum(world.charges.values()), 0)
