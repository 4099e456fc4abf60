"""The journal of one process, on a SQLite file of its own with the writer's group commit.

What has to be known at once (which requests are open, how much waits) is kept in memory. Records are on disk; those
that are booked at once, as all are while the books answer, are not read back from there. A request that nothing is
delivered of is noted in a slot (`slots`); it has a row from the first draft that charges somebody.
Every row is complete in itself, so a later draft or the ending makes up for an earlier record that was lost.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Protocol

from monkey_coder_server.adapters.storage.journal import encoding, file
from monkey_coder_server.adapters.storage.journal.batch import Batch
from monkey_coder_server.adapters.storage.journal.contents import Bounds, Contents, OpenRequest, Waiting, unknown_draft
from monkey_coder_server.adapters.storage.journal.encoding import Admitted, DamagedRecord
from monkey_coder_server.adapters.storage.journal.mark import Mark
from monkey_coder_server.adapters.storage.journal.slots import Noted, Slots
from monkey_coder_server.adapters.storage.journal.syncs import Sync, Syncs
from monkey_coder_server.adapters.storage.journal.written import NOTHING, InSlot
from monkey_coder_server.adapters.storage.operations import unavailable
from monkey_coder_server.adapters.storage.transaction import Row, Transaction
from monkey_coder_server.adapters.storage.writer import Writer
from monkey_coder_server.ports.books import Resolved
from monkey_coder_server.ports.clock import Clock
from monkey_coder_server.ports.journal import Draft, Intent, Written
from monkey_coder_server.ports.ledger import FailedRequest

logger = logging.getLogger(__name__)

REMEMBERED = 512
"""Endings that are kept in memory as well; what waits beyond them, while the books are away, is on disk alone."""
DECODED_A_TURN = 32
"""About 0.2 ms of work; then other tasks of the loop get theirs."""


class Closing(Protocol):
    """Lets go of the file."""

    async def __call__(self, *, empty: bool) -> None:
        """Remove it, or leave it to be adopted."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the journal knows of its place on the disk."""

    instance: str
    enough: Callable[[], bool]
    """Whether there is room for new requests."""
    figures: Callable[[], Mapping[str, int]]
    mark: Callable[[Callable[[], int]], Mark]
    """Shows outsiders how many seconds the oldest ending waits, as it is told."""
    slots: Slots | None
    """Where requests are noted that need no rows; an adopted journal has none."""
    sync: Callable[[], None] | None
    """Lets what is in slots survive power loss; None with relaxed durability."""
    close: Closing
    """Called once nothing is written any more, with whether the journal is empty."""


