"""Whatever becomes of an account's credit, its statements follow one another and equal the books."""

import sqlite3
from contextlib import closing
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from monkey_coder_server.adapters.signing.ed25519 import Ed25519Signer
from monkey_coder_server.adapters.storage.moments import to_micros
from monkey_coder_server.adapters.storage.readers import Readers
from monkey_coder_server.adapters.storage.statements import SqlStatements
from monkey_coder_server.ports.statements import GAINED, LOST
from packages.server.tests.adapters.storage.stores import played
from packages.server.tests.adapters.storage.test_random_grants import STEP, Step, World
from packages.server.tests.contract.booking import ACCOUNT, NOON

MONTHS = [NOON.replace(year=2026 + n // 12, month=n % 12 + 1, day=1, hour=0) for n in range(10, 18)]


def booked(path: Path, start: datetime, end: datetime) -> dict[str, int]:
    """What the entries of a time add to the account's credit and take from it, and all before it (`opening`)."""
    span = {"start": to_micros(start), "end": to_micros(end), "account": ACCOUNT}
    with closing(sqlite3.connect(path)) as connection:
        [(opening,)] = connection.execute(
            "SELECT COALESCE(SUM(amount), 0) FROM entries JOIN transactions USING (transaction_id) "
            "WHERE entries.kind = 'customer_credit' AND owner = :account AND at < :start",
            span,
        )
        moved = connection.execute(
            "SELECT transactions.kind || CASE WHEN amount > 0 THEN '+' ELSE '-' END, SUM(ABS(amount)) "
            "FROM entries JOIN transactions USING (transaction_id) WHERE entries.kind = 'customer_credit' "
            "AND owner = :account AND at >= :start AND at < :end GROUP BY 1",
            span,
        )
        return {"opening": opening, **dict(moved)}


@settings(max_examples=30, deadline=None)
@given(steps=st.lists(STEP, max_size=60))
async def test_statements_equal_the_books_and_follow_one_another(
    template: Path, signer: Ed25519Signer, steps: list[Step]
) -> None:
    async with played(World, steps, template, signer) as world:
        books = world.books
        readers = Readers(books.path)
        statements, balance = SqlStatements(readers), 0
        for start, end in pairwise(MONTHS):
            told = await statements.credit(ACCOUNT, start=start, end=end, most=1_000)
            lines = await statements.lines(ACCOUNT, start=start, end=end)
            figures = {
                "opening": told.opening,
                "grant+": told.granted,
                "refund+": told.refunded,
                "refund-": told.taken_back,
                "expire-": told.expired,
                "settle-": told.charged,
            }
            found = booked(books.path, start, end)
            assert figures == {name: found.pop(name, 0) for name in figures}
            assert found == {}
            gained = sum(getattr(told, name) for name in GAINED) - sum(getattr(told, name) for name in LOST)
            assert sum(moved.amount for moved in told.moved) == gained
            assert sum(line.charged for line in lines) == told.charged
            assert told.opening == balance
            balance = told.opening + gained - told.charged
            assert told.closing == balance
        assert balance == (await books.ledger.wallet(ACCOUNT)).balance
        readers.close()
