"""`ports.ledger.Ledger` of a process that admits by itself."""

from collections.abc import Mapping
from datetime import datetime

from monkey_coder_server.adapters.leasing.balances import Balances
from monkey_coder_server.adapters.leasing.direct import DirectHolds
from monkey_coder_server.adapters.leasing.keeper import Keeper
from monkey_coder_server.adapters.leasing.lending import Lending
from monkey_coder_server.adapters.leasing.parts import Running, Timing
from monkey_coder_server.adapters.leasing.purse import Purse, Purses
from monkey_coder_server.adapters.leasing.recovery import Recovery
from monkey_coder_server.adapters.leasing.shipper import Shipper
from monkey_coder_server.domain.errors import Conflict, NotFound, Unavailable
from monkey_coder_server.domain.ledger import clamp
from monkey_coder_server.domain.receipts import receipt_id_of
from monkey_coder_server.ports.books import Books, Resolved
from monkey_coder_server.ports.clock import Clock, Ids
from monkey_coder_server.ports.journal import Draft, Intent, Journal, Journals
from monkey_coder_server.ports.ledger import (
    HOUSE,
    PLAIN_GRANT,
    Charge,
    FailedRequest,
    GrantTerms,
    Hold,
    HoldRequest,
    IdempotencyKey,
    LedgerReport,
    Records,
    Remember,
    Replay,
    Settlement,
    SignedReceipt,
    Wallet,
)


