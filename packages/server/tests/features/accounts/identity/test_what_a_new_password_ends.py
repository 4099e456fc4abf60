"""What somebody with the former password had begun is over once there is a new one."""

from typing import Any

import pytest

from packages.server.tests.features.accounts.persons import PASSWORD, login, newcomer, refusal, verify

pytestmark = pytest.mark.asyncio(loop_scope="module")
OTHER = "another one of my phrases"


async def by_reset(person: Any, postbox: Any) -> Any:
    await person.house.client.post("/v1/auth/password/forgot", json={"email": person.email})
    body = {"token": await postbox.token(person.email), "new_password": OTHER}
    return await person.house.client.post("/v1/auth/password/reset", json=body)


async def by_change(person: Any, _postbox: Any) -> Any:
    body = {"current_password": PASSWORD, "new_password": OTHER}
    return await person.post("/v1/auth/password/change", body)


@pytest.mark.parametrize("replace", [by_reset, by_change])
async def test_a_log_in_that_waits_for_its_second_step_is_over(
    house: Any, postbox: Any, stranger: Any, replace: Any
) -> None:
    person = await newcomer(house, stranger.email)
    await postbox.token(person.email)
    await person.enrol()
    waiting = await login(house, person)
    assert (await replace(person, postbox)).status_code == 200
    over = await verify(house, waiting["mfa_token"], code=person.code())
    assert refusal(over) == (401, "invalid_credentials")
    assert "begin again" in over.json()["detail"]


@pytest.mark.parametrize("replace", [by_reset, by_change])
async def test_another_address_that_was_asked_for_is_not_taken_any_more(
    house: Any, postbox: Any, stranger: Any, replace: Any
) -> None:
    person = await newcomer(house, stranger.email)
    await postbox.token(person.email)
    wanted = f"thief-of-{person.email}"
    asked = await person.post("/v1/auth/email/change", {"email": wanted, "password": PASSWORD})
    assert asked.status_code == 200, asked.text
    link = await postbox.token(wanted)
    assert (await replace(person, postbox)).status_code == 200
    followed = await house.client.post("/v1/auth/email/verify/confirm", json={"token": link})
    assert refusal(followed) == (400, "invalid_request")
    assert await house.gateway.books.storage.accounts.by_email(wanted) is None
