"""A provider's invoice beside our provider-cost books: read both, compare, correct estimates, keep the result."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from monkey_coder_server.domain.discrepancies import Finding
from monkey_coder_server.domain.invoices import Booked, Invoice
from monkey_coder_server.domain.money import usd
from monkey_coder_server.domain.reconciliation import Canonical, Verdict, reconcile, reconcile_reported, together
from monkey_coder_server.ports.invoices import Correction, CostBooks, InvoiceSource, Reconciliation

MARGIN = timedelta(days=1)
"""A request of the last minute may stand on the next day of the other side."""
MOST_KEPT = 1_000
"""Findings the kept report spells out."""


@dataclass(frozen=True, slots=True)
class Asked:
    """UTC days, both included. `source` says in words what the books are compared with."""

    provider: str
    first: date
    last: date
    source: str
    correct: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it; `corrected` counts the entries that were corrected now."""

    asked: Asked
    verdict: Verdict
    corrected: int

    def document(self) -> dict[str, Any]:
        """Everything as JSON; money as decimal USD."""
        verdict = self.verdict
        return {
            "provider": self.asked.provider,
            "from": self.asked.first.isoformat(),
            "to": self.asked.last.isoformat(),
            "source": self.asked.source,
            "sound": verdict.sound,
            "matched": verdict.matched,
            "booked_usd": usd(verdict.booked),
            "invoiced_usd": usd(verdict.invoiced),
            "rounding_usd": usd(verdict.rounding),
            "unexplained_usd": usd(verdict.unexplained),
            "corrected": self.corrected,
            "findings": [_finding(each) for each in verdict.findings],
        }


@dataclass(frozen=True, slots=True)
class Means:
    """What a comparison is made with: the books, our names of models, the time, and a source of ids."""

    books: CostBooks
    canonical: Canonical
    now: datetime
    new_id: Callable[[str], str]


async def run(means: Means, source: InvoiceSource | None, asked: Asked) -> Outcome:
    """Compare, book corrections if asked to, and keep what it came to. Without a source: with what answers said.

    Raises what the ports raise.
    """
    verdict = await _verdict(means.books, source, asked, means.canonical)
    corrected = 0
    if asked.correct:
        for each in verdict.findings:
            corrected += await _correct(means.books, each, asked, means.now)
    outcome = Outcome(asked, verdict, corrected)
    await means.books.note(_kept(outcome, means.now, means.new_id("rec")))
    return outcome


async def run_by_days(means: Means, asked: Asked) -> Outcome:
    """As `run` with what answers said, one day after another in a thread: beside requests, and in bounded memory."""
    verdicts = []
    for number in range((asked.last - asked.first).days + 1):
        day = asked.first + timedelta(days=number)
        rows = await means.books.costs(asked.provider, day, day, by_request=True)
        verdicts.append(await asyncio.to_thread(reconcile_reported, rows))
    outcome = Outcome(asked, together(verdicts), 0)
    await means.books.note(_kept(outcome, means.now, means.new_id("rec")))
    return outcome


async def _verdict(books: CostBooks, source: InvoiceSource | None, asked: Asked, canonical: Canonical) -> Verdict:
    provider, first, last = asked.provider, asked.first, asked.last
    if source is None:
        return reconcile_reported(await books.costs(provider, first, last, by_request=True))
    invoice = await source.fetch(first, last)
    if not invoice.by_request:
        return reconcile(await books.costs(provider, first, last, by_request=False), invoice, canonical)
    rows = await books.costs(provider, first - MARGIN, last + MARGIN, by_request=True)
    return reconcile(*_within(rows, invoice, first.isoformat(), last.isoformat()), canonical)


def _within(rows: Sequence[Booked], invoice: Invoice, first: str, last: str) -> tuple[list[Booked], Invoice]:
    """The period on both sides, and of the days around it what the other side has within."""
    ours = {row.provider_request_id for row in rows if first <= row.day <= last} - {None}
    theirs = {line.provider_request_id for line in invoice.lines if first <= line.day <= last} - {None}
    lines = tuple(line for line in invoice.lines if first <= line.day <= last or line.provider_request_id in ours)
    kept = [row for row in rows if first <= row.day <= last or row.provider_request_id in theirs]
    return kept, Invoice(lines, invoice.resolution, by_request=True)


async def _correct(books: CostBooks, found: Finding, asked: Asked, now: datetime) -> bool:
    if not found.correction:
        return False
    row = found.rows[0]
    correction = Correction(asked.provider, row.transaction_id, row.line, found.correction, asked.source, now)
    return await books.correct(correction)


def _kept(outcome: Outcome, now: datetime, reconciliation_id: str) -> Reconciliation:
    asked, verdict = outcome.asked, outcome.verdict
    document = outcome.document()
    document["findings"] = document["findings"][:MOST_KEPT]
    return Reconciliation(
        reconciliation_id=reconciliation_id,
        provider=asked.provider,
        first_day=asked.first.isoformat(),
        last_day=asked.last.isoformat(),
        at=now,
        source=asked.source,
        booked=verdict.booked,
        invoiced=verdict.invoiced,
        unexplained=verdict.unexplained,
        findings=len(verdict.findings),
        report=json.dumps(document),
    )


def _finding(each: Finding) -> dict[str, Any]:
    return {
        "kind": each.kind,
        "subject": each.subject,
        "day": each.day,
        "model": each.model,
        "booked_usd": usd(each.booked),
        "invoiced_usd": None if each.invoiced is None else usd(each.invoiced),
        "detail": each.detail,
        "request_ids": [row.request_id for row in each.rows[:20] if row.request_id],
        "correction_usd": None if each.correction is None else usd(each.correction),
    }