class LeasedLedger:
    """Holds from leases in memory or directly in the books; ends requests in the journal; ships behind them."""

    def __init__(  # noqa: PLR0913 - what it stands on, named
        self,
        books: Books,
        records: Records,
        *,
        journal: Journal,
        journals: Journals,
        clock: Clock,
        ids: Ids,
        timing: Timing | None = None,
    ) -> None:
        timing = timing or Timing()
        self._books = books
        self._records = records
        self._journal = journal
        self._clock = clock
        self._running: dict[str, Running] = {}
        self._closed = False
        self._purses = Purses()
        instance = journal.instance
        self._shipper = Shipper(books, journal, timing=timing)
        self._balances = Balances(books, self._shipper, clock)
        self._lending = Lending(books, self._purses, instance=instance, clock=clock, ids=ids, timing=timing)
        self._direct = DirectHolds(books, self._purses, self._lending, self._shipper, instance=instance, timing=timing)
        recovery = Recovery(books, journals, timing=timing)
        self._keeper = Keeper(
            journal, self._purses, lending=self._lending, direct=self._direct, recovery=recovery, clock=clock,
            timing=timing,
        )  # fmt: skip

    async def start(self) -> None:
        """End and book what dead processes left here, as far as the books can be reached, and begin to ship."""
        await self._keeper.start()
        self._shipper.start()

    async def close(self) -> None:
        """Give all leases back, book what has ended and close the journal. What cannot be is left to the next start.

        What leases hold for endings that are not booked goes back when those are: nobody else may spend it before.
        """
        if self._closed:
            return
        self._closed = True
        await self._keeper.stop()
        await self._lending.close()
        await self._keeper.return_all()
        await self._shipper.close()
        if not self._running and self._shipper.all_booked:
            await self._keeper.end_leases()
        await self._journal.close()

    @property
    def open_for_new(self) -> bool:
        """Whether new requests are taken, as far as the journal is concerned."""
        return self._journal.open_for_new

    @property
    def carries_on(self) -> bool:
        """Whether requests can be held from leases, though the books be away."""
        now = self._clock.now()
        return self._journal.open_for_new and any(purse.gives(now) for purse in self._purses.all())

    def figures(self) -> Mapping[str, int]:
        """For metrics: what waits for the books, and what is in hand of wallets."""
        purses = self._purses.all()
        return {
            **self._journal.figures(),
            "leases": sum(len(purse.slices) for purse in purses),
            "leased": sum(purse.left for purse in purses),
            "running": len(self._running),
            "shipped": self._shipper.figures.endings,
            "unbookable": self._shipper.figures.refused,
            "failed_shipments": self._shipper.figures.failures,
            "recovered": self._keeper.recovered,
            "books_away": int(self._shipper.away),
        }

    async def hold(self, request: HoldRequest) -> Hold | Replay:
        """Decide and reserve: in memory if a lease covers it, else in the books. The errors are those of the port."""
        if not self._journal.open_for_new:
            raise Unavailable("The gateway cannot keep a record of new requests now; try again.", retry_after=2.0)
        if request.request_id in self._running:
            message = f"The request {request.request_id} was held before; a request id is used once."
            raise Conflict(message)
        purse, second = self._purses.of(request.account_id, request.key_id), self._lending.second()
        purse.ask(request.amount, second)
        try:
            covered = await self._cover(request, purse, second)
        except BaseException:
            purse.done(request.amount, charged=0, second=self._lending.second())
            raise
        if isinstance(covered, Replay):
            purse.done(request.amount, charged=0, second=self._lending.second())
            return covered
        self._running[request.request_id] = Running(request, purse, covered)
        return Hold(request.request_id, request.account_id, request.amount)

    def bear(self, request_id: str, at: datetime) -> Hold:
        """Begin what the house pays itself; no wallet is asked."""
        request = HoldRequest(request_id, HOUSE, HOUSE, 0, at, expires_at=at)
        purse = self._purses.of(HOUSE, HOUSE)
        purse.ask(0, self._lending.second())
        self._running[request_id] = Running(request, purse, None)
        return Hold(request_id, HOUSE, 0)

    def underway(self, hold: Hold, draft: Draft) -> None:
        """Note the request's last draft. Nobody waits. Raises `Unavailable` when the journal is closed."""
        running = self._running.get(hold.request_id)
        if running is None or running.resolved is not None:
            return
        if running.written is None:
            running.written = self._journal.intend(Intent(running.request, running.lease_id, draft))
        else:
            running.written = self._journal.note(hold.request_id, draft)

    def keeps(self, hold: Hold) -> bool:
        """Whether the hold's last draft would already survive the death of this process."""
        running = self._running.get(hold.request_id)
        return running is None or running.written is None or running.written.is_kept

    async def durable(self, hold: Hold) -> None:
        """Wait until the hold and its last draft would survive power loss. Raises `Unavailable`."""
        running = self._running.get(hold.request_id)
        if running is not None and running.written is not None:
            await running.written.durable()

    async def settle(self, settlement: Settlement, *, remember: Remember | None = None) -> Charge:
        """Charge at most what is held; durable in the journal on return; a repeat returns the first charge."""
        running = self._running.get(settlement.request_id)
        if running is None:
            return await self._charged_before(settlement)
        if running.resolved is None:
            charge = self._charge(settlement, running.request)
            result = None if remember is None else remember(charge)
            if running.request.idempotency is None:
                result = None  # nobody can ask for it again
            running.charge = charge
            running.resolved = Resolved(running.request, running.lease_id, settlement, charge.charged, result)
        await self._ended(running)
        if running.charge is None:
            raise NotFound("Nothing is held for this request any more: it ended without a charge.")
        return running.charge

    async def void(self, failed: FailedRequest) -> None:
        """End without a charge; durable in the journal on return; a repeat does nothing."""
        running = self._running.get(failed.request_id)
        if running is None:
            return
        if running.resolved is None:
            running.resolved = Resolved(running.request, running.lease_id, failed)
        await self._ended(running)

    async def open_wallet(self, account_id: str) -> None:
        """Make the account's wallet, empty; harmless when it exists."""
        await self._records.open_wallet(account_id)

    async def grant(
        self, account_id: str, amount: int, *, reason: str, idempotency_key: str, terms: GrantTerms = PLAIN_GRANT
    ) -> Wallet:
        """Add credit; a repeated key changes nothing."""
        wallet = await self._records.grant(
            account_id, amount, reason=reason, idempotency_key=idempotency_key, terms=terms
        )
        self._balances.forget(account_id)
        return wallet

    async def earlier(self, account_id: str, key: IdempotencyKey) -> Replay | None:
        """The first result under a key, without using it. The errors are those of the port."""
        await self._shipper.flush(account_id)
        return await self._records.earlier(account_id, key)

    async def booked(self, account_id: str) -> None:
        """Wait until all that ended here of an account is in the books. Raises `Unavailable`."""
        await self._shipper.flush(account_id)

    async def wallet(self, account_id: str) -> Wallet:
        """Balance and holds; what this process has in hand is not held, nor what it is taking or giving back."""
        await self._lending.settled_down(account_id)
        for purse in self._purses.of_account(account_id):
            await self._lending.give_back(purse)
        await self._shipper.flush(account_id)
        wallet = await self._books.wallet(account_id)
        in_hand = sum(purse.free for purse in self._purses.of_account(account_id))
        return Wallet(account_id, wallet.balance, max(wallet.held - in_hand, 0))

    async def receipt(self, account_id: str, receipt_id: str) -> SignedReceipt | None:
        """One receipt of this account, by receipt id or request id."""
        await self._shipper.flush(account_id)
        return await self._records.receipt(account_id, receipt_id)

    async def spent(self, account_id: str, *, start: datetime, end: datetime) -> int:
        """What was charged with start ≤ at < end."""
        await self._shipper.flush(account_id)
        return await self._records.spent(account_id, start=start, end=end)

    async def expire_holds(self, now: datetime) -> int:
        """Resolve open holds whose owner is gone, in the books."""
        return await self._records.expire_holds(now)

    async def verify(self) -> LedgerReport:
        """Audit the books as they are; endings on their way to them are not in them yet."""
        return await self._records.verify()

    async def _cover(self, request: HoldRequest, purse: Purse, second: int) -> Replay | str | None:
        """The lease a request is held from; None when it is held in the books. `second` is now."""
        if not self._balances.knows(request.account_id):
            await self._balances.refresh(request.account_id)
        if request.idempotency is not None:
            await self._balances.refresh(request.account_id)
            return await self._direct.place(request)
        lease_id = purse.take(request, self._clock.now())
        if lease_id is None and purse.leases_now(self._lending.second()):
            await self._lending.grow(purse, request)
            lease_id, second = purse.take(request, self._clock.now()), self._lending.second()
        if lease_id is None:
            await self._balances.refresh(request.account_id)
            return await self._direct.place(request)
        if purse.wanted(second):
            self._lending.start(purse, request)
        return lease_id

    def _charge(self, settlement: Settlement, request: HoldRequest) -> Charge:
        charged, loss = clamp(settlement.price, request.amount)
        balance = self._balances.after(request.account_id, charged)
        receipt_id = receipt_id_of(settlement.request_id)
        return Charge(settlement.request_id, receipt_id, charged, settlement.provider_cost, loss, balance)

    async def _ended(self, running: Running) -> None:
        """Bring the ending to the journal; then, once, let go of what was held."""
        resolved, request, purse = running.resolved, running.request, running.purse
        if resolved is None:
            return
        self._shipper.expect(resolved, running.charge)
        written = self._journal.resolve(resolved)
        await written.durable()
        if self._running.pop(request.request_id, None) is None:
            return
        purse.done(request.amount, charged=resolved.charged, second=self._lending.second())
        if running.lease_id is not None:
            purse.end(running.lease_id, request.amount, charged=resolved.charged)
        self._balances.charge(request.account_id, resolved.charged)
        self._shipper.wake(hurry=request.idempotency is not None)

    async def _charged_before(self, settlement: Settlement) -> Charge:
        charge = self._shipper.charge(settlement.account_id, settlement.request_id)
        charge = charge or await self._books.charge(settlement.request_id)
        if charge is None:
            raise NotFound("Nothing is held for this request.")
        return charge
