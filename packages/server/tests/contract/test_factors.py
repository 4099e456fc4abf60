"""Second factors."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.errors import Conflict
from monkey_coder_server.ports.accounts import Session, User
from monkey_coder_server.ports.factors import Passkey, Totp
from packages.server.tests.contract.booking import NOON

ADA, BEN = (
    User(f"user_{name}", f"acc_{name}", f"{name}@example.org", name, "$argon2id$", "free", ("user",), NOON)
    for name in ("ada", "ben")
)
TOTP = Totp("user_ada", b"sealed", 41, NOON)
PASSKEY = Passkey("psk_1", "user_ada", b"credential", b"cose", 7, "laptop", NOON)
DIGESTS = [bytes([number]) * 32 for number in range(10)]


@pytest.fixture
async def people(store: Storage) -> Storage:
    for each in (ADA, BEN):
        await store.accounts.create(each)
    return store


async def test_one_time_codes_are_kept_and_replaced(people: Storage) -> None:
    assert await people.factors.totp("user_ada") is None
    await people.factors.put_totp(TOTP)
    assert await people.factors.totp("user_ada") == TOTP
    other = replace(TOTP, secret=b"another", last_step=50)
    await people.factors.put_totp(other)
    assert await people.factors.totp("user_ada") == other
    assert await people.factors.totp("user_ben") is None


async def test_a_step_is_taken_once_however_many_come_with_it(people: Storage) -> None:
    await people.factors.put_totp(TOTP)
    taken = await asyncio.gather(*(people.factors.use_step("user_ada", 42, b"anew") for _ in range(16)))
    assert sum(taken) == 1
    for step in (41, 42):
        assert not await people.factors.use_step("user_ada", step, b"again")
    assert await people.factors.totp("user_ada") == replace(TOTP, secret=b"anew", last_step=42)


async def test_passkeys_are_found_by_person_and_by_credential(people: Storage) -> None:
    younger = replace(PASSKEY, passkey_id="psk_2", credential_id=b"other", created_at=NOON + timedelta(hours=1))
    for each in (PASSKEY, younger):
        await people.factors.add_passkey(each)
    assert await people.factors.passkeys("user_ada") == [PASSKEY, younger]
    assert await people.factors.passkeys("user_ben") == []
    assert await people.factors.passkey(b"credential") == PASSKEY
    assert await people.factors.passkey(b"unknown") is None
    with pytest.raises(Conflict):
        await people.factors.add_passkey(replace(PASSKEY, passkey_id="psk_3", user_id="user_ben"))


async def test_a_counter_that_does_not_grow_is_refused(people: Storage) -> None:
    await people.factors.add_passkey(PASSKEY)
    later = NOON + timedelta(hours=1)
    assert await people.factors.use_passkey(b"credential", 8, later)
    for count in (0, 7, 8):
        assert not await people.factors.use_passkey(b"credential", count, later)
    assert await people.factors.passkey(b"credential") == replace(PASSKEY, sign_count=8, last_used=later)


async def test_an_authenticator_that_does_not_count_may_go_on_so(people: Storage) -> None:
    await people.factors.add_passkey(replace(PASSKEY, sign_count=0))
    for _ in range(2):
        assert await people.factors.use_passkey(b"credential", 0, NOON)


async def test_nobody_names_or_drops_a_strangers_passkey(people: Storage) -> None:
    await people.factors.add_passkey(PASSKEY)
    assert not await people.factors.rename_passkey("user_ben", "psk_1", "mine")
    assert not await people.factors.drop_passkey("user_ben", "psk_1")
    assert await people.factors.rename_passkey("user_ada", "psk_1", "phone")
    assert await people.factors.passkeys("user_ada") == [replace(PASSKEY, name="phone")]
    assert await people.factors.drop_passkey("user_ada", "psk_1")
    assert await people.factors.passkeys("user_ada") == []


async def test_a_recovery_code_is_good_once_for_its_person(people: Storage) -> None:
    await people.factors.put_recovery_codes("user_ada", DIGESTS)
    assert await people.factors.recovery_codes("user_ada") == 10
    assert not await people.factors.use_recovery_code("user_ben", DIGESTS[:1])
    used = await asyncio.gather(*(people.factors.use_recovery_code("user_ada", DIGESTS[:1]) for _ in range(16)))
    assert sum(used) == 1
    assert await people.factors.use_recovery_code("user_ada", [b"of another pepper".ljust(32), DIGESTS[1]])
    assert await people.factors.recovery_codes("user_ada") == 8
    await people.factors.put_recovery_codes("user_ada", DIGESTS[5:7])
    assert await people.factors.recovery_codes("user_ada") == 2
    assert not await people.factors.use_recovery_code("user_ada", [DIGESTS[4]])


async def test_with_the_last_factor_its_codes_and_what_sessions_proved_are_gone(people: Storage) -> None:
    store = people.factors
    await people.sessions.open(
        Session("ses_1", "user_ada", b"digest".ljust(32), NOON + timedelta(days=1), second_factor=True)
    )
    await store.put_totp(TOTP)
    await store.add_passkey(PASSKEY)
    await store.put_recovery_codes("user_ada", DIGESTS)
    assert await store.any("user_ada")
    assert await store.drop_totp("user_ada")
    assert not await store.drop_totp("user_ada")
    assert (await store.any("user_ada"), await store.recovery_codes("user_ada")) == (True, 10)
    assert await store.drop_passkey("user_ada", "psk_1")
    assert (await store.any("user_ada"), await store.recovery_codes("user_ada")) == (False, 0)
    session = await people.sessions.find("ses_1")
    assert session is not None
    assert not session.second_factor