class SqliteJournal:
    """Implements `ports.journal.Journal`."""

    def __init__(
        self,
        writer: Writer,
        contents: Contents,
        *,
        clock: Clock,
        surroundings: Surroundings,
        bounds: Bounds,
    ) -> None:
        self._writer = writer
        self._clock = clock
        self._surroundings = surroundings
        self._bounds = bounds
        self._open = dict(contents.open)
        now = int(clock.monotonic())
        self._waiting = {
            number: Waiting(request_id, size, now) for number, (request_id, size) in contents.endings.items()
        }
        self._ended = {waiting.request_id: number for number, waiting in self._waiting.items()}
        self._waiting_bytes = sum(waiting.size for waiting in self._waiting.values())
        self._slots = surroundings.slots
        self._syncs = None if self._slots is None else Syncs(surroundings.sync)
        self._last = max([0, *self._waiting, *(request.number or 0 for request in self._open.values())])
        self._batch: Batch | None = None
        self._damaged: set[int] = set()
        self._mark = surroundings.mark(self.oldest_seconds)
        self._mark.start()
        self._closed = False

    @property
    def instance(self) -> str:
        """The process that wrote it."""
        return self._surroundings.instance

    @property
    def open_for_new(self) -> bool:
        """Whether it works, is within its bounds and the disk has room."""
        return (
            self._writer.alive
            and not self._writer.failing
            and len(self._waiting) < self._bounds.endings
            and self._waiting_bytes < self._bounds.size
            and self._surroundings.enough()
        )

    def intend(self, intent: Intent) -> Written:
        """Note an admitted request. Raises `Unavailable`."""
        request_id = intent.hold.request_id
        admitted = encoding.sealed(request_id, Admitted(intent.hold, intent.lease_id))
        known = self._open.get(request_id)
        return self._save(request_id, admitted, intent.draft, known)

    def note(self, request_id: str, draft: Draft) -> Written:
        """Replace the draft of an open request; another is left alone. Raises `Unavailable`."""
        request = self._open.get(request_id)
        return self._current() if request is None else self._save(request_id, request.admitted, draft, request)

    def resolve(self, resolved: Resolved) -> Written:
        """Note how a request ended; a second ending changes nothing. Raises `Unavailable`."""
        request_id = resolved.hold.request_id
        if (first := self._ended.get(request_id)) is not None:
            return self._waiting[first].written or self._current()
        request, record = self._open.get(request_id), encoding.sealed(request_id, resolved)
        return self._end_in_slot(request, resolved, record) or self._end_in_row(request, resolved, record)

    def _end_in_slot(self, request: OpenRequest | None, resolved: Resolved, record: bytes) -> Sync | None:
        """In place of what was noted of it, if that has a slot; None where it needs a row.

        Those in slots are all remembered: none is read back while this process lives.
        """
        slots, syncs = self._slots, self._syncs
        if slots is None or syncs is None or syncs.failed or len(self._waiting) >= REMEMBERED:
            return None
        if request is not None and request.number is not None:
            return None
        if not self._writer.alive:
            raise unavailable("it is closed")
        request_id, number = resolved.hold.request_id, self._last + 1
        slot = slots.end(request_id, record, number, None if request is None else request.slot)
        if slot is None:
            return None
        sync, self._last = syncs.next(), number
        self._keep(number, Waiting(request_id, len(record), self._now(), sync, resolved, slot))
        self._open.pop(request_id, None)
        sync.undo.append(partial(self._unend, number, request_id, request))
        return sync

    def _end_in_row(self, request: OpenRequest | None, resolved: Resolved, record: bytes) -> Batch:
        batch, request_id = self._current(), resolved.hold.request_id
        if request is not None:
            del self._open[request_id]
            if request.number is not None:
                batch.rows.open.pop(request.number, None)
                batch.rows.no_longer_open.append({"number": request.number})
            if request.slot is not None:
                batch.needless.append(request.slot)
        number = self._next()
        remembered = resolved if len(self._waiting) < REMEMBERED else None
        self._keep(number, Waiting(request_id, len(record), self._now(), batch, remembered))
        batch.rows.endings.append({"number": number, "request_id": request_id, "record": record})
        batch.undo.append(partial(self._unend, number, request_id, request))
        return batch

    async def endings(self, after: int, most: int) -> Sequence[tuple[int, Resolved]]:
        """Durable endings not yet forgotten, by number. Raises `Unavailable`."""
        while (found := self._remembered(after, most)) is not None:
            if found:
                return found
            first = next((waiting.written for number, waiting in self._waiting.items() if number > after), None)
            if first is None:
                return []
            await first.durable()
        return await self._read(after, most)

    def _remembered(self, after: int, most: int) -> list[tuple[int, Resolved]] | None:
        """Those of the next endings that are durable; None when one is not in memory, or they are out of order."""
        found: list[tuple[int, Resolved]] = []
        last = after
        for number, waiting in self._waiting.items():
            if number <= after:
                continue
            if waiting.written is None or waiting.resolved is None or number < last:
                return None
            if len(found) == most or not waiting.written.is_durable:
                break
            found.append((number, waiting.resolved))
            last = number
        return found

    async def _read(self, after: int, most: int) -> list[tuple[int, Resolved]]:
        """The same from the file. Raises `Unavailable`."""
        found: list[tuple[int, Resolved]] = []
        while self._waiting and not found:
            rows = await self._writer.perform(partial(_page, after, most))
            last = rows[-1][0] if len(rows) == most else self._last
            for first in range(0, len(rows), DECODED_A_TURN):
                found += self._decoded(rows[first : first + DECODED_A_TURN])
                await asyncio.sleep(0)
            found = sorted([*found, *self._between(after, last)], key=itemgetter(0))[:most]
            if len(rows) < most:
                break
            after = last
        return found

    def _between(self, after: int, last: int) -> list[tuple[int, Resolved]]:
        """Durable endings in slots with after < number ≤ last."""
        return [
            (number, waiting.resolved)
            for number, waiting in self._waiting.items()
            if after < number <= last
            and waiting.slot is not None
            and waiting.resolved is not None
            and waiting.written is not None
            and waiting.written.is_durable
        ]

    def forget(self, numbers: Sequence[int]) -> Written:
        """Drop endings that are booked. Raises `Unavailable`."""
        dropped = [(number, waiting) for number in numbers if (waiting := self._drop(number)) is not None]
        if self._slots is not None:
            in_slots = [(number, waiting.slot) for number, waiting in dropped if waiting.slot is not None]
            self._slots.forget(in_slots, before=self._first_waiting())
        rows = [(number, waiting) for number, waiting in dropped if waiting.slot is None]
        if dropped and not rows:
            return NOTHING
        batch = self._current()
        for number, waiting in rows:
            batch.rows.forgotten.append({"number": number})
            batch.undo.append(partial(self._keep, number, waiting))
        return batch

    async def left_open(self) -> Sequence[Intent]:
        """Requests without an ending, with their last drafts. Raises `Unavailable`."""
        rows = await self._writer.perform(lambda transaction: transaction.rows(file.READ_OPEN, {}))
        noted = [(0, *noted) for noted in map(self._in_slot, self._open.values()) if noted is not None]
        return [intent for number, *row in (*rows, *noted) if (intent := self._intent(number, *row)) is not None]

    def figures(self) -> Mapping[str, int]:
        """See the port."""
        around = self._surroundings.figures()
        return {
            "waiting": len(self._waiting),
            "waiting_bytes": self._waiting_bytes,
            "oldest_seconds": self.oldest_seconds(),
            "open": len(self._open),
            **around,
            "damaged": around.get("damaged", 0) + len(self._damaged),
        }

    def oldest_seconds(self) -> int:
        """How long the oldest ending has waited for the books."""
        oldest = next(iter(self._waiting.values()), None)
        return 0 if oldest is None else int(self._clock.monotonic()) - oldest.since

    async def close(self) -> None:
        """Make durable what waits; remove the file if nothing is left in it. Harmless when closed."""
        if not self._closed:
            self._closed = True
            await self._mark.stop()
            if self._syncs is not None:
                await self._syncs.close()
            await self._writer.close()
            empty = not (self._waiting or self._open or self._damaged)
            await self._surroundings.close(empty=empty)

    def _first_waiting(self) -> int:
        """No ending with a lower number is in a slot alone; 0 where slots may hold one that is not waiting.

        Those in slots are in the order of their numbers. A row that is not forgotten after all comes behind them.
        """
        if self._syncs is None or self._syncs.failed:
            return 0
        return next(iter(self._waiting), self._last + 1)

    def _now(self) -> int:
        """A monotonic moment in seconds."""
        return int(self._clock.monotonic())

    def _next(self) -> int:
        self._last += 1
        return self._last

    def _current(self) -> Batch:
        """The batch of this turn."""
        if self._batch is None or self._batch.rows.taken:
            self._batch = Batch(self._writer, self._slots)
        return self._batch

    def _save(self, request_id: str, admitted: bytes, draft: Draft, known: OpenRequest | None) -> Written:
        """Note an open request anew: in a slot as long as nobody is charged for it and there is one, else in a row."""
        sealed = encoding.sealed(request_id, draft)
        number, slot = (None, None) if known is None else (known.number, known.slot)
        if self._slots is not None and number is None and isinstance(draft, FailedRequest):
            if not self._writer.alive:
                raise unavailable("it is closed")
            noted = self._slots.note(request_id, admitted, sealed, slot)
            if noted is not None:
                self._open[request_id] = OpenRequest(admitted, slot=noted)
                return InSlot(request_id, self._to_disk)
        return self._write(request_id, OpenRequest(admitted, number, slot), sealed)

    def _write(self, request_id: str, request: OpenRequest, sealed: bytes) -> Batch:
        """Write an open request's row anew."""
        batch = self._current()
        number = request.number or self._next()
        self._open[request_id] = request._replace(number=number)
        batch.rows.open[number] = {
            "number": number,
            "request_id": request_id,
            "admitted": request.admitted,
            "draft": sealed,
        }
        return batch

    def _to_disk(self, request_id: str) -> Batch:
        """What is noted of a request in a slot gets a row, if it is still open and has none. Raises `Unavailable`."""
        request = self._open.get(request_id)
        noted = None if request is None else self._in_slot(request)
        if request is None or noted is None:
            return self._current()
        return self._write(request_id, request, noted.draft)

    def _in_slot(self, request: OpenRequest) -> Noted | None:
        """What its slot says of a request that has no row."""
        if self._slots is None or request.slot is None or request.number is not None:
            return None
        held = self._slots.get(request.slot)
        return held if isinstance(held, Noted) else None

    def _keep(self, number: int, waiting: Waiting) -> None:
        self._waiting[number] = waiting
        self._ended[waiting.request_id] = number
        self._waiting_bytes += waiting.size

    def _drop(self, number: int) -> Waiting | None:
        waiting = self._waiting.pop(number, None)
        if waiting is not None:
            self._waiting_bytes -= waiting.size
            self._ended.pop(waiting.request_id, None)
        return waiting

    def _unend(self, number: int, request_id: str, request: OpenRequest | None) -> None:
        """An ending did not reach the disk: what it ended is open again."""
        self._drop(number)
        if request is not None:
            self._open[request_id] = request

    def _decoded(self, rows: Sequence[Row]) -> list[tuple[int, Resolved]]:
        """Endings that can be read and are not forgotten meanwhile."""
        found: list[tuple[int, Resolved]] = []
        for number, request_id, record in rows:
            try:
                if number in self._waiting:
                    found.append((number, encoding.resolved(request_id, record)))
            except DamagedRecord as damage:
                self._report(number, request_id, damage)
        return found

    def _intent(self, number: int, request_id: str, kept: bytes, draft: bytes) -> Intent | None:
        try:
            admitted = encoding.admitted(request_id, kept)
        except DamagedRecord as damage:
            self._report(number, request_id, damage)
            return None
        try:
            last = encoding.draft(request_id, draft)
        except DamagedRecord as damage:
            self._report(number, request_id, damage)
            last = unknown_draft(admitted)
        return Intent(admitted.hold, admitted.lease_id, last)

    def _report(self, number: int, request_id: str, damage: DamagedRecord) -> None:
        """Once for each: it stays in the file, which is therefore not removed at the end."""
        if number not in self._damaged:
            self._damaged.add(number)
            logger.error("a record of the journal is damaged: %s", damage, extra={"request_id": request_id})


def _page(after: int, most: int, transaction: Transaction) -> list[Row]:
    return transaction.rows(file.READ_ENDINGS, {"after": after, "most": most})
