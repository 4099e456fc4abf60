"""Single-use tokens."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.errors import Conflict
from monkey_coder_server.ports.tickets import Ticket
from packages.server.tests.contract.booking import NOON

DIGEST = b"ticket".ljust(32)
TICKET = Ticket(DIGEST, "reset password", "user_1", NOON + timedelta(minutes=30), "{}")


async def test_a_ticket_is_good_once_however_many_come_with_it(store: Storage) -> None:
    await store.tickets.issue(TICKET)
    came = await asyncio.gather(*(store.tickets.redeem(DIGEST, "reset password", NOON) for _ in range(16)))
    assert [each for each in came if each is not None] == [TICKET]
    assert await store.tickets.find(DIGEST, "reset password", NOON) is None


async def test_a_ticket_is_good_for_its_purpose_and_its_time_only(store: Storage) -> None:
    await store.tickets.issue(TICKET)
    for purpose, at in (("verify email", NOON), ("reset password", TICKET.expires_at)):
        assert await store.tickets.find(DIGEST, purpose, at) is None
        assert await store.tickets.redeem(DIGEST, purpose, at) is None
    assert await store.tickets.redeem(DIGEST, "reset password", NOON) == TICKET


async def test_what_a_subject_can_use_is_listed(store: Storage) -> None:
    later = replace(TICKET, digest=b"later".ljust(32), expires_at=TICKET.expires_at + timedelta(minutes=1))
    others = replace(TICKET, digest=b"other".ljust(32), subject="user_2")
    for each in (later, TICKET, others, replace(TICKET, digest=b"email".ljust(32), purpose="verify email")):
        await store.tickets.issue(each)
    assert await store.tickets.of_subject(TICKET.purpose, "user_1", NOON) == [TICKET, later]
    assert await store.tickets.of_subject(TICKET.purpose, "user_1", TICKET.expires_at) == [later]


async def test_the_same_digest_is_never_issued_twice(store: Storage) -> None:
    await store.tickets.issue(TICKET)
    with pytest.raises(Conflict):
        await store.tickets.issue(replace(TICKET, subject="user_2"))


async def test_details_change_only_from_what_they_were_believed_to_be(store: Storage) -> None:
    await store.tickets.issue(TICKET)
    assert await store.tickets.amend(DIGEST, TICKET.purpose, old="{}", new="approved")
    assert not await store.tickets.amend(DIGEST, TICKET.purpose, old="{}", new="denied")
    assert await store.tickets.find(DIGEST, TICKET.purpose, NOON) == replace(TICKET, details="approved")


async def test_withdrawn_and_expired_tickets_are_gone(store: Storage) -> None:
    other = replace(TICKET, digest=b"other".ljust(32), subject="user_2")
    for each in (TICKET, other):
        await store.tickets.issue(each)
    await store.tickets.withdraw(TICKET.purpose, "user_1")
    assert await store.tickets.find(DIGEST, TICKET.purpose, NOON) is None
    assert await store.tickets.find(other.digest, TICKET.purpose, NOON) == other
    await store.tickets.drop_expired(other.expires_at)
    assert await store.tickets.find(other.digest, TICKET.purpose, NOON) is None
