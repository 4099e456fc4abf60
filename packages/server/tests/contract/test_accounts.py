"""People and sessions."""

from dataclasses import replace
from datetime import timedelta

import pytest

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.errors import Conflict, NotFound
from monkey_coder_server.ports.accounts import Session, User
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
SESSION = Session("sess_1", "user_1", b"first".ljust(32), NOON + timedelta(days=30))


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


async def test_the_newest_refresh_token_rotates(store: Storage) -> None:
    await store.accounts.create(ADA)
    await store.accounts.open_session(SESSION)
    later = SESSION.expires_at + timedelta(days=1)
    second = b"second".ljust(32)
    assert await store.accounts.rotate_session("sess_1", old=SESSION.token_digest, new=second, expires_at=later)
    assert await store.accounts.session("sess_1") == replace(SESSION, token_digest=second, expires_at=later)


async def test_an_older_refresh_token_ends_the_family(store: Storage) -> None:
    await store.accounts.create(ADA)
    await store.accounts.open_session(SESSION)
    first, second, third = SESSION.token_digest, b"second".ljust(32), b"third".ljust(32)
    assert await store.accounts.rotate_session("sess_1", old=first, new=second, expires_at=SESSION.expires_at)
    assert not await store.accounts.rotate_session("sess_1", old=first, new=third, expires_at=SESSION.expires_at)
    assert not await store.accounts.rotate_session("sess_1", old=second, new=third, expires_at=SESSION.expires_at)
    ended = await store.accounts.session("sess_1")
    assert ended is not None
    assert ended.revoked


async def test_ending_a_session_twice_is_harmless(store: Storage) -> None:
    await store.accounts.create(ADA)
    await store.accounts.open_session(SESSION)
    await store.accounts.revoke_session("sess_1")
    await store.accounts.revoke_session("sess_1")
    await store.accounts.revoke_session("sess_none")
    assert await store.accounts.session("sess_1") == replace(SESSION, revoked=True)
    assert await store.accounts.session("sess_none") is None
