"""Answers are seen by their own account, until they expire or are deleted; each is found by its items, too."""

from datetime import timedelta

import pytest

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.ports.answers import StoredAnswer
from packages.server.tests.contract.booking import ACCOUNT, NOON, StillClock

KEPT = timedelta(days=30)


def answer(name: str, previous: str | None = None, *, account: str = ACCOUNT) -> StoredAnswer:
    return StoredAnswer(
        answer_id=name,
        account_id=account,
        previous=previous,
        asked=b'[{"role":"user","content":"hi"}]',
        body=b'{"id":"resp_1","output":[]}',
        at=NOON,
        expires_at=NOON + KEPT,
    )


FIRST = answer("resp_1")
ITEMS = ("msg_1", "rs_1")


async def test_an_answer_is_had_by_its_own_account(store: Storage) -> None:
    await store.answers.save(FIRST, ITEMS)
    assert await store.answers.get(ACCOUNT, "resp_1") == FIRST
    assert await store.answers.get("acc_2", "resp_1") is None
    assert await store.answers.get(ACCOUNT, "resp_2") is None


async def test_two_accounts_may_hold_an_answer_of_one_name(store: Storage) -> None:
    other = answer("resp_1", account="acc_2")
    await store.answers.save(FIRST, ITEMS)
    await store.answers.save(other, ITEMS)
    assert await store.answers.get(ACCOUNT, "resp_1") == FIRST
    assert await store.answers.get("acc_2", "resp_1") == other


async def test_what_was_kept_first_stays(store: Storage) -> None:
    await store.answers.save(FIRST, ITEMS)
    await store.answers.save(answer("resp_1", "resp_0"), ["msg_9"])
    assert await store.answers.get(ACCOUNT, "resp_1") == FIRST


async def test_an_answer_ends_after_its_time(store: Storage, clock: StillClock) -> None:
    await store.answers.save(FIRST, ITEMS)
    clock.forward(KEPT - timedelta(seconds=1))
    assert await store.answers.get(ACCOUNT, "resp_1") == FIRST
    assert await store.answers.forget(clock.now()) == 0
    clock.forward(timedelta(seconds=1))
    assert await store.answers.get(ACCOUNT, "resp_1") is None
    assert await store.answers.holding(ACCOUNT, ["msg_1"]) == {}
    assert not await store.answers.delete(ACCOUNT, "resp_1")


async def test_what_expired_is_dropped_some_at_a_time(store: Storage, clock: StillClock) -> None:
    for number in range(130):
        await store.answers.save(answer(f"resp_{number}"), [f"msg_{number}"])
    clock.forward(KEPT)
    assert [await store.answers.forget(clock.now()) for _ in range(3)] == [100, 30, 0]


async def test_a_deleted_answer_is_gone_for_everybody_who_could_see_it(store: Storage) -> None:
    await store.answers.save(FIRST, ITEMS)
    assert not await store.answers.delete("acc_2", "resp_1")
    assert await store.answers.delete(ACCOUNT, "resp_1")
    assert not await store.answers.delete(ACCOUNT, "resp_1")
    assert await store.answers.get(ACCOUNT, "resp_1") is None
    assert await store.answers.holding(ACCOUNT, ["msg_1"]) == {}


async def test_the_lineage_is_told_from_its_beginning(store: Storage) -> None:
    chain = (FIRST, answer("resp_2", "resp_1"), answer("resp_3", "resp_2"))
    for one in chain:
        await store.answers.save(one, ())
    assert await store.answers.lineage(ACCOUNT, "resp_3") == chain
    assert await store.answers.lineage(ACCOUNT, "resp_1") == (FIRST,)
    assert await store.answers.lineage("acc_2", "resp_3") == ()


@pytest.mark.parametrize("gone", ["resp_1", "resp_2", "resp_3"])
async def test_a_lineage_with_a_gap_is_none(store: Storage, gone: str) -> None:
    for one in (FIRST, answer("resp_2", "resp_1"), answer("resp_3", "resp_2")):
        await store.answers.save(one, ())
    await store.answers.delete(ACCOUNT, gone)
    assert await store.answers.lineage(ACCOUNT, "resp_3") == ()


async def test_items_lead_to_their_answers(store: Storage) -> None:
    second = answer("resp_2")
    await store.answers.save(FIRST, ITEMS)
    await store.answers.save(second, ["msg_2"])
    found = await store.answers.holding(ACCOUNT, ["msg_2", "rs_1", "msg_3"])
    assert found == {"msg_2": second, "rs_1": FIRST}
    assert await store.answers.holding("acc_2", ["msg_2"]) == {}
