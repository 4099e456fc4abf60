"""The points a gateway is killed at: a function of it, and whether it has run when the process dies."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

ADAPTERS = "monkey_coder_server.adapters"
LEDGER = f"{ADAPTERS}.leasing.ledger:LeasedLedger"
BOOKS = f"{ADAPTERS}.storage.sql_books:SqlBooks"
JOURNAL = f"{ADAPTERS}.storage.journal.journal:SqliteJournal"
JOURNALS = f"{ADAPTERS}.storage.journal.directory:JournalDirectory"
WRITER = f"{ADAPTERS}.storage.writer:Writer"
UPSTREAM = f"{ADAPTERS}.upstream.client:AiohttpUpstream"
BEFORE, AFTER = "before", "after"


def _anyone(_self: Any) -> bool:
    return True


def _of_the_journal(writer: Any) -> bool:
    return bool(writer._name == "journal")


def _of_the_ledger(writer: Any) -> bool:
    return bool(writer._name == "ledger")


@dataclass(frozen=True, slots=True)
class Point:
    """`target` is a method, as `module:Class.method`. It is passed many times: the process dies at one of `passes`."""

    name: str
    target: str
    when: str
    passes: tuple[int, int]
    only: Callable[[Any], bool] = _anyone
    """Of which objects the calls count."""


POINTS = (
    Point("hold decided", f"{LEDGER}.hold", AFTER, (50, 400)),
    Point("lease taken, not known", f"{BOOKS}.lease", AFTER, (1, 4)),
    Point("direct hold in the books, not known", f"{BOOKS}.place", AFTER, (10, 100)),
    Point("intent written", f"{JOURNAL}.intend", AFTER, (50, 400)),
    Point("provider about to be called", f"{UPSTREAM}.send", BEFORE, (50, 400)),
    Point("provider has begun to answer", f"{UPSTREAM}.send", AFTER, (50, 400)),
    Point("journal about to commit", f"{WRITER}._commit", BEFORE, (10, 120), _of_the_journal),
    Point("journal has committed", f"{WRITER}._commit", AFTER, (10, 120), _of_the_journal),
    Point("first byte about to leave", f"{LEDGER}.durable", AFTER, (20, 400)),
    Point("in the middle of delivery", "monkey_coder_server.web.sse:EventWriter.write", AFTER, (400, 6_000)),
    Point("draft replaced", f"{JOURNAL}.note", AFTER, (100, 1_000)),
    Point("answer complete, nothing written", f"{LEDGER}.settle", BEFORE, (20, 300)),
    Point("ending written", f"{JOURNAL}.resolve", AFTER, (20, 300)),
    Point("ended, last byte not sent", f"{LEDGER}.settle", AFTER, (20, 300)),
    Point("about to be booked", f"{BOOKS}.ship", BEFORE, (2, 8)),
    Point("books about to commit", f"{WRITER}._commit", BEFORE, (5, 60), _of_the_ledger),
    Point("books have committed", f"{WRITER}._commit", AFTER, (5, 60), _of_the_ledger),
    Point("booked, not forgotten", f"{BOOKS}.ship", AFTER, (2, 8)),
    Point("journal adopted", f"{JOURNALS}.adopt", AFTER, (1, 1)),
    Point("in the middle of recovery", f"{JOURNAL}.resolve", AFTER, (1, 20)),
    Point("recovered, not forgotten", f"{BOOKS}.ship", AFTER, (1, 1)),
    Point("forgotten", f"{JOURNAL}.forget", AFTER, (2, 8)),
)
