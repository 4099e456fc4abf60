"""Markups as rows: kept for good, seen by every process, ended at most once."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.errors import Conflict, NotFound
from monkey_coder_server.domain.markup import MarkupRule
from monkey_coder_server.ports.markups import Markup
from packages.server.tests.contract.booking import NOON
from packages.server.tests.contract.conftest import OpenStore

DAY = timedelta(days=1)
RULE = MarkupRule(
    basis_points=1_250, plan="pro", provider="groq", model="llama", starts_at=NOON, ends_at=NOON + DAY, name="markup_1"
)
PLAIN = MarkupRule(basis_points=0, starts_at=NOON + DAY, name="markup_2")


def made(rule: MarkupRule, hours: int = 0) -> Markup:
    return Markup(rule, "a reason", "operator", NOON + timedelta(hours=hours))


async def test_what_is_set_is_known_at_once_and_listed_newest_first(store: Storage) -> None:
    assert store.markups.known == ()
    await store.markups.set(made(RULE))
    await store.markups.set(made(PLAIN, 1))
    assert set(store.markups.known) == {RULE, PLAIN}
    assert await store.markups.list() == [made(PLAIN, 1), made(RULE)]


async def test_what_is_known_is_the_same_object_until_a_rule_changes(store: Storage) -> None:
    await store.markups.set(made(RULE))
    known = store.markups.known
    await store.markups.refresh()
    assert store.markups.known is known
    await store.markups.end("markup_1", NOON + timedelta(hours=2))
    assert store.markups.known == (replace(RULE, ends_at=NOON + timedelta(hours=2)),)


async def test_another_process_takes_it_in_with_its_next_look(open_store: OpenStore) -> None:
    async with open_store() as one, open_store() as other:
        await one.markups.set(made(RULE))
        await one.markups.end("markup_1", NOON)
        await other.markups.refresh()
        assert other.markups.known == one.markups.known == (replace(RULE, ends_at=NOON),)


async def test_a_rule_that_had_not_begun_never_begins(store: Storage) -> None:
    await store.markups.set(made(PLAIN))
    ended = await store.markups.end("markup_2", NOON)
    assert (ended.starts_at, ended.ends_at) == (NOON + DAY, NOON + DAY)
    assert not ended.in_force(NOON + DAY)


async def test_what_is_over_is_not_ended_again_nor_what_there_is_not(store: Storage) -> None:
    await store.markups.set(made(RULE))
    with pytest.raises(Conflict, match="already"):
        await store.markups.end("markup_1", NOON + DAY)
    with pytest.raises(NotFound, match="no markup 'markup_7'"):
        await store.markups.end("markup_7", NOON)
    assert store.markups.known == (RULE,)


async def test_many_who_set_at_once_lose_none(open_store: OpenStore) -> None:
    rules = [replace(PLAIN, name=f"markup_{number:03d}") for number in range(24)]
    async with open_store() as one, open_store() as other:
        await asyncio.gather(
            *((one if number % 2 else other).markups.set(made(rule)) for number, rule in enumerate(rules))
        )
        for each in (one, other):
            await each.markups.refresh()
            assert {rule.name for rule in each.markups.known} == {rule.name for rule in rules}
