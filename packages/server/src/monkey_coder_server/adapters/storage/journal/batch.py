"""What is written in one turn of the event loop becomes one operation of the writer."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from monkey_coder_server.adapters.storage.journal import file
from monkey_coder_server.adapters.storage.journal.company import Company
from monkey_coder_server.adapters.storage.journal.slots import Slots
from monkey_coder_server.adapters.storage.operations import Job
from monkey_coder_server.adapters.storage.transaction import Parameters, Transaction
from monkey_coder_server.adapters.storage.writer import Writer


@dataclass(slots=True, eq=False)
class Rows:
    """Rows to write and to delete. Of several drafts of a request only the last is written: they are kept by number."""

    open: dict[int, Parameters] = field(default_factory=dict)
    no_longer_open: list[Parameters] = field(default_factory=list)
    endings: list[Parameters] = field(default_factory=list)
    forgotten: list[Parameters] = field(default_factory=list)
    taken: bool = False
    """Whether the writer has run it: what comes now belongs to the next batch."""

    def write(self, transaction: Transaction) -> None:
        """Write all of it. It may be run again."""
        self.taken = True
        for query, rows in (
            (file.KEEP_OPEN, list(self.open.values())),
            (file.DROP_OPEN, self.no_longer_open),
            (file.KEEP_ENDING, self.endings),
            (file.DROP_ENDING, self.forgotten),
        ):
            if rows:
                transaction.change_each(query, rows)

    def clear(self) -> None:
        """Let go of what is written: the batch may be remembered for longer."""
        for rows in (self.open, self.no_longer_open, self.endings, self.forgotten):
            rows.clear()


class Batch:
    """Rows on their way to the disk. Implements `ports.journal.Written`.

    `undo` puts back what the journal remembers in memory, should the batch be lost; `needless` are slots of requests
    whose endings it brings to the disk.
    """

    __slots__ = ("_company", "_job", "_slots", "_writer", "needless", "rows", "undo")

    def __init__(self, writer: Writer, slots: Slots | None) -> None:
        """Give it to the writer, which runs it in the loop's next turn. Raises `Unavailable`."""
        self.rows = Rows()
        self.undo: list[Callable[[], None]] = []
        self.needless: list[int] = []
        self._slots = slots
        self._company = Company()
        self._writer = writer
        self._job: Job[None] = writer.submit(self.rows.write, awaited=False)
        self._job.committed.add_done_callback(self._ended)

    @property
    def is_durable(self) -> bool:
        """Whether it is on disk."""
        return self._job.committed.done() and self._job.error is None

    @property
    def is_kept(self) -> bool:
        """Whether it would survive the death of this process: what it writes is nowhere else before."""
        return self.is_durable

    async def durable(self) -> None:
        """Wait until it is on disk. Raises `Unavailable`."""
        if not self._job.committed.done():
            self._writer.hurry(self._job)
            await self._company.wait()
        self._job.result()

    def _ended(self, _committed: asyncio.Future[None]) -> None:
        self._company.go_on()
        if self._job.error is not None:
            for put_back in reversed(self.undo):
                put_back()
        elif self._slots is not None:
            self._slots.free(self.needless)
        self.undo.clear()
        self.rows.clear()
