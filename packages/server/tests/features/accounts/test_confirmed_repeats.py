"""A lost answer to a confirmed request is told again without another proof, to who proved it and nobody else."""

import asyncio
from typing import Any

import pytest

from packages.server.tests.features.accounts.persons import Person, login, newcomer, refusal

pytestmark = pytest.mark.asyncio(loop_scope="module")
ASKED = (403, "confirmation_required")
WISH = {"name": "made once"}
TOTP = "/v1/auth/mfa/totp/enroll"


async def keys_of(person: Person) -> int:
    return len((await person.ask("GET", "/v1/keys")).json()["keys"])


async def proving(house: Any, name: str) -> tuple[Person, dict[str, str]]:
    """Somebody logged in long ago, and the headers with which they prove that it is them."""
    person = await newcomer(house, f"{name}@example.com")
    await person.grow_old()
    return person, {"x_mk_confirmation": await person.confirmed("keys"), "idempotency_key": f"lost {name}"}


async def test_the_kept_answer_comes_again_although_the_proof_is_used_up(house: Any) -> None:
    person, headers = await proving(house, "repeats")
    first = await person.post("/v1/keys", WISH, **headers)
    assert first.status_code == 200
    for _ in range(2):
        again = await person.post("/v1/keys", WISH, **headers)
        assert (again.status_code, again.json()) == (200, first.json())
        assert again.headers["idempotent-replayed"] == "true"
    assert await keys_of(person) == 1


async def test_a_session_that_was_young_enough_then_is_told_again_when_it_is_old(house: Any) -> None:
    person = await newcomer(house, "grows@example.com")
    first = await person.post("/v1/keys", WISH, idempotency_key="while young")
    await person.grow_old()
    again = await person.post("/v1/keys", WISH, idempotency_key="while young")
    assert (again.status_code, again.json()) == (200, first.json())
    assert refusal(await person.post("/v1/keys", WISH, idempotency_key="another")) == ASKED
    assert refusal(await person.post("/v1/keys", WISH)) == ASKED


async def test_who_has_the_key_but_not_the_proof_is_asked_for_it(house: Any) -> None:
    person, headers = await proving(house, "thief")
    assert (await person.post("/v1/keys", WISH, **headers)).status_code == 200
    key = headers["idempotency_key"]
    for proof in ({}, {"x_mk_confirmation": "guessed"}):
        assert refusal(await person.post("/v1/keys", WISH, idempotency_key=key, **proof)) == ASKED
    other = Person(house, person.email, (await login(house, person))["access_token"])
    await other.grow_old()
    assert refusal(await other.post("/v1/keys", WISH, **headers)) == ASKED, "another session of the same person"
    stranger = await newcomer(house, "passing@example.com")
    await stranger.grow_old()
    assert refusal(await stranger.post("/v1/keys", WISH, **headers)) == ASKED


async def test_a_used_proof_makes_nothing_new(house: Any) -> None:
    person, headers = await proving(house, "reuses")
    assert (await person.post("/v1/keys", WISH, **headers)).status_code == 200
    assert (await person.post("/v1/keys", {"name": "another"}, **headers)).status_code == 422
    assert refusal(await person.post("/v1/keys", WISH, **{**headers, "idempotency_key": "fresh"})) == ASKED
    assert (await person.post("/v1/keys/key_none/rotate", WISH, **headers)).status_code == 422
    assert await keys_of(person) == 1


async def test_a_request_that_failed_is_confirmed_again(house: Any) -> None:
    person, headers = await proving(house, "fails")
    assert (await person.post("/v1/keys", {"name": 5}, **headers)).status_code == 400
    assert refusal(await person.post("/v1/keys", {"name": 5}, **headers)) == ASKED


async def test_a_session_that_ended_is_told_nothing(house: Any) -> None:
    person, headers = await proving(house, "ends")
    assert (await person.post("/v1/keys", WISH, **headers)).status_code == 200
    assert (await person.post("/v1/auth/logout")).status_code == 200
    assert (await person.post("/v1/keys", WISH, **headers)).status_code == 401


async def test_of_many_at_once_with_one_proof_one_makes_it(house: Any) -> None:
    person, headers = await proving(house, "crowds")
    answers = await asyncio.gather(*(person.post("/v1/keys", WISH, **headers) for _ in range(8)))
    made = [answer.json()["key"] for answer in answers if answer.status_code == 200]
    assert made
    assert len(set(made)) == 1
    assert {answer.status_code for answer in answers} <= {200, 403, 409}
    assert await keys_of(person) == 1


async def test_factors_never_change_by_a_repeat(house: Any) -> None:
    person = await newcomer(house, "enrolled@example.com")
    await person.enrol()
    token = await person.confirmed("factors", code=person.code())
    headers = {"x_mk_confirmation": token, "idempotency_key": "enrols again"}
    first = await person.post(TOTP, **headers)
    assert first.status_code == 200
    assert (await person.post(TOTP, **headers)).json() == first.json()
    assert refusal(await person.post(TOTP, idempotency_key="enrols again")) == ASKED
