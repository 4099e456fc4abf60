"""Forgotten, reset and changed passwords."""

import asyncio
from typing import Any

import pytest

from monkey_coder_server.adapters.passwords import Argon2Pool
from monkey_coder_server.adapters.passwords.argon2_pool import Argon2Cost

pytestmark = pytest.mark.asyncio(loop_scope="module")
PASSWORD = "several plain words together"
OTHER = "another one of my phrases"
FORGOT, RESET, CHANGE = "/v1/auth/password/forgot", "/v1/auth/password/reset", "/v1/auth/password/change"


async def test_a_forgotten_password_is_set_anew_by_mail_and_every_session_ends(
    registered: Any, postbox: Any, user: Any
) -> None:
    person = await registered()
    before = (await user(person)).password_hash
    assert (await person.post(FORGOT, email=person.email.upper())).json()["status"] == "ok"
    token = await postbox.token(person.email)
    answer = await person.post(RESET, token=token, new_password=OTHER)
    assert (answer.status_code, answer.json()["status"]) == (200, "password_reset")
    assert "access_token" not in answer.text
    assert "was changed" in (await postbox.next(person.email)).subject
    assert (await person.get("/v1/keys")).status_code == 401
    assert await person.log_in() == 401
    assert await person.log_in(OTHER) == 200
    again = await person.post(RESET, token=token, new_password="yet another one of my phrases")
    assert again.status_code == 400
    after = await user(person)
    assert after.password_hash != before
    assert after.email_verified_at is not None


async def test_known_and_unknown_addresses_get_one_answer_and_only_one_of_them_a_mail(
    registered: Any, callers: Any, postbox: Any
) -> None:
    known, unknown = await registered(), callers()
    answers = [await unknown.post(FORGOT, email=each.email) for each in (unknown, known)]
    bodies = [(answer.status_code, answer.json()) for answer in answers]
    assert bodies[0] == bodies[1]
    await postbox.next(known.email)
    assert not postbox.holds_for(unknown.email)


@pytest.mark.parametrize("weak", ["short", "password123456", "P@ssw0rd2026!!", "abcdefghijklm", "x" * 1025])
async def test_a_weak_password_is_refused_and_uses_up_nothing(registered: Any, postbox: Any, weak: str) -> None:
    person = await registered()
    await person.post(FORGOT, email=person.email)
    token = await postbox.token(person.email)
    refused = await person.post(RESET, token=token, new_password=weak)
    assert (refused.status_code, refused.json()["error_code"]) == (400, "invalid_request")
    assert (await person.post(RESET, token=token, new_password=OTHER)).status_code == 200


async def test_words_about_the_person_are_no_password(registered: Any, callers: Any) -> None:
    caller = callers()
    caller.email = "grace.hopper@example.com"
    answer = await caller.post("/v1/auth/register", email=caller.email, password="GraceHopper1906!")
    assert answer.status_code == 400
    assert "too easy to guess" in answer.json()["detail"]


async def test_the_whole_of_a_long_pass_phrase_counts(callers: Any, postbox: Any) -> None:
    caller = callers()
    phrase = " ".join(f"word{number} пять 五" for number in range(60))
    assert (await caller.post("/v1/auth/register", email=caller.email, password=phrase)).status_code == 200
    assert await caller.log_in(phrase[:-1]) == 401
    assert await caller.log_in(phrase) == 200


async def test_a_hash_of_other_cost_is_made_anew_at_the_next_log_in(registered: Any, user: Any, house: Any) -> None:
    person = await registered()
    pool = Argon2Pool(cost=Argon2Cost(memory=64, passes=1), threads=1)
    weak = await pool.hash(PASSWORD)
    pool.close()
    before = await user(person)
    await house.gateway.books.storage.accounts.set_password(before.user_id, weak)
    assert await person.log_in() == 200
    after = (await user(person)).password_hash
    assert after != weak
    assert f"m={Argon2Cost().memory}," in after


