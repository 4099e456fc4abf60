"""API keys: found from memory, revoked at once, and in step with other processes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.errors import Conflict
from monkey_coder_server.ports.accounts import Caps, KeyRecord
from packages.server.tests.contract.booking import ACCOUNT, NOON, StillClock
from packages.server.tests.contract.conftest import OpenStore

LAPTOP = KeyRecord(
    key_id="key_1",
    account_id=ACCOUNT,
    user_id="user_1",
    name="laptop",
    prefix="mk-dev-abcd",
    digest=b"one".ljust(32, b"."),
    scopes=frozenset({"inference", "billing"}),
    created_at=NOON,
    models=("gpt-5", "claude-opus-4"),
    caps=Caps(day=1, month=2, total=3),
    rate=60,
    ip_allow=("10.0.0.0/8",),
    expires_at=NOON + timedelta(days=90),
)
SERVER = KeyRecord(
    key_id="key_2",
    account_id=ACCOUNT,
    user_id="user_1",
    name="server",
    prefix="mk-dev-efgh",
    digest=b"two".ljust(32, b"."),
    scopes=frozenset(),
    created_at=NOON + timedelta(minutes=1),
)


async def test_a_key_comes_back_as_it_was_stored(store: Storage) -> None:
    for record in (SERVER, LAPTOP):
        await store.keys.create(record)
        assert await store.keys.find(record.digest) == record
    assert await store.keys.list(ACCOUNT) == [LAPTOP, SERVER]
    assert await store.keys.list("acc_2") == []


async def test_a_key_is_stored_once(store: Storage) -> None:
    await store.keys.create(LAPTOP)
    with pytest.raises(Conflict):
        await store.keys.create(replace(SERVER, digest=LAPTOP.digest))


async def test_an_unknown_key_is_looked_up_once_in_a_while(store: Storage, clock: StillClock) -> None:
    assert await store.keys.find(LAPTOP.digest) is None
    store.readers.close()
    assert await store.keys.find(LAPTOP.digest) is None


async def test_a_key_made_after_it_was_asked_for_is_found_at_once(store: Storage) -> None:
    assert await store.keys.find(LAPTOP.digest) is None
    await store.keys.create(LAPTOP)
    assert await store.keys.find(LAPTOP.digest) == LAPTOP


async def test_a_known_key_costs_no_look_up(store: Storage) -> None:
    await store.keys.create(LAPTOP)
    store.readers.close()
    assert await store.keys.find(LAPTOP.digest) == LAPTOP


async def test_revoking_is_seen_at_once_and_only_by_the_owner(store: Storage) -> None:
    await store.keys.create(LAPTOP)
    assert not await store.keys.revoke("acc_2", "key_1", NOON)
    assert await store.keys.find(LAPTOP.digest) == LAPTOP
    assert await store.keys.revoke(ACCOUNT, "key_1", NOON)
    assert await store.keys.revoke(ACCOUNT, "key_1", NOON + timedelta(hours=1))
    revoked = replace(LAPTOP, revoked_at=NOON)
    assert await store.keys.find(LAPTOP.digest) == revoked
    assert await store.keys.list(ACCOUNT) == [revoked]


async def test_limits_are_changed_by_the_owner_alone(store: Storage) -> None:
    await store.keys.create(LAPTOP)
    wider = replace(LAPTOP, caps=Caps(day=9), rate=None, models=None)
    assert not await store.keys.set_limits(replace(wider, account_id="acc_2"))
    assert await store.keys.set_limits(wider)
    assert await store.keys.find(LAPTOP.digest) == wider


async def test_uses_are_written_at_most_once_a_minute(store: Storage) -> None:
    await store.keys.create(LAPTOP)
    for seconds in (0, 30):
        store.keys.touch("key_1", NOON + timedelta(seconds=seconds))
        await store.keys.flush()
    assert (await store.keys.list(ACCOUNT))[0].last_used == NOON
    store.keys.touch("key_1", NOON + timedelta(seconds=60))
    await store.keys.flush()
    assert (await store.keys.list(ACCOUNT))[0].last_used == NOON + timedelta(seconds=60)


async def test_changes_by_another_process_are_followed(open_store: OpenStore) -> None:
    async with open_store() as here, open_store() as there:
        await there.keys.create(LAPTOP)
        assert await here.keys.find(LAPTOP.digest) == LAPTOP
        await there.keys.revoke(ACCOUNT, "key_1", NOON)
        await here.keys.refresh()
        assert await here.keys.find(LAPTOP.digest) == replace(LAPTOP, revoked_at=NOON)


async def test_keys_are_known_again_after_a_restart(open_store: OpenStore) -> None:
    async with open_store() as before:
        await before.keys.create(LAPTOP)
        before.keys.touch("key_1", NOON)
    async with open_store() as after:
        after.readers.close()
        assert await after.keys.find(LAPTOP.digest) == replace(LAPTOP, last_used=NOON)
