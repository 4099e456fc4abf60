"""Refresh-token families."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.ports.accounts import Rotation, Session, User
from packages.server.tests.contract.booking import NOON

ADA = User("user_1", "acc_1", "ada@example.org", "Ada", "$argon2id$one", "free", ("user",), NOON)
FIRST, SECOND, THIRD = (each.ljust(32) for each in (b"first", b"second", b"third"))
LATER = NOON + timedelta(days=30)
SESSION = Session(
    "sess_1", "user_1", FIRST, LATER, created_at=NOON, confirmed_at=NOON, address="192.0.2.7", agent="monkey/0.1"
)


@pytest.fixture
async def opened(store: Storage) -> Storage:
    await store.accounts.create(ADA)
    await store.sessions.open(SESSION)
    return store


def turn(old: bytes, new: bytes, *, came: datetime = NOON) -> Rotation:
    return Rotation(old, new, came, LATER + timedelta(days=1))


async def test_a_session_is_found_as_it_was_opened(opened: Storage) -> None:
    assert await opened.sessions.find("sess_1") == SESSION
    assert await opened.sessions.find("sess_none") is None


async def test_the_newest_refresh_token_rotates(opened: Storage) -> None:
    assert await opened.sessions.rotate("sess_1", turn(FIRST, SECOND))
    expected = replace(
        SESSION, token_digest=SECOND, expires_at=LATER + timedelta(days=1), used_digest=FIRST, rotated_at=NOON
    )
    assert await opened.sessions.find("sess_1") == expected


async def test_an_older_refresh_token_ends_the_family(opened: Storage) -> None:
    assert await opened.sessions.rotate("sess_1", turn(FIRST, SECOND))
    assert not await opened.sessions.rotate("sess_1", turn(FIRST, SECOND))
    assert not await opened.sessions.rotate("sess_1", turn(SECOND, THIRD))
    ended = await opened.sessions.find("sess_1")
    assert ended is not None
    assert ended.revoked


async def test_racing_requests_of_one_client_make_one_turn(opened: Storage) -> None:
    before = NOON - timedelta(milliseconds=1)
    racing = [opened.sessions.rotate("sess_1", turn(FIRST, SECOND, came=before)) for _ in range(8)]
    assert await asyncio.gather(*racing) == [True] * 8
    assert await opened.sessions.rotate("sess_1", turn(SECOND, THIRD))
    assert not await opened.sessions.rotate("sess_1", turn(FIRST, SECOND, came=before))


async def test_a_race_that_asks_for_another_token_is_a_theft(opened: Storage) -> None:
    assert await opened.sessions.rotate("sess_1", turn(FIRST, SECOND))
    assert not await opened.sessions.rotate("sess_1", turn(FIRST, THIRD, came=NOON - timedelta(milliseconds=1)))


async def test_a_confirmed_session_knows_when_and_keeps_that_it_had_a_second_factor(opened: Storage) -> None:
    later = NOON + timedelta(hours=1)
    await opened.sessions.confirm("sess_1", NOON, second_factor=True)
    await opened.sessions.confirm("sess_1", later, second_factor=False)
    assert await opened.sessions.find("sess_1") == replace(SESSION, confirmed_at=later, second_factor=True)


async def test_ending_a_session_twice_is_harmless(opened: Storage) -> None:
    for session_id in ("sess_1", "sess_1", "sess_none"):
        await opened.sessions.revoke(session_id)
    assert await opened.sessions.find("sess_1") == replace(SESSION, revoked=True)


async def test_all_sessions_of_a_person_are_shown_and_ended_but_for_one(opened: Storage) -> None:
    younger = replace(SESSION, session_id="sess_2", created_at=NOON + timedelta(hours=1))
    over = replace(SESSION, session_id="sess_3", expires_at=NOON)
    for each in (younger, over):
        await opened.sessions.open(each)
    assert await opened.sessions.of_user("user_1", NOON) == [younger, SESSION]
    assert await opened.sessions.revoke_all("user_1", but="sess_2") == 2
    assert await opened.sessions.of_user("user_1", NOON) == [younger]
    assert await opened.sessions.revoke_all("user_1") == 1
    assert await opened.sessions.of_user("user_1", NOON) == []


async def test_where_a_person_logged_in_from_is_remembered_for_a_time(store: Storage) -> None:
    await store.accounts.create(ADA)
    await store.sessions.open(replace(SESSION, address="203.0.113.9", created_at=NOON))
    before = NOON - timedelta(days=1)
    assert await store.sessions.seen_from(ADA.email.upper(), "203.0.113.9", before)
    assert not await store.sessions.seen_from(ADA.email, "203.0.113.10", before)
    assert not await store.sessions.seen_from(ADA.email, "203.0.113.9", NOON)
    assert not await store.sessions.seen_from("nobody@example.org", "203.0.113.9", before)
