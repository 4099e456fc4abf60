"""Replies kept for repeats: one maker at a time, nobody else's reply, and a dead maker's key comes free."""

import asyncio
from datetime import timedelta

import pytest

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.errors import IdempotencyConflict, RequestInProgress
from packages.server.tests.contract.booking import ACCOUNT, NOON, idempotent

KEY = idempotent("call:1")


async def test_the_first_reply_is_kept_for_who_repeats_it(funded: Storage) -> None:
    assert await funded.replies.claim(ACCOUNT, KEY, NOON) is None
    await funded.replies.keep(ACCOUNT, KEY.key, b"made")
    for later in (NOON, NOON + timedelta(hours=40)):
        assert await funded.replies.claim(ACCOUNT, KEY, later) == b"made"
    assert await funded.replies.claim("acc_2", KEY, NOON) is None
    with pytest.raises(IdempotencyConflict):
        await funded.replies.claim(ACCOUNT, idempotent("call:1", body=b"b"), NOON)
    assert (await funded.ledger.verify()).sound


async def test_only_one_of_many_makes_it(funded: Storage) -> None:
    claims = await asyncio.gather(
        *[funded.replies.claim(ACCOUNT, KEY, NOON) for _ in range(10)], return_exceptions=True
    )
    assert claims.count(None) == 1
    assert sum(isinstance(claim, RequestInProgress) for claim in claims) == 9
    assert (await funded.ledger.verify()).sound


async def test_what_came_to_nothing_may_be_tried_again(funded: Storage) -> None:
    await funded.replies.claim(ACCOUNT, KEY, NOON)
    await funded.replies.release(ACCOUNT, KEY.key)
    assert await funded.replies.claim(ACCOUNT, KEY, NOON) is None


async def test_a_key_whose_process_died_comes_free_after_a_minute_for_one(funded: Storage) -> None:
    await funded.replies.claim(ACCOUNT, KEY, NOON)
    with pytest.raises(RequestInProgress):
        await funded.replies.claim(ACCOUNT, KEY, NOON + timedelta(seconds=59))
    late = NOON + timedelta(seconds=61)
    assert await funded.replies.claim(ACCOUNT, KEY, late) is None
    with pytest.raises(RequestInProgress):
        await funded.replies.claim(ACCOUNT, KEY, late)


async def test_a_reply_is_forgotten_after_two_days(funded: Storage) -> None:
    await funded.replies.claim(ACCOUNT, KEY, NOON)
    await funded.replies.keep(ACCOUNT, KEY.key, b"made")
    await funded.ledger.expire_holds(NOON + timedelta(hours=49))
    assert await funded.replies.claim(ACCOUNT, KEY, NOON + timedelta(hours=49)) is None


async def test_looking_for_a_reply_takes_nothing_and_finds_nobody_elses(funded: Storage) -> None:
    replies, late = funded.replies, NOON + timedelta(seconds=61)
    assert await replies.find(ACCOUNT, KEY, NOON) is None
    assert await replies.claim(ACCOUNT, KEY, NOON) is None
    with pytest.raises(RequestInProgress):
        await replies.find(ACCOUNT, KEY, NOON + timedelta(seconds=59))
    assert await replies.find(ACCOUNT, KEY, late) is None
    await replies.keep(ACCOUNT, KEY.key, b"made")
    for moment in (NOON, late):
        assert await replies.find(ACCOUNT, KEY, moment) == b"made"
    assert await replies.find("acc_2", KEY, NOON) is None
    with pytest.raises(IdempotencyConflict):
        await replies.find(ACCOUNT, idempotent("call:1", body=b"b"), NOON)
