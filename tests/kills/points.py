"""The points a gateway is killed at: a function of it, and whether it has run when the process dies."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

ADAPTERS = "monkey_coder_server.adapters"
LEDGER = f"{ADAPTERS}.leasing.ledger:LeasedLedger"
BOOKS = f"{ADAPTERS}.storage.sql_books:SqlBooks"
JOURNAL = f"{ADAPTERS}.storage.journal.journal:SqliteJournal"
JOURNALS = f"{ADAPTERS}.storage.journal.directory:JournalDirectory"
COMMIT = (f"{ADAPTERS}.storage.writer:Writer._commit", f"{ADAPTERS}.storage.postgres.batch:Batches._commit")
UPSTREAM = f"{ADAPTERS}.upstream.client:HttpUpstream"
WRITER = "monkey_coder_server.web.sse:EventWriter"
BEFORE, AFTER = "before", "after"


def _anyone(_self: Any) -> bool:
    return True


def _of_the_journal(writer: Any) -> bool:
    return getattr(writer, "_name", "") == "journal"


def _of_the_ledger(writer: Any) -> bool:
    return not _of_the_journal(writer)


@dataclass(frozen=True, slots=True)
class Point:
    """`targets` are methods, as `module:Class.method`. They are passed often: the process dies at one of `passes`."""

    name: str
    targets: tuple[str, ...]
    when: str
    passes: tuple[int, int]
    only: Callable[[Any], bool] = _anyone
    """Of which objects the calls count."""


POINTS = (
    Point("hold decided", (f"{LEDGER}.hold",), AFTER, (50, 250)),
    Point("lease taken, not known", (f"{BOOKS}.lease",), AFTER, (1, 2)),
    Point("direct hold in the books, not known", (f"{BOOKS}.place",), AFTER, (10, 100)),
    Point("intent written", (f"{JOURNAL}.intend",), AFTER, (50, 250)),
    Point("provider about to be called", (f"{UPSTREAM}.send",), BEFORE, (50, 250)),
    Point("provider has begun to answer", (f"{UPSTREAM}.send",), AFTER, (50, 250)),
    Point("journal about to commit", COMMIT, BEFORE, (10, 80), _of_the_journal),
    Point("journal has committed", COMMIT, AFTER, (10, 80), _of_the_journal),
    Point("first byte about to leave", (f"{LEDGER}.durable",), AFTER, (20, 250)),
    Point("in the middle of delivery", (f"{WRITER}.write", f"{WRITER}.write_now"), AFTER, (200, 2_500)),
    Point("draft replaced", (f"{JOURNAL}.note",), AFTER, (50, 500)),
    Point("answer complete, nothing written", (f"{LEDGER}.settle",), BEFORE, (20, 200)),
    Point("ending written", (f"{JOURNAL}.resolve",), AFTER, (20, 200)),
    Point("ended, last byte not sent", (f"{LEDGER}.settle",), AFTER, (20, 200)),
    Point("about to be booked", (f"{BOOKS}.ship",), BEFORE, (2, 8)),
    Point("books about to commit", COMMIT, BEFORE, (5, 40), _of_the_ledger),
    Point("books have committed", COMMIT, AFTER, (5, 40), _of_the_ledger),
    Point("booked, not forgotten", (f"{BOOKS}.ship",), AFTER, (2, 8)),
    Point("journal adopted", (f"{JOURNALS}.adopt",), AFTER, (1, 1)),
    Point("in the middle of recovery", (f"{JOURNAL}.resolve",), AFTER, (1, 20)),
    Point("recovered, not forgotten", (f"{BOOKS}.ship",), AFTER, (1, 1)),
    Point("forgotten", (f"{JOURNAL}.forget",), AFTER, (2, 8)),
)
