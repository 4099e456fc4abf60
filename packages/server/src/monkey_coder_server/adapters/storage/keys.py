"""API keys by digest from memory: a refusal or an admission costs no I/O."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from monkey_coder_server.adapters.storage import key_rows
from monkey_coder_server.adapters.storage.following import KEYS, Following, News
from monkey_coder_server.adapters.storage.operations import Reading, Writing
from monkey_coder_server.domain.errors import Unavailable
from monkey_coder_server.ports.accounts import KeyRecord
from monkey_coder_server.ports.clock import Clock

STALE_SECONDS = 900
"""As long as a lease lasts: without one, nothing is served while the database is away."""
UNKNOWN_SECONDS = 3
MOST_UNKNOWN = 10_000
TOUCH_EVERY = timedelta(minutes=1)


class SqlKeys:
    """`ports.accounts.Keys` over a snapshot of all keys. Writes are durable on return and seen at once here."""

    def __init__(
        self, writer: Writing, readers: Reading, clock: Clock, news: News, *, refresh_seconds: int | None = None
    ) -> None:
        self._writer = writer
        self._readers = readers
        self._clock = clock
        self._records: dict[str, KeyRecord] = {}
        self._known: dict[bytes, KeyRecord] = {}
        self._revision = 0
        self._stale_seconds = STALE_SECONDS
        self._looked = clock.monotonic()
        self._unknown: OrderedDict[bytes, int] = OrderedDict()
        self._refreshing = asyncio.Lock()
        self._next_refresh: asyncio.Task[None] | None = None
        self._uses: dict[str, datetime] = {}
        self._written: dict[str, datetime] = {}
        self._following = Following(self._look, "API keys", seconds=refresh_seconds)
        news.follow(KEYS, self._following.wake)

    async def start(self) -> None:
        """Load all keys and begin to follow changes."""
        await self.refresh()
        self._following.begin()

    async def close(self) -> None:
        """Stop following and write what uses are noted."""
        if self._following.begun:
            await self._following.close()
            with suppress(Unavailable):  # only the times of last use are lost
                await self.flush()

    @property
    def stale(self) -> bool:
        """Whether nobody can say any more what has become of keys: the last look is too long ago."""
        return self._clock.monotonic() - self._looked >= self._stale_seconds

    def trust(self, seconds: int) -> None:
        """Take keys as they were at the last look for so long and no longer."""
        self._stale_seconds = seconds

    async def find(self, *digests: bytes) -> KeyRecord | None:
        """The key of any of these digests, also when revoked or expired.

        Raises `Unavailable` for who is not known yet while the database is away, and for everybody once this is stale.
        However many are unknown at a time, one read looks for all of them: it takes in whatever is new.
        """
        if self.stale:
            await self.refresh()
        known = self._first_known(digests)
        if known is not None:
            return known
        now, named = int(self._clock.monotonic()), digests[0]
        if self._unknown.get(named, 0) > now:
            return None
        await self.refresh()
        found = self._first_known(digests)
        if found is None:
            self._remember_unknown(named, now + UNKNOWN_SECONDS)
        return found

    def every(self) -> Sequence[KeyRecord]:
        """All keys of all accounts as known here, once for each secret, revoked ones included, oldest first."""
        return sorted(self._known.values(), key=lambda record: (record.created_at, record.key_id))

    async def create(self, record: KeyRecord, *, most: int | None = None) -> None:
        """Store a key. Raises `Conflict`, also when its account has `most` in use."""
        await self._writer.perform(partial(key_rows.add, record, most))
        self._unknown.pop(record.digest, None)
        if record.key_id not in self._records:  # a look may have come first, and have seen more
            self._take_in(record)

    async def list(self, account_id: str) -> Sequence[KeyRecord]:
        """An account's keys, oldest first, revoked ones included."""
        return await self._readers.read_of(account_id, partial(key_rows.of_account, account_id))

    async def revoke(self, account_id: str, key_id: str, at: datetime) -> bool:
        """Revoke now; False when there is no such key of this account."""
        found = await self._writer.perform(partial(key_rows.revoke, account_id, key_id, at))
        await self.refresh()
        return found

    async def change(self, account_id: str, key_id: str, edit: Callable[[KeyRecord], KeyRecord]) -> KeyRecord | None:
        """Store what `edit` makes of a key; seen at once here. None when there is no such key of this account."""
        changed = await self._writer.perform(partial(key_rows.change, account_id, key_id, edit))
        await self.refresh()
        return changed

    def touch(self, key_id: str, at: datetime) -> None:
        """Note a use; written in batches, at most once a minute a key."""
        written = self._written.get(key_id)
        if written is None or at - written >= TOUCH_EVERY:
            self._uses[key_id] = at

    async def refresh(self) -> None:
        """Take in keys made or changed until now, by whatever process. One look serves all who ask before it begins."""
        if self._next_refresh is None:
            self._next_refresh = asyncio.create_task(self._refresh())
        await asyncio.shield(self._next_refresh)

    async def _refresh(self) -> None:
        async with self._refreshing:
            self._next_refresh = None
            looked = self._clock.monotonic()
            for record, revision in await self._readers.read(partial(key_rows.changed_since, self._revision)):
                self._take_in(record)
                self._revision = max(self._revision, revision)
            self._looked = looked

    async def flush(self) -> None:
        """Write the noted uses."""
        if self._uses:
            uses, self._uses = self._uses, {}
            await self._writer.perform(partial(key_rows.note_uses, uses))
            self._written |= uses

    async def _look(self) -> None:
        """What is followed, and what is noted beside it."""
        await self.refresh()
        await self.flush()

    def _take_in(self, record: KeyRecord) -> None:
        """Know a key by the secrets it has, and no more by those it had."""
        for each in _as_found(self._records.get(record.key_id)):
            self._known.pop(each.digest, None)
        self._records[record.key_id] = record
        for each in _as_found(record):
            self._known[each.digest] = each

    def _first_known(self, digests: Sequence[bytes]) -> KeyRecord | None:
        for digest in digests:
            known = self._known.get(digest)
            if known is not None:
                return known
        return None

    def _remember_unknown(self, digest: bytes, until: int) -> None:
        self._unknown[digest] = until
        if len(self._unknown) > MOST_UNKNOWN:
            self._unknown.popitem(last=False)


def _as_found(record: KeyRecord | None) -> list[KeyRecord]:
    """A key as each of its secrets finds it."""
    return [] if record is None else [each for each in (record, record.formerly()) if each is not None]
