"""People."""

from dataclasses import replace
from datetime import timedelta

import pytest

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.errors import Conflict, NotFound
from monkey_coder_server.ports.accounts import User
from packages.server.tests.contract.booking import NOON

ADA = User(
    user_id="user_1",
    account_id="acc_1",
    email="Ada@Example.org",
    name="Ada",
    password_hash="$argon2id$one",
    plan="free",
    roles=("user", "admin"),
    created_at=NOON,
)


async def test_a_user_is_found_by_id_and_by_address_in_any_case(store: Storage) -> None:
    await store.accounts.create(ADA)
    assert await store.accounts.by_id("user_1") == ADA
    assert await store.accounts.by_email(" ADA@example.ORG") == ADA
    assert await store.accounts.by_email("eve@example.org") is None
    assert await store.accounts.by_id("user_2") is None


async def test_an_address_is_taken_once_in_any_case_and_nothing_is_left_of_the_second(store: Storage) -> None:
    await store.accounts.create(ADA)
    with pytest.raises(Conflict):
        await store.accounts.create(replace(ADA, user_id="user_2", account_id="acc_2", email="ada@EXAMPLE.org"))
    assert await store.accounts.list_users() == [ADA]


async def test_users_are_listed_oldest_first(store: Storage) -> None:
    younger = replace(ADA, user_id="user_0", account_id="acc_0", email="b@x.org", created_at=NOON + timedelta(1))
    await store.accounts.create(younger)
    await store.accounts.create(ADA)
    assert await store.accounts.list_users() == [ADA, younger]


async def test_a_password_is_replaced(store: Storage) -> None:
    await store.accounts.create(ADA)
    await store.accounts.set_password("user_1", "$argon2id$two")
    assert await store.accounts.by_id("user_1") == replace(ADA, password_hash="$argon2id$two")
    with pytest.raises(NotFound):
        await store.accounts.set_password("user_2", "$argon2id$two")


async def test_an_address_is_confirmed_or_replaced_unless_it_is_taken(store: Storage) -> None:
    await store.accounts.create(ADA)
    await store.accounts.create(replace(ADA, user_id="user_2", account_id="acc_2", email="eve@example.org"))
    await store.accounts.set_email("user_1", "ada@example.org", verified_at=NOON)
    await store.accounts.set_email("user_1", "lovelace@example.org", verified_at=NOON)
    moved = await store.accounts.by_email("LOVELACE@example.org")
    assert moved == replace(ADA, email="lovelace@example.org", email_verified_at=NOON)
    with pytest.raises(Conflict):
        await store.accounts.set_email("user_1", "EVE@example.org", verified_at=NOON)
    with pytest.raises(NotFound):
        await store.accounts.set_email("user_3", "nobody@example.org", verified_at=NOON)
