"""Lessons are kept for whoever starts next: the newest, as they were."""

from datetime import timedelta

import msgspec
import pytest

from monkey_coder_server.adapters.storage import lessons as stored
from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.likeness import Lesson, Likeness
from packages.server.tests.contract.booking import ACCOUNT, StillClock

LIKE = Likeness(ACCOUNT, "chat False False False", "", 7, 1, None, "a1", "b2", "c3")


def lesson(answer: int) -> Lesson:
    return Lesson(LIKE._replace(max_tokens=answer), "openai/gpt-5", 10, 12, 3, 0, answer, 5)


async def test_lessons_come_back_as_they_were_the_oldest_first(store: Storage, clock: StillClock) -> None:
    assert await store.lessons.newest() == []
    await store.lessons.keep({"req_2": lesson(2)})
    clock.forward(timedelta(seconds=5))
    await store.lessons.keep({"req_1": lesson(1), "req_3": lesson(3)})
    assert await store.lessons.newest() == [lesson(2), lesson(1), lesson(3)]


async def test_a_lesson_kept_twice_is_one(store: Storage) -> None:
    await store.lessons.keep({"req_1": lesson(1)})
    await store.lessons.keep({"req_1": lesson(1)})
    assert await store.lessons.newest() == [lesson(1)]


async def test_only_the_newest_are_kept(store: Storage, clock: StillClock) -> None:
    for number in range(5):
        clock.forward(timedelta(seconds=5))
        await store.lessons.keep({f"req_{number}_{each:03}": lesson(number) for each in range(500)})
    kept = await store.lessons.newest()
    assert [each.answer for each in kept] == [number for number in range(1, 5) for _ in range(500)]


async def test_what_another_release_learnt_of_other_facts_is_left_out(
    store: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:
        earlier.setattr(stored.msgspec.json, "encode", lambda _: msgspec.json.Encoder().encode(["other", 1]))
        await store.lessons.keep({"req_1": lesson(1)})
    await store.lessons.keep({"req_2": lesson(2)})
    assert await store.lessons.newest() == [lesson(2)]
