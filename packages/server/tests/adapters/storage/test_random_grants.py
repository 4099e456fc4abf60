"""Grants of any priority and expiry, spent, refunded and expired in any order: nothing is lost, made or overdrawn."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from monkey_coder_server.adapters.signing.ed25519 import Ed25519Signer
from monkey_coder_server.domain.errors import Conflict, InsufficientCredit, InvalidRequest, NotFound
from monkey_coder_server.ports.credit import Refund
from monkey_coder_server.ports.ledger import GrantTerms, HoldRequest
from packages.server.tests.adapters.storage.stores import Books, played
from packages.server.tests.contract.booking import ACCOUNT, fail, hold_request, settle

STEP = st.tuples(
    st.sampled_from(("grant", "grant", "hold", "hold", "settle", "settle", "void", "refund", "take back", "wait")),
    st.integers(0, 6_000),
    st.integers(0, 40),
)
Step = tuple[str, int, int]


@dataclass(slots=True)
class World:
    """What was done: `open` holds, `charges` by request, and the sums of all that moved the balance."""

    books: Books
    open: list[HoldRequest] = field(default_factory=list)
    charges: dict[str, int] = field(default_factory=dict)
    came: int = 10_000
    went: int = 0
    broken: int = 0
    number: int = 0

    async def left(self) -> list[int]:
        """What remains of each grant, in the order they are spent in."""
        return [one.remaining for one in await self.books.ledger.grants(ACCOUNT)]

    async def do(self, what: str, amount: int, which: int) -> None:
        self.number += 1
        match what:
            case "grant":
                await self.grant(amount + 1, which)
            case "hold":
                await self.hold(amount)
            case "settle" if self.open:
                request = self.open.pop(which % len(self.open))
                await self.pay(request, min(amount, request.amount))
            case "void" if self.open:
                await fail(self.books.books, self.open.pop(which % len(self.open)))
            case "refund" if self.charges:
                await self.refund(list(self.charges)[which % len(self.charges)], amount)
            case "take back":
                await self.take_back(amount, which)
            case "wait":
                self.books.clock.forward(timedelta(days=which / 10))
                await self.expire()

    async def grant(self, amount: int, which: int) -> None:
        days = which % 7
        expires_at = self.books.clock.now() + timedelta(days=days) if days else None
        terms = GrantTerms(priority=which % 4, expires_at=expires_at)
        await self.books.ledger.grant(ACCOUNT, amount, reason="test", idempotency_key=f"g{self.number}", terms=terms)
        self.came += amount

    async def hold(self, amount: int) -> None:
        now = self.books.clock.now()
        request = hold_request(amount, at=now, expires_at=now + timedelta(days=999))
        try:
            await self.books.books.place(request)
        except InsufficientCredit:
            return
        self.open.append(request)

    async def pay(self, request: HoldRequest, price: int) -> None:
        """A charge takes from the grants in their order, the first to its end before the next."""
        owed, expected = price, []
        for remaining in await self.left():
            taken = min(owed, remaining)
            owed -= taken
            expected.append(remaining - taken)
        charge = await settle(self.books.books, request, price)
        assert charge.charged == price
        assert await self.left() == expected
        self.charges[request.request_id] = price
        self.went += price

    async def refund(self, request_id: str, amount: int) -> None:
        asked = Refund(ACCOUNT, f"settle:{request_id}", amount, "test", f"r{self.number}")
        try:
            await self.books.ledger.refund(asked)
        except InvalidRequest:
            assert not 0 < amount <= self.charges[request_id]
            return
        self.charges[request_id] -= amount
        self.went -= amount

    async def take_back(self, amount: int, which: int) -> None:
        grants = await self.books.ledger.grants(ACCOUNT)
        asked = Refund(ACCOUNT, grants[which % len(grants)].grant_id, amount, "test", f"b{self.number}")
        try:
            await self.books.ledger.refund(asked)
        except (InvalidRequest, Conflict, NotFound):  # a refund is not taken back
            return
        self.came -= amount

    async def expire(self) -> None:
        """What is left of grants whose time is over is breakage, as far as nothing holds it."""
        now = self.books.clock.now()
        wallet = await self.books.ledger.wallet(ACCOUNT)
        grants = await self.books.ledger.grants(ACCOUNT)
        over = sum(one.remaining for one in grants if one.expires_at is not None and one.expires_at <= now)
        await self.books.ledger.expire_grants(now)
        self.broken += min(over, wallet.available)

    async def check(self) -> None:
        report, wallet = await self.books.ledger.verify(), await self.books.ledger.wallet(ACCOUNT)
        assert report.sound, report.details
        assert sum(report.totals.values()) == 0
        assert report.totals.get("breakage", 0) == self.broken
        assert wallet.balance == self.came - self.went - self.broken == sum(await self.left())
        assert 0 <= wallet.held <= wallet.balance


@settings(max_examples=20, deadline=None)
@given(steps=st.lists(STEP, max_size=40))
async def test_whatever_becomes_of_grants_the_books_add_up(
    template: Path, signer: Ed25519Signer, steps: list[Step]
) -> None:
    async with played(World, steps, template, signer) as world:
        books = world.books
        await world.check()
        for request in world.open:
            await fail(books.books, request)
        books.clock.forward(timedelta(days=9))
        await world.expire()
        await world.check()
        grants = await books.ledger.grants(ACCOUNT)
        assert not any(one.remaining for one in grants if one.expires_at is not None)
