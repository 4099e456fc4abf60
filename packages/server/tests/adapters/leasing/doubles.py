"""Ports that may fail, for a process that may die: what a dead process calls never happens."""

import asyncio
import random
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from monkey_coder_server.domain.errors import Unavailable
from monkey_coder_server.ports.books import Lease, LeaseWish, Resolved
from monkey_coder_server.ports.journal import Draft, Intent
from monkey_coder_server.ports.ledger import Charge, FailedRequest, Hold, HoldRequest, Replay, Wallet
from packages.server.tests.adapters.leasing.bank import Bank
from packages.server.tests.contract.booking import NOON

T = TypeVar("T")


class Killed(BaseException):
    """The process is dead."""


@dataclass(slots=True, eq=False)
class Life:
    """Whether a process lives, and what can go wrong with what it calls."""

    chance: random.Random
    faults: "Faults"
    alive: bool = True

    def check(self) -> None:
        if not self.alive:
            raise Killed

    async def some_time(self, most: float) -> None:
        self.check()
        await asyncio.sleep(self.chance.random() * most)
        self.check()


@dataclass(slots=True)
class Faults:
    """Odds of one call; `away` for an outage of the books."""

    before: float = 0.0
    after: float = 0.0
    hangs: float = 0.0
    lost_records: float = 0.0
    away: bool = False

    def calm(self) -> None:
        """Nothing fails any more."""
        self.before = self.after = self.hangs = self.lost_records = 0.0
        self.away = False


class LoopClock:
    """`ports.clock.Clock` on the time of the running loop."""

    def now(self) -> datetime:
        return NOON + timedelta(seconds=asyncio.get_running_loop().time())

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


class FaultyBooks:
    """`ports.books.Books` of one process over the bank all share: slow, away, or silent after the commit."""

    def __init__(self, bank: Bank, life: Life) -> None:
        self._bank = bank
        self._life = life

    async def _call(self, act: Callable[[], T]) -> T:
        life, faults = self._life, self._life.faults
        await life.some_time(0.01)
        odds = life.chance.random()
        if faults.away or odds < faults.before:
            raise Unavailable("The books are away.")
        result = act()
        if odds > 1.0 - faults.hangs:
            await asyncio.sleep(60.0)
        await life.some_time(0.01)
        if odds > 1.0 - faults.hangs - faults.after:
            raise Unavailable("The connection was lost after the commit.")
        return result

    async def place(self, request: HoldRequest) -> Hold | Replay:
        replay = await self._call(lambda: self._bank.place(request))
        return replay or Hold(request.request_id, request.account_id, request.amount)

    async def lease(self, wish: LeaseWish) -> Lease | None:
        return await self._call(lambda: self._bank.lease(wish))

    async def give_back(self, lease_id: str, returned: int) -> None:
        await self._call(lambda: self._bank.give_back(lease_id, returned))

    async def extend(self, instance: str, expires_at: datetime) -> Collection[str]:
        return await self._call(lambda: self._bank.extend(instance, expires_at))

    async def recall(self, account_id: str, instance: str, *, key_id: str | None = None) -> int:
        return await self._call(lambda: self._bank.recall(account_id, instance, key_id))

    async def recalled(self, instance: str) -> Sequence[str]:
        return await self._call(lambda: self._bank.recalled(instance))

    async def ship(self, batch: Sequence[Resolved]) -> Mapping[str, str]:
        await self._call(lambda: self._bank.ship(batch))
        return {}

    async def charge(self, request_id: str) -> Charge | None:
        return await self._call(lambda: self._bank.charge(request_id))

    async def wallet(self, account_id: str) -> Wallet:
        return await self._call(lambda: self._bank.wallet(account_id))

    async def expire_leases(self, now: datetime) -> int:
        return await self._call(lambda: self._bank.expire_leases(now))

    async def end_leases(self, instance: str) -> int:
        return await self._call(lambda: self._bank.end_leases(instance))


@dataclass(slots=True, eq=False)
class Disk:
    """What survives of one journal."""

    instance: str
    open: dict[str, Intent] = field(default_factory=dict)
    endings: dict[int, Resolved] = field(default_factory=dict)
    owner: Life | None = None
    last: int = 0


@dataclass(slots=True, eq=False)
class Batch:
    """`ports.journal.Written` of all that is written before the next sync."""

    changes: list[Callable[[], None]] = field(default_factory=list)
    undo: list[Callable[[], None]] = field(default_factory=list)
    done: asyncio.Event = field(default_factory=asyncio.Event)
    lost: bool = False

    @property
    def is_kept(self) -> bool:
        return self.done.is_set() and not self.lost

    async def durable(self) -> None:
        await self.done.wait()
        if self.lost:
            raise Unavailable("The record was lost.")


@dataclass(frozen=True, slots=True)
class Kept:
    """`ports.journal.Written` of what the process's death cannot reach any more, before it is on the disk."""

    batch: Batch
    is_kept: bool = True

    async def durable(self) -> None:
        await self.batch.durable()


