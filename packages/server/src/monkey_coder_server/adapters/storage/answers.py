"""Kept answers, and where each output item stands."""

from collections.abc import Collection, Mapping
from datetime import datetime
from functools import partial

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, Text, bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from monkey_coder_server.adapters.storage.moments import from_micros, to_micros
from monkey_coder_server.adapters.storage.operations import Reading, Writing
from monkey_coder_server.adapters.storage.tables import metadata
from monkey_coder_server.adapters.storage.transaction import Query, Row, Transaction
from monkey_coder_server.ports.answers import StoredAnswer
from monkey_coder_server.ports.clock import Clock

FORGOTTEN_AT_ONCE = 100
"""Rows of any size: the writer has other work."""

answers = Table(
    "answers",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("answer_id", Text, primary_key=True),
    Column("previous_id", Text),
    Column("asked", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index("ix_answers_expires_at", "expires_at"),
)

answer_items = Table(
    "answer_items",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("item_id", Text, primary_key=True),
    Column("answer_id", Text, nullable=False),
    Index("ix_answer_items_account_id_answer_id", "account_id", "answer_id"),
    sqlite_with_rowid=False,
)
"""Output items by their ids, which callers refer to."""

_COLUMNS = (
    answers.c.account_id,
    answers.c.answer_id,
    answers.c.previous_id,
    answers.c.asked,
    answers.c.body,
    answers.c.at,
    answers.c.expires_at,
)
_OWN = (answers.c.account_id == bindparam("account"), answers.c.answer_id == bindparam("answer"))
_SAVE = Query(insert(answers).on_conflict_do_nothing())
_SAVE_ITEM = Query(insert(answer_items).on_conflict_do_nothing())
_GET = Query(select(*_COLUMNS).where(*_OWN, answers.c.expires_at > bindparam("now")))
_HOLDER = Query(
    select(answer_items.c.answer_id).where(
        answer_items.c.account_id == bindparam("account"), answer_items.c.item_id == bindparam("item")
    )
)
_DELETE = Query(delete(answers).where(*_OWN))
_DELETE_ITEMS = Query(
    delete(answer_items).where(
        answer_items.c.account_id == bindparam("account"), answer_items.c.answer_id == bindparam("answer")
    )
)
_EXPIRED = Query(
    select(answers.c.account_id, answers.c.answer_id)
    .where(answers.c.expires_at <= bindparam("now"))
    .limit(bindparam("most"))
)


class SqlAnswers:
    """`ports.answers.Answers`."""

    def __init__(self, writer: Writing, readers: Reading, clock: Clock) -> None:
        self._writer = writer
        self._readers = readers
        self._clock = clock

    async def save(self, answer: StoredAnswer, items: Collection[str]) -> None:
        """Keep an answer; durable on return."""
        await self._writer.perform(partial(_save, answer, tuple(items)))

    async def get(self, account_id: str, answer_id: str) -> StoredAnswer | None:
        """An account's answer while it is kept."""
        return await self._readers.read_of(account_id, partial(_get, account_id, answer_id, self._now()))

    async def lineage(self, account_id: str, answer_id: str) -> tuple[StoredAnswer, ...]:
        """The answer and all it goes on from, oldest first."""
        return await self._readers.read_of(account_id, partial(_lineage, account_id, answer_id, self._now()))

    async def holding(self, account_id: str, items: Collection[str]) -> Mapping[str, StoredAnswer]:
        """The answers in which output items stand."""
        return await self._readers.read_of(account_id, partial(_holding, account_id, tuple(items), self._now()))

    async def delete(self, account_id: str, answer_id: str) -> bool:
        """Forget an answer; durable on return."""
        return await self._writer.perform(partial(_delete, account_id, answer_id, self._now()))

    async def forget(self, now: datetime) -> int:
        """Drop some of what has expired."""
        return await self._writer.perform(partial(_forget, to_micros(now)))

    def _now(self) -> int:
        return to_micros(self._clock.now())


def _save(answer: StoredAnswer, items: tuple[str, ...], transaction: Transaction) -> None:
    saved = transaction.change(
        _SAVE,
        {
            "account_id": answer.account_id,
            "answer_id": answer.answer_id,
            "previous_id": answer.previous,
            "asked": answer.asked,
            "body": answer.body,
            "at": to_micros(answer.at),
            "expires_at": to_micros(answer.expires_at),
        },
    )
    for item in items if saved else ():
        row = {"account_id": answer.account_id, "item_id": item, "answer_id": answer.answer_id}
        transaction.change(_SAVE_ITEM, row)


def _get(account: str, answer: str, now: int, transaction: Transaction) -> StoredAnswer | None:
    row = transaction.row(_GET, {"account": account, "answer": answer, "now": now})
    return None if row is None else _answer(row)


def _lineage(account: str, answer: str, now: int, transaction: Transaction) -> tuple[StoredAnswer, ...]:
    found: list[StoredAnswer] = []
    wanted: str | None = answer
    while wanted is not None:
        one = _get(account, wanted, now, transaction)
        if one is None:
            return ()
        found.append(one)
        wanted = one.previous
    return tuple(reversed(found))


def _holding(account: str, items: tuple[str, ...], now: int, transaction: Transaction) -> dict[str, StoredAnswer]:
    found: dict[str, StoredAnswer] = {}
    for item in items:
        holder = transaction.row(_HOLDER, {"account": account, "item": item})
        answer = None if holder is None else _get(account, holder[0], now, transaction)
        if answer is not None:
            found[item] = answer
    return found


def _delete(account: str, answer: str, now: int, transaction: Transaction) -> bool:
    kept = _get(account, answer, now, transaction) is not None
    _drop(account, answer, transaction)
    return kept


def _forget(now: int, transaction: Transaction) -> int:
    expired = transaction.rows(_EXPIRED, {"now": now, "most": FORGOTTEN_AT_ONCE})
    for account, answer in expired:
        _drop(account, answer, transaction)
    return len(expired)


def _drop(account: str, answer: str, transaction: Transaction) -> None:
    own = {"account": account, "answer": answer}
    transaction.change(_DELETE_ITEMS, own)
    transaction.change(_DELETE, own)


def _answer(row: Row) -> StoredAnswer:
    account_id, answer_id, previous, asked, body, at, expires_at = row
    return StoredAnswer(
        answer_id=answer_id,
        account_id=account_id,
        previous=previous,
        asked=asked,
        body=body,
        at=from_micros(at),
        expires_at=from_micros(expires_at),
    )
