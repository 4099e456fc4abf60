"""The books as a model in memory: what `ports.books.Books` promises, without SQL; every change keeps the invariants."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from monkey_coder_server.domain.errors import Conflict, IdempotencyConflict, InsufficientCredit, RequestInProgress
from monkey_coder_server.domain.ledger import clamp, fair_share
from monkey_coder_server.domain.money import usd
from monkey_coder_server.ports.books import Lease, LeaseWish, Resolved
from monkey_coder_server.ports.ledger import Charge, HoldRequest, IdempotencyKey, Replay, Settlement, Wallet


@dataclass(slots=True)
class Lent:
    """A lease as the books keep it."""

    wish: LeaseWish
    amount: int
    expires_at: datetime
    charged: int = 0
    returned: int = 0
    open: bool = True
    recalled: bool = False

    @property
    def left(self) -> int:
        return self.amount - self.charged - self.returned


@dataclass(slots=True)
class Held:
    """A request as the books keep it; `charged` is None while it is open."""

    request: HoldRequest
    charged: int | None = None
    failed: bool = False
    result: bytes | None = None


@dataclass(slots=True)
class Bank:
    """Wallets by account: what was granted, what was charged; everything else follows."""

    granted: dict[str, int] = field(default_factory=dict)
    paid: dict[str, int] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    requests: dict[str, Held] = field(default_factory=dict)
    leases: dict[str, Lent] = field(default_factory=dict)
    keys: dict[tuple[str, str], tuple[bytes, str]] = field(default_factory=dict)
    open: dict[str, Held] = field(default_factory=dict)
    losses: int = 0
    contradictions: list[str] = field(default_factory=list)

    def grant(self, account_id: str, amount: int) -> None:
        self.granted[account_id] = self.granted.get(account_id, 0) + amount
        self.paid.setdefault(account_id, 0)
        self.held.setdefault(account_id, 0)

    def wallet(self, account_id: str) -> Wallet:
        return Wallet(account_id, self.granted[account_id] - self.paid[account_id], self.held[account_id])

    def place(self, request: HoldRequest) -> Replay | None:
        known = self.requests.get(request.request_id)
        if known is not None:
            if known.charged is None and known.request == request:
                return None
            raise Conflict("held before")
        if request.idempotency is not None:
            replay = self._earlier(request.account_id, request.idempotency)
            if replay is not None:
                return replay
        wallet = self.wallet(request.account_id)
        if request.amount > wallet.available:
            raise InsufficientCredit("not enough", facts={"available_usd": usd(wallet.available)})
        if request.idempotency is not None:
            key = request.idempotency
            self.keys[request.account_id, key.key] = (key.fingerprint, request.request_id)
        self.held[request.account_id] += request.amount
        self.requests[request.request_id] = self.open[request.request_id] = Held(request)
        self.check()
        return None

    def _earlier(self, account_id: str, key: IdempotencyKey) -> Replay | None:
        first = self.keys.get((account_id, key.key))
        if first is None:
            return None
        fingerprint, request_id = first
        if fingerprint != key.fingerprint:
            raise IdempotencyConflict("another body")
        known = self.requests[request_id]
        if known.charged is None:
            raise RequestInProgress("being served", facts={"request_id": request_id})
        return Replay(request_id, known.result or b"")

    def lease(self, wish: LeaseWish) -> Lease | None:
        known = self.leases.get(wish.lease_id)
        if known is None:
            wallet = self.wallet(wish.account_id)
            others = {
                lent.wish.instance
                for lent in self.leases.values()
                if lent.open and lent.wish.account_id == wish.account_id
            } - {wish.instance}
            amount = min(wish.wanted, fair_share(wallet.available, len(others) + 1))
            if amount < wish.least or amount <= 0:
                return None
            known = Lent(wish, amount, wish.expires_at)
            self.leases[wish.lease_id] = known
            self.held[wish.account_id] += amount
            self.check()
        wallet = self.wallet(wish.account_id)
        return Lease(
            wish.lease_id, wish.account_id, wish.key_id, known.amount, wish.at, known.expires_at,
            wallet.balance, wallet.available,
        )  # fmt: skip

    def give_back(self, lease_id: str, returned: int) -> None:
        lent = self.leases.get(lease_id)
        if lent is not None and lent.open:
            back = min(max(returned - lent.returned, 0), lent.left)
            self._release(lent, back)
            lent.recalled = False

    def _release(self, lent: Lent, back: int) -> None:
        lent.returned += back
        self.held[lent.wish.account_id] -= back
        if not lent.left:
            lent.open = False
        self.check()

    def extend(self, instance: str, expires_at: datetime) -> Collection[str]:
        mine = {each: lent for each, lent in self.leases.items() if lent.open and lent.wish.instance == instance}
        for lent in mine.values():
            lent.expires_at = max(lent.expires_at, expires_at)
        return mine

    def recall(self, account_id: str, instance: str, key_id: str | None) -> int:
        others = [
            lent
            for lent in self.leases.values()
            if lent.open and lent.wish.account_id == account_id and lent.wish.instance != instance
            if key_id in {None, lent.wish.key_id}
        ]
        for lent in others:
            lent.recalled = True
        return len(others)

    def recalled(self, instance: str) -> list[str]:
        return [each for each, lent in self.leases.items() if lent.recalled and lent.wish.instance == instance]

    def end_leases(self, instance: str) -> int:
        ended = [lent for lent in self.leases.values() if lent.open and lent.wish.instance == instance]
        for lent in ended:
            self._release(lent, lent.left)
            lent.open = False
        return len(ended)

    def expire_leases(self, now: datetime) -> int:
        ended = [lent for lent in self.leases.values() if lent.open and lent.expires_at < now]
        for lent in ended:
            self._release(lent, lent.left)
            lent.open = False
        return len(ended)

    def expire_holds(self, now: datetime) -> int:
        ended = [held for held in self.open.values() if held.request.expires_at < now]
        for held in ended:
            self._end(held, charged=0, failed=True)
        return len(ended)

    def ship(self, batch: Sequence[Resolved]) -> None:
        for resolved in batch:
            self._book(resolved)
        self.check()

    def _book(self, resolved: Resolved) -> None:
        asked, owed = resolved.hold, resolved.charged
        most = clamp(resolved.ending.price, asked.amount)[0] if isinstance(resolved.ending, Settlement) else 0
        assert 0 <= owed <= most
        known = self.requests.get(asked.request_id)
        if known is not None and known.charged is not None:
            if known.charged != owed:
                self.contradictions.append(asked.request_id)
            return
        lent = self.leases.get(resolved.lease_id) if resolved.lease_id else None
        if known is not None:
            charged = owed
            self.held[asked.account_id] -= asked.amount
        elif lent is not None:
            covered = min(owed, lent.left)
            lent.charged += covered
            self.held[asked.account_id] -= covered
            if lent.open and not lent.left:
                lent.open = False
            charged = covered + min(owed - covered, self.wallet(asked.account_id).available - covered)
        else:
            charged = min(owed, self.wallet(asked.account_id).available)
        known = known or Held(asked)
        self.requests[asked.request_id] = known
        self.losses += owed - charged
        self._close(known, charged, failed=not isinstance(resolved.ending, Settlement))
        known.result = resolved.result

    def _end(self, held: Held, *, charged: int, failed: bool) -> None:
        self.held[held.request.account_id] -= held.request.amount
        self._close(held, charged, failed=failed)
        self.check()

    def _close(self, held: Held, charged: int, *, failed: bool) -> None:
        held.charged, held.failed = charged, failed
        self.open.pop(held.request.request_id, None)
        self.paid[held.request.account_id] += charged
        key = held.request.idempotency
        if failed and key is not None:
            mine = self.keys.get((held.request.account_id, key.key))
            if mine is not None and mine[1] == held.request.request_id:
                del self.keys[held.request.account_id, key.key]

    def charge(self, request_id: str) -> Charge | None:
        held = self.requests.get(request_id)
        if held is None or held.charged is None or held.failed:
            return None
        balance = self.wallet(held.request.account_id).balance
        return Charge(request_id, f"rcpt_{request_id}", held.charged, 0, 0, balance)

    def check(self) -> None:
        """Raises `AssertionError` when a figure does not follow from the others."""
        expected = dict.fromkeys(self.granted, 0)
        for held in self.open.values():
            expected[held.request.account_id] += held.request.amount
        for lent in self.leases.values():
            if lent.open:
                expected[lent.wish.account_id] += lent.left
            else:
                assert not lent.left
        for account_id, held_in_all in expected.items():
            wallet = self.wallet(account_id)
            assert 0 <= wallet.held <= wallet.balance, (account_id, wallet)
            assert wallet.held == held_in_all, (account_id, wallet, held_in_all)

    def check_all(self) -> None:
        """`check`, and every charge against what was paid."""
        self.check()
        for account_id, paid in self.paid.items():
            mine = [held for held in self.requests.values() if held.request.account_id == account_id]
            assert paid == sum(held.charged or 0 for held in mine)
