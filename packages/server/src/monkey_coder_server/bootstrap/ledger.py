"""What the operator's commands about the books do, on those of the configured gateway."""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from monkey_coder_server.adapters.storage.journal.outbox import Outbox, outboxes
from monkey_coder_server.bootstrap.books import Books, open_books
from monkey_coder_server.domain.money import usd
from monkey_coder_server.features.billing import unbooked
from monkey_coder_server.settings import Settings

WAITING_TOO_LONG = "journals_whose_endings_wait_too_long"
AUDIT_BROKEN = "audit_entries_changed_or_missing"


async def verify(settings: Settings, longest: timedelta) -> dict[str, Any]:
    """The audit of the books and of what is on its way to them: counts of violations, totals in USD.

    Endings in the journals of this gateway's directory that wait `longer` than `longest` are one as well.
    """
    found = await asyncio.to_thread(outboxes, settings.data_dir / "journal")
    async with open_books(settings) as books:
        report = await books.storage.ledger.verify()
        trail = await books.storage.audit.verify()
        aside = await books.storage.unbooked.kept()
        now = books.clock.now()
    late = [each for each in found if each.oldest is not None and now - each.oldest > longest]
    return {
        "sound": report.sound and trail.sound and not late,
        "checks": {**report.checks, AUDIT_BROKEN: len(trail.broken), WAITING_TOO_LONG: len(late)},
        "totals_usd": {name: usd(amount) for name, amount in report.totals.items()},
        "outbox": {
            "oldest_seconds": _oldest((each.oldest for each in found), now),
            "journals": [
                {"journal": each.instance, "alive": each.alive, "oldest_seconds": _oldest([each.oldest], now)}
                for each in found
            ],
        },
        "unbooked": {"endings": len(aside), "oldest_seconds": _oldest((each.at for each in aside), now)},
        "details": [
            *report.details,
            *[f"{AUDIT_BROKEN}: {each}" for each in trail.broken],
            *[_late(each, now, longest) for each in late],
        ],
    }


async def list_unbooked(settings: Settings) -> list[str]:
    """Endings the books could not take, a line each."""
    async with open_books(settings) as books:
        return await unbooked.listed(_means(books))


async def retry_unbooked(settings: Settings, request_id: str | None) -> tuple[list[str], bool]:
    """Book one of them, or all, as they were told: a line each, and whether all are booked. Raises `NotFound`."""
    async with open_books(settings) as books:
        await books.storage.receipt_keys.publish()
        return await unbooked.retry(_means(books), request_id)


async def write_off(settings: Settings, request_id: str, reason: str) -> list[str]:
    """End a request without a charge; the line that says so. Raises `NotFound`."""
    async with open_books(settings) as books:
        return [await unbooked.write_off(_means(books), request_id, reason)]


def _means(books: Books) -> unbooked.Means:
    return unbooked.Means(books.storage.unbooked, books.storage.audit, books.clock)


def _oldest(moments: Iterable[datetime | None], now: datetime) -> int:
    """Seconds since the first of them; 0 for none."""
    known = [moment for moment in moments if moment is not None]
    return max(int((now - min(known)).total_seconds()), 0) if known else 0


def _late(outbox: Outbox, now: datetime, longest: timedelta) -> str:
    why = (
        "its gateway cannot reach the books"
        if outbox.alive
        else "its process is dead: start a gateway on this directory, which takes it over"
    )
    waited = _oldest([outbox.oldest], now)
    return (
        f"{WAITING_TOO_LONG}: {outbox.instance} has kept endings from the books for {waited} s, "
        f"more than {int(longest.total_seconds())} s; {why}"
    )
