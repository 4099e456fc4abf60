"""The revision that brings limits and grants keeps what was there, both ways."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from monkey_coder_server.adapters.storage import migrate
from monkey_coder_server.adapters.storage.moments import LAST_MOMENT

EARLIER = """
    INSERT INTO wallets (account_id, balance, held) VALUES ('acc_1', 900, 300), ('acc_2', 0, 0);
    INSERT INTO holds (request_id, account_id, key_id, amount, charged, state, day, month, at, expires_at)
    VALUES ('req_1', 'acc_1', 'key_1', 300, 0, 'open', '2026-11-22', '2026-11', 1, 2);
    INSERT INTO transactions (transaction_id, kind, account_id, reason, at)
    VALUES ('grant:acc_1:1', 'grant', 'acc_1', '', 1);
    INSERT INTO api_keys (key_id, account_id, user_id, name, prefix, digest, scopes, cap_day, created_at, revision)
    VALUES ('key_1', 'acc_1', 'user_1', 'laptop', 'mk-dev', x'00', '[]', 700, 1, 1);
"""


WHOLE = ("SELECT * FROM wallets", "SELECT * FROM holds", "SELECT * FROM transactions", "SELECT * FROM api_keys")


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """A database of the revision before, with an account, a hold and a capped key."""
    path = tmp_path / "books.db"
    migrate.upgrade(path)
    migrate.downgrade(path, "0002")
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(EARLIER)
    return path


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def everything(path: Path) -> list[list[tuple[object, ...]]]:
    return [rows(path, statement) for statement in WHOLE]


def test_credit_from_before_stands_in_one_grant_that_never_expires(earlier: Path) -> None:
    migrate.upgrade(earlier)
    grants = rows(earlier, "SELECT account_id, kind, priority, amount, remaining, expires_at FROM grants")
    assert grants == [("acc_1", "promo", 100, 900, 900, LAST_MOMENT)]
    assert rows(earlier, "SELECT account_id, limited FROM wallets ORDER BY account_id") == [("acc_1", 0), ("acc_2", 0)]
    assert rows(earlier, "SELECT tokens, models FROM holds") == [(None, None)]
    assert rows(earlier, "SELECT cap_day, project_id FROM api_keys") == [(700, None)]


def test_down_again_leaves_what_was_there_before(earlier: Path) -> None:
    before = everything(earlier)
    migrate.upgrade(earlier)
    migrate.downgrade(earlier, "0002")
    assert everything(earlier) == before
    migrate.upgrade(earlier)
    assert rows(earlier, "SELECT SUM(remaining) FROM grants") == [(900,)]
