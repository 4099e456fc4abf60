"""Row-level security as a second wall, asked by raw SQL in the role that tenants' reads take."""

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from monkey_coder_server.adapters.signing.ed25519 import Ed25519Signer
from monkey_coder_server.adapters.storage.open import Storage, open_storage
from monkey_coder_server.adapters.storage.postgres.connection import Server
from monkey_coder_server.adapters.storage.postgres.readers import PgReaders
from monkey_coder_server.adapters.storage.tables import metadata
from monkey_coder_server.adapters.storage.tenancy import NOBODYS, SETTING, TENANT, WALLED
from monkey_coder_server.adapters.storage.transaction import Transaction
from monkey_coder_server.domain.limits import Holder, HolderKind, Limit, Period, Unit
from monkey_coder_server.domain.promotions import folded
from monkey_coder_server.domain.roles import Role
from monkey_coder_server.ports.accounts import AuditEntry, Caps
from monkey_coder_server.ports.answers import StoredAnswer
from monkey_coder_server.ports.organizations import Membership, Organization
from monkey_coder_server.ports.promotions import RedeemWish
from monkey_coder_server.ports.quotes import StoredQuote
from monkey_coder_server.ports.usage_reports import Wanted
from packages.server.tests.contract.booking import NOON, StillClock, hold_request, settle
from packages.server.tests.contract.test_keys import LAPTOP
from packages.server.tests.contract.test_organizations import person
from packages.server.tests.contract.test_promotions import SPRING

MINE, THEIRS = "acc_mine", "acc_theirs"
OUTSIDE = {
    "accounts": "ids and nothing else",
    "identities": "read by the gateway alone, to know who asks",
    "lessons": "the router's",
    "markups": "the house's, and read by the gateway for everybody",
    "operators": "read by the gateway alone, to know who asks",
    "passkeys": "read by the gateway alone, to know who asks",
    "price_activations": "the house's, and read by the gateway for everybody",
    "price_books": "the house's, and read by the gateway for everybody",
    "plans": "the house's, and read by the gateway for everybody",
    "promotions": "the house's, and read by the gateway for everybody",
    "provider_costs": "the house's",
    "receipt_chains": "the house's",
    "receipt_keys": "published to everybody",
    "reconciliations": "the house's",
    "recovery_codes": "read by the gateway alone, to know who asks",
    "routing_evidence": "the router's",
    "stripe_events": "what the payment processor tells, worked off by the gateway for everybody",
    "routing_learners": "the router's",
    "routing_outcomes": "the router's",
    "routing_texts": "the router's",
    "routing_verdicts": "the router's",
    "sessions": "read by the gateway alone, to know who asks",
    "tickets": "read by the gateway alone, by what a person brings",
    "totp_factors": "read by the gateway alone, to know who asks",
    "tries": "read by the gateway alone, to slow guessing and floods down",
    "users": "read by the gateway alone: it has password hashes",
}
"""Tables the tenants' role cannot read at all, and why no tenant's read needs them."""


@pytest.fixture
async def store(postgresql_database: str, signer: Ed25519Signer) -> AsyncIterator[Storage]:
    """Two organizations with something of everything."""
    opened = await open_storage(postgresql_database, signer=signer, clock=StillClock())
    try:
        await opened.promotions.add(SPRING, by="operator", at=NOON)
        for account_id in (MINE, THEIRS):
            await furnish(opened, account_id)
        yield opened
    finally:
        await opened.close()


@pytest.fixture
def signer() -> Ed25519Signer:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from monkey_coder_server.adapters.signing.ed25519 import signer_of

    return signer_of(Ed25519PrivateKey.generate())


async def furnish(store: Storage, account_id: str) -> None:
    user = person(account_id)
    await store.accounts.create(user)
    firm = Organization(account_id, "Firm", NOON)
    await store.organizations.create(firm, Membership(account_id, user.user_id, Role.OWNER, NOON))
    key_id, digest = f"key_{account_id}", account_id.encode().ljust(32)
    await store.keys.create(
        replace(LAPTOP, key_id=key_id, account_id=account_id, user_id=user.user_id, digest=digest, caps=Caps(day=10**9))
    )
    await store.ledger.open_wallet(account_id)
    await store.ledger.grant(account_id, 90_000, reason="test", idempotency_key=f"grant {account_id}")
    await store.promotions.redeem(RedeemWish(folded(SPRING.code) or "", account_id, user.user_id, NOON))
    await store.limits.put(
        account_id, Limit(Holder(HolderKind.ACCOUNT, account_id), Period.DAY, Unit.MONEY, 10**9), NOON
    )
    request = hold_request(account_id=account_id, key_id=key_id)
    await store.books.place(request)
    await settle(store.books, request)
    await store.audit.record(AuditEntry("ada", "test", target=account_id, at=NOON, account_id=account_id))
    await store.quotes.save(StoredQuote(f"quote_{account_id}", account_id, b"f" * 32, b"{}", NOON + timedelta(days=1)))
    answer = StoredAnswer(
        answer_id=f"resp_{account_id}",
        account_id=account_id,
        previous=None,
        asked=b"[]",
        body=b"{}",
        at=NOON,
        expires_at=NOON + timedelta(days=1),
    )
    await store.answers.save(answer, [f"msg_{account_id}"])


