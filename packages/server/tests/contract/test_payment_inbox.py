"""What the payment processor tells is kept once and worked off by one at a time, whatever happens to who is at it."""

import asyncio
from datetime import timedelta

from msgspec.structs import replace

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.ports.payment_inbox import InboxEvent, InboxState, WaitingEvent
from monkey_coder_server.ports.payments import EventSeen
from packages.server.tests.contract.booking import NOON
from packages.server.tests.contract.conftest import OpenStore

EVENT = EventSeen("evt_1", "payment_intent.succeeded", NOON, False, "payment", "pi_1")
SOON = NOON + timedelta(minutes=1)


def at(seconds: int) -> EventSeen:
    return replace(EVENT, event_id=f"evt_{seconds}", object_id=f"pi_{seconds}")


async def test_an_event_that_comes_a_thousand_times_at_once_is_kept_once(store: Storage) -> None:
    taken = await asyncio.gather(*(store.payment_inbox.take(EVENT, NOON) for _ in range(1_000)))
    assert sum(taken) == 1
    assert await store.payment_inbox.state() == InboxState(1, 0, NOON)


async def test_of_many_who_claim_at_once_one_gets_it(store: Storage, open_store: OpenStore) -> None:
    await store.payment_inbox.take(EVENT, NOON)
    async with open_store() as other:
        inboxes = [store.payment_inbox, other.payment_inbox] * 8
        claimed = await asyncio.gather(*(each.claim(NOON, SOON, 10) for each in inboxes))
    assert [each for events in claimed for each in events] == [
        InboxEvent("evt_1", "payment_intent.succeeded", "payment", "pi_1", attempts=1)
    ]


async def test_what_is_nobodys_concern_is_kept_and_never_claimed(store: Storage) -> None:
    assert await store.payment_inbox.take(EVENT, NOON, handled="of no concern")
    assert not await store.payment_inbox.take(EVENT, NOON)
    assert await store.payment_inbox.claim(SOON, SOON, 10) == []
    assert await store.payment_inbox.state() == InboxState(0, 0, None)


async def test_one_object_is_in_one_pair_of_hands(store: Storage) -> None:
    await store.payment_inbox.take(EVENT, NOON)
    [first] = await store.payment_inbox.claim(NOON, SOON, 10)
    await store.payment_inbox.take(replace(EVENT, event_id="evt_2"), NOON)
    await store.payment_inbox.take(replace(EVENT, event_id="evt_3", object_id="pi_2"), NOON)
    assert [each.event_id for each in await store.payment_inbox.claim(NOON, SOON, 10)] == ["evt_3"]
    await store.payment_inbox.done([first.event_id], NOON, "booked")
    assert [each.event_id for each in await store.payment_inbox.claim(NOON, SOON, 10)] == ["evt_2"]


async def test_what_died_in_somebodys_hands_comes_back(store: Storage) -> None:
    await store.payment_inbox.take(EVENT, NOON)
    await store.payment_inbox.claim(NOON, SOON, 10)
    assert await store.payment_inbox.claim(SOON - timedelta(microseconds=1), SOON, 10) == []
    [again] = await store.payment_inbox.claim(SOON, SOON + timedelta(minutes=1), 10)
    assert again.attempts == 2


async def test_what_failed_is_tried_later_and_listed_until_it_is_done(store: Storage) -> None:
    await store.payment_inbox.take(EVENT, NOON)
    await store.payment_inbox.claim(NOON, SOON, 10)
    await store.payment_inbox.postpone(["evt_1"], SOON, "unknown customer")
    assert await store.payment_inbox.claim(NOON, SOON, 10) == []
    assert await store.payment_inbox.state() == InboxState(1, 1, NOON)
    assert await store.payment_inbox.waiting(10) == [
        WaitingEvent("evt_1", "payment_intent.succeeded", NOON, 1, "unknown customer")
    ]
    [again] = await store.payment_inbox.claim(SOON, SOON, 10)
    await store.payment_inbox.done([again.event_id], SOON, "booked")
    await store.payment_inbox.postpone([again.event_id], SOON, "too late")
    assert await store.payment_inbox.waiting(10) == []
    assert await store.payment_inbox.state() == InboxState(0, 0, None)


async def test_the_oldest_are_claimed_first_and_not_too_many(store: Storage) -> None:
    for seconds in (3, 1, 2):
        await store.payment_inbox.take(at(seconds), NOON + timedelta(seconds=seconds))
    claimed = await store.payment_inbox.claim(SOON, SOON + timedelta(minutes=1), 2)
    assert [each.event_id for each in claimed] == ["evt_1", "evt_2"]
