"""The ledger's records on SQL: each call is one operation of the writer, or one read beside it."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from monkey_coder_server.adapters.storage import (
    expiry,
    grant_rows,
    grants,
    holds,
    idempotency,
    receipt_chain,
    refunds,
    usage_rows,
    verification,
)
from monkey_coder_server.adapters.storage.moments import LAST_MOMENT, optional_to_micros, to_micros
from monkey_coder_server.adapters.storage.operations import Reading, Writing
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.credit import GrantStanding, Refund
from monkey_coder_server.ports.ledger import (
    PLAIN_GRANT,
    GrantTerms,
    IdempotencyKey,
    LedgerReport,
    Replay,
    SignedReceipt,
    Wallet,
)
from monkey_coder_server.ports.signing import ReceiptSigner


class SqlLedger:
    """`ports.ledger.Records` and `ports.credit.Credit`. Reads see what is committed."""

    def __init__(self, writer: Writing, readers: Reading, *, signer: ReceiptSigner, clock: Clock) -> None:
        self._writer = writer
        self._readers = readers
        self._signer = signer
        self._clock = clock
        self._looked_at = idempotency.FIRST

    async def open_wallet(self, account_id: str) -> None:
        """Make the account's wallet, empty; harmless when it exists."""
        await self._writer.perform(lambda transaction: holds.open_wallet(transaction, account_id))

    async def grant(
        self, account_id: str, amount: int, *, reason: str, idempotency_key: str, terms: GrantTerms = PLAIN_GRANT
    ) -> Wallet:
        """Add credit; a repeated key changes nothing. Raises `NotFound`, `InvalidRequest`."""
        expires_at = optional_to_micros(terms.expires_at)
        given = grants.Grant(
            account_id,
            amount,
            reason,
            idempotency_key,
            to_micros(self._clock.now()),
            terms.kind,
            terms.priority,
            LAST_MOMENT if expires_at is None else expires_at,
        )
        return await self._writer.perform(partial(grants.give, given))

    async def refund(self, refund: Refund) -> Wallet:
        """Give a charge back, or take a grant back. Raises `NotFound`, `InvalidRequest`, `Conflict`."""
        return await self._writer.perform(partial(refunds.give, refund, to_micros(self._clock.now())))

    async def grants(self, account_id: str) -> Sequence[GrantStanding]:
        """An account's grants, spent ones included, in the order they are spent in."""
        return await self._readers.read_of(account_id, partial(grant_rows.of_account, account_id))

    async def expire_grants(self, now: datetime) -> int:
        """Book as breakage what is free of grants whose time is over; of how many."""
        expired = 0
        while some := await self._writer.perform(partial(grants.expire, to_micros(now))):
            expired += some
        return expired

    async def earlier(self, account_id: str, key: IdempotencyKey) -> Replay | None:
        """The first result under a key; None when it was not used. The errors are those of the port."""
        at = to_micros(self._clock.now())
        return await self._readers.read(partial(idempotency.earlier, idempotency_key=key, account_id=account_id, at=at))

    async def booked(self, account_id: str) -> None:
        """Nothing ends here; what ends elsewhere is booked by `SqlBooks.ship`."""

    async def wallet(self, account_id: str) -> Wallet:
        """Balance and holds as committed. Raises `NotFound`."""
        return await self._readers.read_of(account_id, lambda transaction: holds.read_wallet(transaction, account_id))

    async def receipt(self, account_id: str, receipt_id: str) -> SignedReceipt | None:
        """One receipt of this account, by receipt id or request id."""
        return await self._readers.read_of(account_id, partial(receipt_chain.find, account_id, receipt_id))

    async def spent(self, account_id: str, *, start: datetime, end: datetime) -> int:
        """What was charged with start ≤ at < end."""
        return await self._readers.read_of(
            account_id, partial(usage_rows.charged, account_id, to_micros(start), to_micros(end))
        )

    async def expire_holds(self, now: datetime) -> int:
        """Void open holds past `expires_at` and forget old idempotency results; how many holds."""
        at = to_micros(now)
        ended = await self._end_holds(at, before=at)
        self._looked_at = await self._writer.perform(
            lambda transaction: idempotency.forget_old(transaction, self._looked_at, at)
        )
        return ended

    async def end_orphans(self, now: datetime) -> int:
        """Void every open hold, as `expire_holds` does: while no process can be serving a request. How many."""
        return await self._end_holds(to_micros(now), before=LAST_MOMENT)

    async def _end_holds(self, at: int, *, before: int) -> int:
        ended = 0
        while some := await self._writer.perform(partial(expiry.expire, at, before, self._signer)):
            ended += some
        return ended

    async def verify(self) -> LedgerReport:
        """Audit the books as they are committed, in one consistent view."""
        now = to_micros(self._clock.now())
        return await self._readers.report(partial(verification.audit, self._signer, now))
