"""The ledger of a serving process: leases and a journal in front of the books."""

import contextlib
import logging
from collections.abc import AsyncIterator
from functools import partial

from monkey_coder_server.adapters.leasing import LeasedLedger
from monkey_coder_server.adapters.metrics import Metrics
from monkey_coder_server.adapters.storage.journal.directory import JournalDirectory, Options
from monkey_coder_server.bootstrap.books import Books

logger = logging.getLogger(__name__)

_FIGURES = (
    ("waiting", "monkey_coder_unshipped_endings", "Endings in the journal that the books do not have yet."),
    ("waiting_bytes", "monkey_coder_unshipped_bytes", "Bytes of endings that wait for the books."),
    ("oldest_seconds", "monkey_coder_unshipped_oldest_seconds", "How long the oldest ending has waited."),
    ("open", "monkey_coder_journal_open_requests", "Requests in the journal that have not ended."),
    ("file_bytes", "monkey_coder_journal_file_bytes", "Size of the journal on the disk."),
    ("reserve_whole", "monkey_coder_journal_reserve", "1 while the room for endings on a full disk is set aside."),
    ("damaged", "monkey_coder_journal_damaged_records", "Records of this process's journal that cannot be read."),
    ("leases", "monkey_coder_leases", "Leases of wallets this process has."),
    ("leased", "monkey_coder_leased_nano_dollars", "Credit this process has leased and not charged or returned."),
    ("running", "monkey_coder_held_requests", "Requests that hold credit in this process."),
    ("shipped", "monkey_coder_shipped_endings", "Endings brought to the books since the start."),
    ("unbookable", "monkey_coder_unbookable_endings", "Endings the books could not take, kept aside in them."),
    ("failed_shipments", "monkey_coder_failed_shipments", "Batches of endings the books did not take at once."),
    ("recovered", "monkey_coder_recovered_requests", "Requests of dead processes that were ended here."),
    ("books_away", "monkey_coder_books_away", "1 while the books do not take endings."),
)


@contextlib.asynccontextmanager
async def open_ledger(books: Books, metrics: Metrics) -> AsyncIterator[LeasedLedger]:
    """End and book what dead processes left, then serve. At the end of the block leases go back, the rest is booked."""
    relaxed = books.settings.durability == "relaxed"
    directory = JournalDirectory(
        books.settings.data_dir / "journal", clock=books.clock, options=Options(relaxed=relaxed)
    )
    journal = await directory.open(books.ids.new("gw"))
    storage = books.storage
    ledger = LeasedLedger(
        storage.books, storage.ledger, journal=journal, journals=directory, clock=books.clock, ids=books.ids
    )
    for figure, name, told in _FIGURES:
        metrics.track(name, told, partial(_figure, ledger, figure))
    metrics.track(
        "monkey_coder_journal_damages", "Damages found in adopted journals.", lambda: float(directory.damages)
    )
    try:
        await ledger.start()
        async with storage.serving(books.clock):
            try:
                yield ledger
            finally:
                await ledger.close()
    finally:
        await ledger.close()


def _figure(ledger: LeasedLedger, name: str) -> float:
    return float(ledger.figures().get(name, 0))
