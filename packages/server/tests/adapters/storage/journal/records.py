"""Intents, endings, and a journal as its process leaves it when it dies."""

import shutil
from pathlib import Path

from monkey_coder_server.ports.books import Resolved
from monkey_coder_server.ports.journal import Draft, Intent, Journal
from monkey_coder_server.ports.ledger import HoldRequest
from packages.server.tests.contract.booking import failure, hold_request, settlement

LEASE = "lease_1"


def intent(asked: HoldRequest | None = None, draft: Draft | None = None) -> Intent:
    asked = asked or hold_request()
    return Intent(asked, LEASE, draft or failure(asked))


def served(asked: HoldRequest, price: int = 600) -> Resolved:
    return Resolved(asked, LEASE, settlement(asked, price=price), price, b'{"text": "done"}')


async def all_endings(journal: Journal) -> list[tuple[int, Resolved]]:
    """Every ending, a page after another: those that are not on disk yet are waited for."""
    found: list[tuple[int, Resolved]] = []
    while page := await journal.endings(found[-1][0] if found else 0, 100):
        found += page
    return found


def died(directory: Path, instance: str = "first") -> Path:
    """A copy of the directory in which the process of a journal is gone, as kill -9 leaves it: no lock, its log there.

    What is in the copy is what was durable, and perhaps more.
    """
    copy = directory.with_name(f"{directory.name}-died")
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir()
    for path in directory.iterdir():
        if path.name.startswith(instance):
            shutil.copy(path, copy / path.name)
    return copy
