"""What wallets have, as far as this process knows: for what charges tell their callers, never for a decision."""

from collections import OrderedDict

from monkey_coder_server.adapters.leasing.shipper import Shipper
from monkey_coder_server.ports.books import Books
from monkey_coder_server.ports.clock import Clock

MOST = 100_000
FRESH_SECONDS = 5.0


class Balances:
    """Read from the books now and then; what is charged here in between is taken off."""

    def __init__(self, books: Books, shipper: Shipper, clock: Clock) -> None:
        self._books = books
        self._shipper = shipper
        self._clock = clock
        self._known: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def after(self, account_id: str, charged: int) -> int:
        """The balance after a charge that is not taken off yet."""
        return self._known.get(account_id, (0, 0.0))[0] - charged

    def charge(self, account_id: str, charged: int) -> None:
        """Take off a charge."""
        if account_id in self._known:
            balance, since = self._known[account_id]
            self._known[account_id] = (balance - charged, since)

    def forget(self, account_id: str) -> None:
        """Something else changed it."""
        self._known.pop(account_id, None)

    def knows(self, account_id: str) -> bool:
        """Whether it was ever read."""
        return account_id in self._known

    async def refresh(self, account_id: str) -> None:
        """Read it again unless that was just done. Raises `NotFound`, `Unavailable`."""
        _, since = self._known.get(account_id, (0, 0.0))
        now = self._clock.monotonic()
        if account_id in self._known and (now - since < FRESH_SECONDS or self._shipper.unbooked(account_id)):
            return
        await self._shipper.flush(account_id)
        before = self._known.get(account_id)
        wallet = await self._books.wallet(account_id)
        if self._known.get(account_id) == before:  # nothing was charged meanwhile
            self._known[account_id] = (wallet.balance, now)
            if len(self._known) > MOST:
                self._known.popitem(last=False)