class MemoryJournal:
    """`ports.journal.Journal`: what is written reaches the disk some time later, all of a batch or nothing."""

    def __init__(self, disk: Disk, life: Life, remove: Callable[[Disk], None]) -> None:
        self.disk = disk
        self._life = life
        self._remove = remove
        self._open = dict(disk.open)
        self._ended = {resolved.hold.request_id for resolved in disk.endings.values()}
        self._first: dict[str, Batch] = {}
        self._batch: Batch | None = None
        self._syncing: set[asyncio.Task[None]] = set()
        self._kept: set[str] = set()
        self._closed = False

    @property
    def instance(self) -> str:
        return self.disk.instance

    @property
    def open_for_new(self) -> bool:
        return not self._closed

    def _current(self) -> Batch:
        self._life.check()
        if self._closed:
            raise Unavailable("The journal is closed.")
        if self._batch is None:
            self._batch = Batch()
            task = asyncio.create_task(self._sync(self._batch))
            self._syncing.add(task)
            task.add_done_callback(self._syncing.discard)
        return self._batch

    async def _sync(self, batch: Batch) -> None:
        await self._life.some_time(0.005)
        if self._batch is batch:
            self._batch = None
        batch.lost = self._life.chance.random() < self._life.faults.lost_records
        for act in reversed(batch.undo) if batch.lost else batch.changes:
            act()
        await asyncio.sleep(0)
        batch.done.set()

    def intend(self, intent: Intent) -> Batch | Kept:
        self._life.check()
        return self._save(intent, keep=self._life.chance.random() < 0.8)

    def note(self, request_id: str, draft: Draft) -> Batch | Kept:
        batch = self._current()
        intent = self._open.get(request_id)
        if intent is None:
            return batch
        return self._save(Intent(intent.hold, intent.lease_id, draft), keep=request_id in self._kept)

    def _save(self, intent: Intent, *, keep: bool) -> Batch | Kept:
        """What charges nobody is mostly kept at once."""
        batch, request_id = self._current(), intent.hold.request_id
        self._open[request_id] = intent
        if keep and isinstance(intent.draft, FailedRequest):
            self._kept.add(request_id)
            self.disk.open[request_id] = intent
            return Kept(batch)
        self._kept.discard(request_id)
        batch.changes.append(lambda: self.disk.open.__setitem__(request_id, intent))
        return batch

    def resolve(self, resolved: Resolved) -> Batch:
        batch = self._current()
        request_id = resolved.hold.request_id
        if request_id in self._ended:
            return self._first.get(request_id, batch)
        was_open = self._open.pop(request_id, None)
        self._ended.add(request_id)
        self._first[request_id] = batch

        def write() -> None:
            self.disk.open.pop(request_id, None)
            self.disk.last += 1
            self.disk.endings[self.disk.last] = resolved

        def undo() -> None:
            self._ended.discard(request_id)
            self._first.pop(request_id, None)
            if was_open is not None:
                self._open[request_id] = was_open

        batch.changes.append(write)
        batch.undo.append(undo)
        return batch

    async def endings(self, after: int, most: int) -> Sequence[tuple[int, Resolved]]:
        await self._life.some_time(0.002)
        return [(number, each) for number, each in sorted(self.disk.endings.items()) if number > after][:most]

    def forget(self, numbers: Sequence[int]) -> Batch:
        batch = self._current()

        def drop() -> None:
            for number in numbers:
                gone = self.disk.endings.pop(number, None)
                if gone is not None:
                    self._ended.discard(gone.hold.request_id)

        batch.changes.append(drop)
        return batch

    async def left_open(self) -> Sequence[Intent]:
        await self._life.some_time(0.002)
        return list(self.disk.open.values())

    def figures(self) -> Mapping[str, int]:
        return {"waiting": len(self.disk.endings), "open": len(self._open)}

    async def close(self) -> None:
        self._life.check()
        if self._closed:
            return
        self._closed = True
        while self._syncing:
            await asyncio.wait(set(self._syncing))
        self._life.check()
        self.disk.owner = None
        if not self.disk.open and not self.disk.endings:
            self._remove(self.disk)


class SharedDirectory:
    """`ports.journal.Journals`: the journals of all processes on one machine, seen by one of them."""

    def __init__(self, disks: list[Disk], life: Life) -> None:
        self._disks = disks
        self._life = life

    def open(self, instance: str) -> MemoryJournal:
        disk = Disk(instance, owner=self._life)
        self._disks.append(disk)
        return MemoryJournal(disk, self._life, self._disks.remove)

    async def adopt(self) -> Sequence[MemoryJournal]:
        await self._life.some_time(0.002)
        dead = [disk for disk in self._disks if disk.owner is None or not disk.owner.alive]
        for disk in dead:
            disk.owner = self._life
        return [MemoryJournal(disk, self._life, self._disks.remove) for disk in dead]
