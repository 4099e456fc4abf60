"""Operators' roles: who has a second factor gets one, keeps the factor, and loses with the role what hangs on it."""

import asyncio
from datetime import timedelta

import pytest

from monkey_coder_server.adapters.storage.open import Storage
from monkey_coder_server.domain.errors import Conflict
from monkey_coder_server.domain.operators import OperatorRole, acting_name
from monkey_coder_server.ports.accounts import Session
from monkey_coder_server.ports.factors import Passkey
from monkey_coder_server.ports.operators import Appointment
from packages.server.tests.contract.booking import NOON
from packages.server.tests.contract.test_factors import ADA, BEN, PASSKEY, TOTP

SUPPORT, BILLING, ADMIN = (Appointment("user_ada", role, "operator", NOON) for role in OperatorRole)
EVERY = frozenset(OperatorRole)


@pytest.fixture
async def people(store: Storage) -> Storage:
    """Ada has a second factor, Ben has none."""
    for each in (ADA, BEN):
        await store.accounts.create(each)
    await store.factors.put_totp(TOTP)
    return store


async def test_a_person_has_the_roles_that_were_given_and_nobody_else_has_any(people: Storage) -> None:
    assert await people.operators.roles("user_ada") == frozenset()
    for each in (SUPPORT, BILLING):
        await people.operators.appoint(each)
    assert await people.operators.roles("user_ada") == {OperatorRole.SUPPORT, OperatorRole.BILLING}
    assert await people.operators.roles("user_ben") == frozenset()
    assert await people.operators.list() == [(BILLING, ADA.email), (SUPPORT, ADA.email)]
    with pytest.raises(Conflict, match="already"):
        await people.operators.appoint(SUPPORT)


async def test_without_a_second_factor_nobody_becomes_an_operator(people: Storage) -> None:
    await people.factors.put_recovery_codes("user_ben", [b"code".ljust(32)])
    with pytest.raises(Conflict, match="second factor"):
        await people.operators.appoint(Appointment("user_ben", OperatorRole.SUPPORT, "operator", NOON))
    await people.factors.add_passkey(Passkey("psk_b", "user_ben", b"of ben", b"cose", 0, "laptop", NOON))
    await people.operators.appoint(Appointment("user_ben", OperatorRole.SUPPORT, "operator", NOON))


async def test_an_operator_keeps_a_factor_whichever_goes_first(people: Storage) -> None:
    await people.factors.add_passkey(PASSKEY)
    await people.operators.appoint(SUPPORT)
    assert await people.factors.drop_totp("user_ada")
    with pytest.raises(Conflict, match="operator"):
        await people.factors.drop_passkey("user_ada", PASSKEY.passkey_id)
    assert await people.factors.any("user_ada")
    await people.operators.dismiss("user_ada", EVERY)
    assert await people.factors.drop_passkey("user_ada", PASSKEY.passkey_id)


async def test_of_a_role_and_the_last_factor_going_at_once_one_is_refused(people: Storage) -> None:
    came = await asyncio.gather(
        people.operators.appoint(SUPPORT), people.factors.drop_totp("user_ada"), return_exceptions=True
    )
    assert sum(isinstance(each, Conflict) for each in came) == 1
    assert bool(await people.operators.roles("user_ada")) == await people.factors.any("user_ada")


async def test_with_a_role_the_sessions_end_in_which_they_act_for_others_and_no_other(people: Storage) -> None:
    until = NOON + timedelta(minutes=10)
    for session_id, who in (("acting", acting_name("user_ada")), ("commands", "operator"), ("own", "")):
        digest = session_id.encode().ljust(32)
        await people.sessions.open(Session(session_id, "user_ben", digest, until, created_at=NOON, impersonator=who))
    for each in (SUPPORT, ADMIN):
        await people.operators.appoint(each)
    assert await people.operators.dismiss("user_ada", frozenset({OperatorRole.BILLING})) == frozenset()
    assert len(await people.sessions.of_user("user_ben", NOON)) == 3
    assert await people.operators.dismiss("user_ada", EVERY) == {OperatorRole.SUPPORT, OperatorRole.ADMIN}
    left = await people.sessions.of_user("user_ben", NOON)
    assert {each.session_id for each in left} == {"commands", "own"}


async def test_who_logs_out_everywhere_is_out_in_others_places_too(people: Storage) -> None:
    until = NOON + timedelta(minutes=10)
    for session_id, user_id, who in (
        ("own", "user_ada", ""),
        ("acting", "user_ben", acting_name("user_ada")),
        ("other", "user_ben", acting_name("user_eve")),
    ):
        digest = session_id.encode().ljust(32)
        await people.sessions.open(Session(session_id, user_id, digest, until, created_at=NOON, impersonator=who))
    assert await people.sessions.revoke_all("user_ada") == 1, "of their own"
    assert await people.sessions.of_user("user_ada", NOON) == []
    assert [each.session_id for each in await people.sessions.of_user("user_ben", NOON)] == ["other"]


async def test_whose_account_it_is(people: Storage) -> None:
    assert await people.accounts.of_account(ADA.account_id) == [ADA]
    assert await people.accounts.of_account("acc_nobody") == []
