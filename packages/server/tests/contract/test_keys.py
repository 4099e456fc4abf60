"""API keys: found from memory, revoked at once, and in step with other processes."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

import pytest

from monkey_coder_server.adapters.storage.following import News
from monkey_coder_server.adapters.storage.keys import SqlKeys
from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.adapters.storage.operations import Reading
from monkey_coder_server.adapters.storage.transaction import Transaction
from monkey_coder_server.domain.errors import Conflict, Unavailable
from monkey_coder_server.domain.weights import Weights
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
    collapse="vote",
    weights=Weights(100 / 3, 200 / 3, 0),
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
HERD = 1_000
T = TypeVar("T")


class CountedReads:
    """`operations.Reading` that counts, and how many ran at a time; `away` makes the next ones fail."""

    def __init__(self, readers: Reading) -> None:
        self._readers = readers
        self.away = 0
        self.begun = self.running = self.most = 0
        self.begins = asyncio.Event()

    async def read(self, body: Callable[[Transaction], T]) -> T:
        self.begun += 1
        self.running += 1
        self.begins.set()
        self.most = max(self.most, self.running)
        try:
            if self.away:
                self.away -= 1
                raise Unavailable("away", retry_after=1)
            return await self._readers.read(body)
        finally:
            self.running -= 1

    async def report(self, body: Callable[[Transaction], T]) -> T:
        return await self.read(body)

    def close(self) -> None:
        self._readers.close()


def of_the_herd(number: int) -> KeyRecord:
    name = f"{number:05d}"
    return replace(SERVER, key_id=f"key_{name}", name=name, digest=name.encode().ljust(32, b"."))


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
    wider = replace(LAPTOP, caps=Caps(day=9), rate=None, models=None, name="desk", ip_allow=None, expires_at=None)

    def widened(key: KeyRecord) -> KeyRecord:
        return replace(key, caps=Caps(day=9), rate=None, models=None, name="desk", ip_allow=None, expires_at=None)

    assert await store.keys.change("acc_2", "key_1", widened) is None
    assert await store.keys.change(ACCOUNT, "key_1", widened) == wider
    assert await store.keys.find(LAPTOP.digest) == wider


async def test_changes_of_different_fields_at_once_are_all_kept(open_store: OpenStore) -> None:
    async with open_store() as one, open_store() as another:
        await one.keys.create(LAPTOP)
        await asyncio.gather(
            one.keys.change(ACCOUNT, "key_1", lambda key: replace(key, rate=1)),
            another.keys.change(ACCOUNT, "key_1", lambda key: replace(key, caps=Caps(day=1))),
        )
        await one.keys.refresh()
        assert await one.keys.find(LAPTOP.digest) == replace(LAPTOP, rate=1, caps=Caps(day=1))


async def test_a_key_is_found_under_any_of_its_digests(store: Storage) -> None:
    await store.keys.create(replace(LAPTOP, pepper="0a1b2c3d"))
    found = await store.keys.find(b"of the new pepper".ljust(32), LAPTOP.digest)
    assert found is not None
    assert (found.key_id, found.pepper) == ("key_1", "0a1b2c3d")
    store.readers.close()
    assert await store.keys.find(b"of the new pepper".ljust(32), LAPTOP.digest) == found
    assert [key.key_id for key in store.keys.every()] == ["key_1"]


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


async def test_keys_nobody_could_look_at_for_long_are_not_taken(store: Storage, clock: StillClock) -> None:
    await store.keys.create(LAPTOP)
    store.keys.trust(10)
    clock.forward(timedelta(seconds=11))
    assert store.keys.stale
    assert await store.keys.find(LAPTOP.digest) == LAPTOP
    assert not store.keys.stale
    store.readers.close()
    clock.forward(timedelta(seconds=9))
    assert await store.keys.find(LAPTOP.digest) == LAPTOP
    clock.forward(timedelta(seconds=1))
    with pytest.raises(Unavailable):
        await store.keys.find(LAPTOP.digest)


async def test_keys_are_known_again_after_a_restart(open_store: OpenStore) -> None:
    async with open_store() as before:
        await before.keys.create(LAPTOP)
        before.keys.touch("key_1", NOON)
    async with open_store() as after:
        after.readers.close()
        assert await after.keys.find(LAPTOP.digest) == replace(LAPTOP, last_used=NOON)


async def test_a_herd_of_cold_keys_is_served_by_a_look_or_two_one_at_a_time(store: Storage, clock: StillClock) -> None:
    herd, strangers = [of_the_herd(number) for number in range(HERD)], [of_the_herd(HERD + n) for n in range(HERD)]
    await asyncio.gather(*[store.keys.create(record) for record in herd])
    reads = CountedReads(store.readers)
    cold = SqlKeys(store.writer, reads, clock, News())
    early = asyncio.gather(*[cold.find(record.digest) for record in herd[: HERD // 2]])
    await reads.begins.wait()
    asked = [*herd, *herd, *strangers]
    found = await asyncio.gather(*[cold.find(record.digest) for record in asked])
    assert found == [*herd, *herd, *[None] * HERD]
    assert await early == herd[: HERD // 2]
    assert (reads.begun, reads.most) == (2, 1)
    assert [await cold.find(record.digest) for record in asked] == found
    assert reads.begun == 2


async def test_a_herd_that_cannot_be_looked_up_is_not_called_unknown(store: Storage, clock: StillClock) -> None:
    herd = [of_the_herd(number) for number in range(20)]
    for record in herd:
        await store.keys.create(record)
    reads = CountedReads(store.readers)
    cold = SqlKeys(store.writer, reads, clock, News())
    reads.away = 1
    found = await asyncio.gather(*[cold.find(record.digest) for record in herd], return_exceptions=True)
    assert {type(each) for each in found} == {Unavailable}
    assert await asyncio.gather(*[cold.find(record.digest) for record in herd]) == herd
    assert reads.begun == 2


async def test_whoever_stops_waiting_for_a_key_stops_nobody_else(store: Storage, clock: StillClock) -> None:
    await store.keys.create(LAPTOP)
    cold = SqlKeys(store.writer, store.readers, clock, News())
    waiting = [asyncio.ensure_future(cold.find(LAPTOP.digest)) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    assert await asyncio.gather(*waiting[1:]) == [LAPTOP, LAPTOP]


async def test_changes_are_followed_though_the_uses_cannot_be_written(
    store: Storage, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.keys.create(LAPTOP)
    follower, round_over = SqlKeys(store.writer, store.readers, clock, News(), refresh_seconds=0), asyncio.Event()

    async def refuse() -> None:
        round_over.set()
        raise Unavailable("too many operations are waiting", retry_after=1)

    monkeypatch.setattr(follower, "flush", refuse)
    await follower.start()
    await store.keys.revoke(ACCOUNT, "key_1", NOON)
    async with asyncio.timeout(10):
        for _ in range(2):  # the first may have looked before
            round_over.clear()
            await round_over.wait()
    assert await follower.find(LAPTOP.digest) == replace(LAPTOP, revoked_at=NOON)
    await follower.close()