async def test_of_many_who_reset_by_one_link_at_once_one_gets_through(registered: Any, postbox: Any) -> None:
    person = await registered()
    await person.post(FORGOT, email=person.email)
    token = await postbox.token(person.email)
    phrases = [f"phrase number {number} of some" for number in range(6)]
    answers = await asyncio.gather(*(person.post(RESET, token=token, new_password=each) for each in phrases))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 5
    won = phrases[[answer.status_code for answer in answers].index(200)]
    assert await person.log_in(won) == 200


async def test_who_is_locked_out_gets_in_again_by_mail(registered: Any, callers: Any, postbox: Any) -> None:
    person, stranger, elsewhere = await registered(), callers(), callers()
    stranger.email = elsewhere.email = person.email
    assert [await stranger.log_in("wrong wrong wrong") for _ in range(11)] == [401] * 10 + [429]
    assert await elsewhere.log_in() == 429
    assert (await elsewhere.post(FORGOT, email=person.email)).status_code == 200
    token = await postbox.token(person.email)
    assert (await elsewhere.post(RESET, token=token, new_password=OTHER)).status_code == 200
    assert await elsewhere.log_in(OTHER) == 200


async def test_a_changed_password_ends_every_other_session_and_open_links(
    registered: Any, callers: Any, postbox: Any
) -> None:
    person, elsewhere = await registered(), callers()
    elsewhere.email = person.email
    assert await elsewhere.log_in() == 200
    await person.post(FORGOT, email=person.email)
    token = await postbox.token(person.email)
    answer = await person.post(CHANGE, current_password=PASSWORD, new_password=OTHER)
    assert (answer.status_code, answer.json()["status"]) == (200, "password_changed")
    assert "was changed" in (await postbox.next(person.email)).subject
    assert (await person.get("/v1/keys")).status_code == 200
    assert (await elsewhere.get("/v1/keys")).status_code == 401
    assert (await person.post(RESET, token=token, new_password=PASSWORD)).status_code == 400
    assert await person.log_in() == 401
    assert await person.log_in(OTHER) == 200


async def test_the_present_password_is_asked_for_and_cannot_be_guessed(registered: Any) -> None:
    person = await registered()
    wish = {"current_password": "wrong wrong wrong", "new_password": OTHER}
    assert [(await person.post(CHANGE, **wish)).status_code for _ in range(11)] == [401] * 10 + [429]
    weak = await person.post(CHANGE, current_password=PASSWORD, new_password="short")
    assert weak.status_code == 400


async def test_no_key_changes_a_password(house: Any, stranger: Any) -> None:
    customer = await house.customer(password=PASSWORD)
    stranger.headers = customer.headers
    answer = await stranger.post(CHANGE, current_password=PASSWORD, new_password=OTHER)
    assert (answer.status_code, answer.json()["error_code"]) == (403, "forbidden")


async def test_all_of_it_is_in_the_trail_without_a_secret(registered: Any, postbox: Any, user: Any, house: Any) -> None:
    person = await registered()
    await person.post(FORGOT, email=person.email)
    token = await postbox.token(person.email)
    await person.post(RESET, token=token, new_password=OTHER)
    await person.log_in(OTHER)
    await person.post(CHANGE, current_password=OTHER, new_password=PASSWORD)
    account = (await user(person)).account_id
    told = await trail(house, account)
    assert {"account.open", "password.forgot", "password.reset", "session.open", "password.change"} <= set(told)
    for action in ("password.reset", "password.change"):
        assert told[action].address == person.address
        assert told[action].actor == (await user(person)).user_id
    assert not any(secret in str(told) for secret in (token, OTHER, PASSWORD, person.email))


async def trail(house: Any, account_id: str) -> dict[str, Any]:
    newest = await house.gateway.books.storage.audit.newest(account_id, before=None, most=100)
    return {each.entry.action: each.entry for each in newest}