@contextmanager
def as_tenant(url: str, account_id: str | None) -> Iterator[Any]:
    """A connection that has nothing but what the tenants' role may do."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"SET ROLE {TENANT}")
        if account_id is not None:
            connection.execute("SELECT set_config(%s, %s, false)", (SETTING, account_id))
        yield connection


def counted(connection: Any, table: str) -> int:
    [(number,)] = connection.execute(f"SELECT count(*) FROM {table}").fetchall()  # noqa: S608 - a table of ours
    return int(number)


def test_every_table_stands_behind_the_wall_or_out_of_reach() -> None:
    unlike = set(metadata.tables) ^ {*WALLED, *NOBODYS, *OUTSIDE}
    assert not unlike, "a table with tenants' rows belongs into `tenancy` (and the revision), any other into OUTSIDE"


def test_the_page_for_operators_grants_what_is_walled() -> None:
    page = (Path(__file__).parents[6] / "docs" / "how-to" / "postgresql.md").read_text(encoding="utf-8")
    granted = page.split("GRANT SELECT ON", 1)[1].split(f"TO {TENANT}", 1)[0]
    assert {name.strip() for name in granted.split(",")} == {*WALLED, *NOBODYS}


async def test_only_the_named_accounts_rows_are_seen(store: Storage, postgresql_database: str) -> None:
    with psycopg.connect(postgresql_database) as house:
        everything = {table: counted(house, table) for table in WALLED}
    with as_tenant(postgresql_database, MINE) as connection:
        mine = {table: counted(connection, table) for table in WALLED}
        accounts = {
            each for (each,) in connection.execute("SELECT account_id FROM usage UNION SELECT account_id FROM api_keys")
        }
    with as_tenant(postgresql_database, "acc_nobody") as connection:
        assert {counted(connection, table) for table in WALLED} == {0}
    assert accounts == {MINE}
    furnished = {table for table, number in everything.items() if number}
    assert {"api_keys", "usage", "receipts", "entries", "caps", "answers", "audit", "limits", "wallets"} < furnished
    assert "promotion_redemptions" in furnished
    assert all(0 < mine[table] < everything[table] for table in furnished), (mine, everything)


async def test_who_names_no_account_sees_nothing(store: Storage, postgresql_database: str) -> None:
    with as_tenant(postgresql_database, None) as connection:
        assert {counted(connection, table) for table in WALLED} == {0}


async def test_nothing_else_can_be_read_and_nothing_be_changed(store: Storage, postgresql_database: str) -> None:
    with as_tenant(postgresql_database, MINE) as connection:
        for table in OUTSIDE:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                counted(connection, table)
        for change in (
            "UPDATE wallets SET balance = 1",
            "DELETE FROM api_keys",
            "INSERT INTO wallets (account_id, balance, held, limited) VALUES ('acc_new', 1, 0, false)",
            "UPDATE api_keys SET account_id = 'acc_mine'",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(change)


async def test_a_read_for_one_account_that_forgets_to_say_so_still_sees_no_other(store: Storage) -> None:
    def forgetful(transaction: Transaction) -> list[Any]:
        return transaction.cursor.execute("SELECT DISTINCT account_id FROM usage").fetchall()  # type: ignore[attr-defined]  # raw SQL

    assert await store.readers.read_of(MINE, forgetful) == [(MINE,)]
    assert await store.readers.read_of("'; RESET ROLE; --", forgetful) == []
    assert sorted(await store.readers.read(forgetful)) == [(MINE,), (THEIRS,)]


async def test_what_tenants_read_is_whole_behind_the_wall(store: Storage) -> None:
    day = {"start": NOON - timedelta(days=1), "end": NOON + timedelta(days=1)}
    assert [key.account_id for key in await store.keys.list(MINE)] == [MINE]
    assert (await store.ledger.wallet(MINE)).balance > 0
    assert [standing.spent > 0 for standing in await store.limits.standings(MINE, NOON)] == [True, True]
    assert await store.answers.get(MINE, f"resp_{MINE}") is not None
    assert await store.answers.get(MINE, f"resp_{THEIRS}") is None
    assert await store.quotes.get(MINE, f"quote_{MINE}") is not None
    assert len(await store.reports.newest(MINE, Wanted(**day), most=9)) == 1
    assert len(await store.audit.newest(MINE, before=None, most=9)) == 1
    assert len(await store.ledger.grants(MINE)) == 2
    assert [each.campaign for each in await store.promotions.of_account(MINE)] == ["Spring"]
    [issued] = await store.statements.issued(MINE, **day, after=None, key_id=None, most=9)
    assert await store.ledger.receipt(MINE, issued.receipt.receipt_id) is not None
    assert await store.ledger.receipt(THEIRS, issued.receipt.receipt_id) is None


@pytest.mark.parametrize("role", ["nobody_made_this_role", "pg_monitor"])
async def test_without_the_role_or_its_rights_reads_go_on_and_it_is_told_once(
    postgresql_database: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, role: str
) -> None:
    monkeypatch.setattr("monkey_coder_server.adapters.storage.postgres.readers.TENANT", role)
    readers = PgReaders(Server(postgresql_database), away=lambda: False, threads=1)
    try:
        with caplog.at_level(logging.WARNING):
            for _ in range(2):
                assert await readers.read_of(MINE, lambda _transaction: 7) == 7
        assert [record.message.partition(",")[0] for record in caplog.records] == [
            f"PostgreSQL has no role {role} for this user"
        ]
    finally:
        readers.close()
