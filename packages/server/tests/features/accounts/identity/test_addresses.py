"""Confirm an address, change it."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from monkey_coder_server.features.accounts.identity import links

pytestmark = pytest.mark.asyncio(loop_scope="module")
PASSWORD = "several plain words together"
REQUEST, CONFIRM, CHANGE = "/v1/auth/email/verify/request", "/v1/auth/email/verify/confirm", "/v1/auth/email/change"


async def test_who_registers_is_asked_to_confirm_the_address_and_the_link_is_good_once(
    stranger: Any, postbox: Any, user: Any
) -> None:
    await stranger.post("/v1/auth/register", email=stranger.email, password=PASSWORD)
    token = await postbox.token(stranger.email)
    assert (await user(stranger)).email_verified_at is None
    answer = await stranger.post(CONFIRM, token=token)
    assert (answer.status_code, answer.json()["status"]) == (200, "email_verified")
    assert (await user(stranger)).email_verified_at is not None
    again = await stranger.post(CONFIRM, token=token)
    assert (again.status_code, again.json()["error_code"]) == (400, "invalid_request")


@pytest.mark.parametrize("path", [REQUEST, "/api/v1/auth/verify/email/request"])
async def test_the_answer_is_the_same_for_everybody_and_strangers_get_no_mail(
    registered: Any, callers: Any, postbox: Any, path: str
) -> None:
    known, unknown = await registered(), callers()
    answers = [await unknown.post(path, email=each.email) for each in (unknown, known)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["status"] == "email_verification_issued"
    await postbox.next(known.email)
    assert not postbox.holds_for(unknown.email)


async def test_who_has_confirmed_gets_no_further_mail(registered: Any, postbox: Any) -> None:
    confirmed, other = await registered(), await registered()
    await confirmed.post(REQUEST, email=confirmed.email)
    await confirmed.post(CONFIRM, token=await postbox.token(confirmed.email))
    await confirmed.post(REQUEST, email=confirmed.email)
    await other.post(REQUEST, email=other.email)
    await postbox.next(other.email)
    assert not postbox.holds_for(confirmed.email)


async def test_a_newer_link_replaces_the_older_and_an_old_one_expires(
    registered: Any, postbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await registered()
    await person.post(REQUEST, email=person.email)
    first = await postbox.token(person.email)
    await person.post(REQUEST, email=person.email)
    second = await postbox.token(person.email)
    assert (await person.post(CONFIRM, token=first)).status_code == 400
    assert (await person.post(CONFIRM, token=second)).status_code == 200
    other = await registered()
    monkeypatch.setitem(links.LIFETIMES, links.VERIFY, timedelta(0))
    await other.post(REQUEST, email=other.email)
    assert (await other.post(CONFIRM, token=await postbox.token(other.email))).status_code == 400


async def test_of_many_who_follow_one_link_at_once_one_gets_through(registered: Any, postbox: Any) -> None:
    person = await registered()
    await person.post(REQUEST, email=person.email)
    token = await postbox.token(person.email)
    answers = await asyncio.gather(*(person.post(CONFIRM, token=token) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7


async def test_links_lead_to_the_gateways_own_address_whatever_host_was_asked_for(
    registered: Any, postbox: Any
) -> None:
    person = await registered()
    evil = {"host": "evil.example", "x-forwarded-host": "evil.example", "forwarded": "host=evil.example"}
    await person.client.post("/v1/auth/password/forgot", json={"email": person.email}, headers=evil)
    mail = await postbox.next(person.email)
    assert "http://localhost:8000/reset-password?token=" in mail.text
    assert "evil" not in mail.text + mail.html + mail.subject


@pytest.mark.parametrize(
    "email",
    [
        "a@b.example\r\nBcc: x@y.example",
        "a@b.example\nx",
        "nobody",
        "a b@c.example",
        "a,b@c.example",
        "a@b.example,c.example",
        "A<a@b.example>",
        "a;b@c.example",
        "x" * 65 + "@c.example",
        "",
    ],
)
@pytest.mark.parametrize("path", [REQUEST, "/v1/auth/password/forgot"])
async def test_what_is_no_address_is_refused(stranger: Any, path: str, email: str) -> None:
    answer = await stranger.post(path, email=email)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "invalid_request")
    assert "`email`" in answer.json()["detail"]


async def test_an_address_is_changed_by_password_and_by_a_link_that_goes_to_the_new_one(
    registered: Any, callers: Any, postbox: Any, user: Any, house: Any
) -> None:
    person, new = await registered(), callers().email
    wrong = await person.post(CHANGE, email=new, password="wrong wrong wrong")
    assert (wrong.status_code, wrong.json()["error_code"]) == (401, "invalid_credentials")
    answer = await person.post(CHANGE, email=new, password=PASSWORD, user_id="usr_other", email_verified_at="now")
    assert (answer.status_code, answer.json()["status"]) == (200, "email_change_issued")
    assert "another address" in (await postbox.next(person.email)).subject
    token = await postbox.token(new)
    await person.post("/v1/auth/password/forgot", email=person.email)
    reset = await postbox.token(person.email)
    assert (await user(person)).email == person.email
    assert (await person.post(CONFIRM, token=token)).status_code == 200
    assert "was changed" in (await postbox.next(person.email)).subject
    status = (await person.get("/v1/auth/status")).json()
    assert status["user"]["email"] == new
    assert await user(person) is None
    refused = await person.post("/v1/auth/password/reset", token=reset, new_password="another one of my phrases")
    assert refused.status_code == 400
    person.email = new
    assert (await user(person)).email_verified_at is not None
    assert await person.log_in() == 200


async def test_a_taken_address_gives_the_same_answer_and_its_owner_is_told(registered: Any, postbox: Any) -> None:
    person, owner = await registered(), await registered()
    answer = await person.post(CHANGE, email=owner.email, password=PASSWORD)
    assert (answer.status_code, answer.json()["status"]) == (200, "email_change_issued")
    told = await postbox.next(owner.email)
    assert "has an account" in told.subject
    assert "token=" not in told.text


async def test_an_address_that_is_taken_meanwhile_is_not_given_twice(
    registered: Any, callers: Any, postbox: Any
) -> None:
    person, quicker = await registered(), callers()
    await person.post(CHANGE, email=quicker.email, password=PASSWORD)
    token = await postbox.token(quicker.email)
    await quicker.post("/v1/auth/register", email=quicker.email, password=PASSWORD)
    answer = await person.post(CONFIRM, token=token)
    assert (answer.status_code, answer.json()["error_code"]) == (409, "conflict")
    assert (await person.get("/v1/auth/status")).json()["user"]["email"] == person.email


async def test_a_link_is_good_for_what_it_was_made_for_only(registered: Any, postbox: Any) -> None:
    person = await registered()
    await person.post(REQUEST, email=person.email)
    verify = await postbox.token(person.email)
    await person.post("/v1/auth/password/forgot", email=person.email)
    reset = await postbox.token(person.email)
    assert (await person.post(CONFIRM, token=reset)).status_code == 400
    body = {"token": verify, "new_password": "another one of my phrases"}
    assert (await person.post("/v1/auth/password/reset", **body)).status_code == 400
    assert (await person.post(CONFIRM, token=verify)).status_code == 200


async def test_mail_to_one_address_is_slowed_down_for_known_and_unknown_alike(
    registered: Any, callers: Any, postbox: Any
) -> None:
    for target in (await registered(), callers()):
        statuses = [
            (await callers().post("/v1/auth/password/forgot", email=target.email)).status_code for _ in range(4)
        ]
        assert statuses == [200, 200, 200, 429]


async def test_the_present_address_is_no_new_one(registered: Any) -> None:
    person = await registered()
    assert (await person.post(CHANGE, email=person.email, password=PASSWORD)).status_code == 400
