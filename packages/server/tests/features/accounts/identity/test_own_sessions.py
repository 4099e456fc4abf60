"""Look at one's sessions, end them."""

from typing import Any

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")
SESSIONS, ALL = "/v1/auth/sessions", "/v1/auth/logout/all"


async def at(person: Any, callers: Any) -> Any:
    """The same person somewhere else."""
    elsewhere = callers()
    elsewhere.email = person.email
    assert await elsewhere.log_in() == 200
    return elsewhere


async def test_a_person_sees_where_they_are_logged_in(registered: Any, callers: Any) -> None:
    person = await registered()
    elsewhere = await at(person, callers)
    body = (await person.get(SESSIONS)).json()
    assert body["count"] == 2
    newest, oldest = body["sessions"]
    assert (newest["address"], newest["current"]) == (elsewhere.address, False)
    assert (oldest["address"], oldest["current"], oldest["second_factor"]) == (person.address, True, False)
    assert oldest["agent"].startswith("python")
    assert oldest["created_at"] == oldest["confirmed_at"] < oldest["expires_at"]
    assert "digest" not in str(body)


async def test_a_person_ends_one_session_and_no_stranger_does(registered: Any, callers: Any) -> None:
    person, stranger = await registered(), await registered()
    elsewhere = await at(person, callers)
    session_id = (await elsewhere.get(SESSIONS)).json()["sessions"][0]["session_id"]
    path = f"{SESSIONS}/{session_id}"
    assert (await stranger.client.delete(path, headers=stranger.headers)).status_code == 404
    assert (await elsewhere.get("/v1/keys")).status_code == 200
    assert (await person.client.delete(path, headers=person.headers)).status_code == 200
    assert (await elsewhere.get("/v1/keys")).status_code == 401
    assert (await person.client.delete(path, headers=person.headers)).status_code == 404
    assert (await person.get(SESSIONS)).json()["count"] == 1


async def test_all_sessions_end_with_or_without_the_one_that_asks(registered: Any, callers: Any) -> None:
    person, stranger = await registered(), await registered()
    elsewhere = await at(person, callers)
    answer = await person.post(ALL, this_one=False)
    assert (answer.status_code, answer.json()["ended"]) == (200, 1)
    assert (await elsewhere.get("/v1/keys")).status_code == 401
    assert (await person.get("/v1/keys")).status_code == 200
    assert (await person.client.post(ALL, headers=person.headers)).json()["ended"] == 1
    assert (await person.get("/v1/keys")).status_code == 401
    assert (await stranger.get("/v1/keys")).status_code == 200
