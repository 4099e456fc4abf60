"""The device code flow, RFC 8628."""

import asyncio
import sqlite3
from contextlib import closing
from hashlib import sha256
from typing import Any

import pytest

from monkey_coder_protocol.cli_login import DEVICE_GRANT

pytestmark = pytest.mark.asyncio(loop_scope="module")
PASSWORD = "several plain words together"


async def begun(site: Any, **wish: str) -> dict[str, Any]:
    answer = await site.api.post("/v1/auth/device/authorize", json=wish)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def asked(site: Any, codes: dict[str, Any], at: str = "/v1/auth/device/token") -> Any:
    return await site.api.post(at, json={"grant_type": DEVICE_GRANT, "device_code": codes["device_code"]})


async def logged_in(site: Any, browser: Any, name: str) -> str:
    email: str = await site.person(name)
    assert (await browser.log_in(email)).status_code == 303
    return email


async def answered(browser: Any, user_code: str, answer: str) -> Any:
    page = await browser.open("/device")
    question = await browser.send(page, "/device", user_code=user_code)
    assert question.status_code == 200, question.text
    return await browser.send(question, "/device/answer", answer=answer)


async def test_a_program_gets_a_key_of_its_own_once_a_person_said_yes(site: Any, browser: Any) -> None:
    email = await logged_in(site, browser, "yes")
    codes = await begun(site, client_name="monkey 0.1.0", host="ada's laptop")
    assert (codes["expires_in"], codes["interval"]) == (600, 5)
    assert codes["verification_uri_complete"].endswith(f"/device?user_code={codes['user_code']}")
    assert (await asked(site, codes)).json()["error"] == "authorization_pending"
    done = await answered(browser, codes["user_code"], "approve")
    assert "Approved" in done.text
    site.clock.forward(seconds=5)
    answer = await asked(site, codes)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["access_token"] == body["api_key"]
    assert (body["token_type"], body["key_name"], body["user"]["email"]) == ("Bearer", "cli on ada's laptop", email)
    assert await site.key_names(body["api_key"]) == ["cli on ada's laptop"]
    assert site.actions(email)[-2:] == ["device.approve", "key.create"]


async def test_a_code_gives_one_key(site: Any, browser: Any) -> None:
    await logged_in(site, browser, "once")
    codes = await begun(site)
    await answered(browser, codes["user_code"], "approve")
    assert (await asked(site, codes)).status_code == 200
    site.clock.forward(seconds=5)
    again = await asked(site, codes)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


async def test_a_lost_answer_is_given_again_under_its_idempotency_key(site: Any, browser: Any) -> None:
    await logged_in(site, browser, "lost")
    codes = await begun(site)
    await answered(browser, codes["user_code"], "approve")
    body = {"grant_type": DEVICE_GRANT, "device_code": codes["device_code"]}
    first, second = [
        await site.api.post("/v1/auth/device/token", json=body, headers={"idempotency-key": "k"}) for _ in range(2)
    ]
    assert first.json() == second.json()


async def test_of_many_who_fetch_at_once_one_gets_a_key(site: Any, browser: Any) -> None:
    await logged_in(site, browser, "racing")
    codes = await begun(site)
    await answered(browser, codes["user_code"], "approve")
    answers = await asyncio.gather(*(asked(site, codes) for _ in range(8)))
    (key,) = [answer.json()["api_key"] for answer in answers if answer.status_code == 200]
    assert await site.key_names(key) == ["cli login"]
    assert {answer.json()["error"] for answer in answers if answer.status_code == 400} <= {"invalid_grant", "slow_down"}


async def test_of_two_answers_at_once_one_counts(site: Any, browser: Any) -> None:
    email = await logged_in(site, browser, "torn")
    codes = await begun(site)
    question = await browser.send(await browser.open("/device"), "/device", user_code=codes["user_code"])
    answers = [browser.send(question, "/device/answer", answer=answer) for answer in ("approve", "deny", "approve")]
    assert sorted(answer.status_code for answer in await asyncio.gather(*answers)) == [200, 404, 404]
    assert sum(action.startswith("device.") for action in site.actions(email)) == 1


async def test_who_logs_out_everywhere_takes_back_what_was_not_fetched(site: Any, browser: Any) -> None:
    email = await logged_in(site, browser, "regretting")
    codes = await begun(site)
    await answered(browser, codes["user_code"], "approve")
    await site.use.sessions.revoke_all(site.people[email])
    assert (await asked(site, codes)).json()["error"] == "invalid_grant"


async def test_a_no_is_told_and_gives_nothing(site: Any, browser: Any) -> None:
    email = await logged_in(site, browser, "no")
    codes = await begun(site)
    assert "Refused" in (await answered(browser, codes["user_code"], "deny")).text
    for _ in range(2):
        answer = await asked(site, codes)
        assert (answer.status_code, answer.json()["error"]) == (400, "access_denied")
        site.clock.forward(seconds=5)
    assert site.actions(email)[-1] == "device.deny"


async def test_who_asks_too_often_is_slowed_down_by_five_seconds_each_time(site: Any) -> None:
    codes = await begun(site)
    await asked(site, codes)
    site.clock.forward(seconds=2)
    fast = await asked(site, codes)
    assert (fast.json()["error"], fast.headers["retry-after"]) == ("slow_down", "10")
    site.clock.forward(seconds=6)
    assert (await asked(site, codes)).headers["retry-after"] == "15"
    site.clock.forward(seconds=15)
    assert (await asked(site, codes)).json()["error"] == "authorization_pending"


async def test_codes_expire(site: Any, browser: Any) -> None:
    await logged_in(site, browser, "late")
    codes = await begun(site)
    site.clock.forward(minutes=9)
    page = await browser.open("/device")
    site.clock.forward(minutes=1)
    assert (await browser.send(page, "/device", user_code=codes["user_code"])).status_code == 404
    assert (await asked(site, codes)).json()["error"] == "expired_token"


async def test_an_error_has_the_fields_of_the_standard_and_our_own(site: Any) -> None:
    body = (await asked(site, {"device_code": "invented"})).json()
    assert (body["error"], body["error_code"], body["status_code"]) == ("invalid_grant", "invalid_grant", 400)
    assert body["error_description"] == body["detail"] == body["message"]
    old = (await asked(site, {"device_code": "invented"}, "/api/v1/device/token")).json()
    assert (old["detail"], old["message"]) == ("invalid_grant", body["message"])


async def test_standard_clients_send_forms(site: Any) -> None:
    codes = (await site.api.post("/v1/device/authorize", data={"client_id": "some-tool", "scope": "read"})).json()
    form = {"grant_type": DEVICE_GRANT, "device_code": codes["device_code"], "client_id": "some-tool"}
    assert (await site.api.post("/v1/device/token", data=form)).json()["error"] == "authorization_pending"
    wrong = await site.api.post("/v1/device/token", data={**form, "grant_type": "password"})
    assert wrong.json()["error"] == "unsupported_grant_type"
    assert (await site.api.post("/v1/device/token", data={})).json()["error"] == "invalid_request"


async def test_the_page_shows_who_asks_from_where_and_when(site: Any, browser: Any) -> None:
    await logged_in(site, browser, "shown")
    codes = await begun(site, client_name="<b>monkey</b>", host='"><script>x</script>')
    page = await browser.open("/device")
    question = (await browser.send(page, "/device", user_code=codes["user_code"].lower().replace("-", " "))).text
    assert "&lt;b&gt;monkey&lt;/b&gt;" in question
    assert "<script>" not in question
    assert "127.0.0.1" in question
    assert f"{site.clock.now():%Y-%m-%d %H:%M}" in question
    assert codes["user_code"] in question
    assert codes["device_code"] not in question


async def test_a_code_in_the_address_is_filled_in_and_approves_nothing(site: Any, browser: Any) -> None:
    email = await site.person("prefilled")
    codes = await begun(site)
    address = codes["verification_uri_complete"]
    sent = await browser.open(address)
    login = await browser.open(sent.headers["location"])
    sent = await browser.send(login, "/login", email=email, password=PASSWORD)
    page = await browser.open(sent.headers["location"])
    assert browser.fields(page, "/device")["user_code"] == codes["user_code"]
    assert (await asked(site, codes)).json()["error"] == "authorization_pending"
    question = await browser.send(page, "/device")
    no_button = await browser.send(question, "/device/answer")
    assert no_button.status_code == 400
    site.clock.forward(seconds=5)
    assert (await asked(site, codes)).json()["error"] == "authorization_pending"


async def test_nobody_answers_without_a_log_in_or_with_one_of_long_ago(site: Any, browser: Any) -> None:
    await logged_in(site, browser, "stale")
    codes = await begun(site)
    question = await browser.send(await browser.open("/device"), "/device", user_code=codes["user_code"])
    site.clock.forward(minutes=9, seconds=50)
    site.clock.forward(seconds=11)
    answer = await browser.send(question, "/device/answer", answer="approve")
    assert answer.headers["location"].startswith("/login?next=%2Fdevice")
    assert (await asked(site, codes)).json()["error"] != "access_denied"
    login = await browser.open(answer.headers["location"])
    assert "Confirm that it is you" in login.text


async def test_guessing_codes_is_counted_for_the_person_who_guesses(site: Any, browser: Any) -> None:
    await logged_in(site, browser, "guesser")
    page = await browser.open("/device")
    statuses = [
        (await browser.send(page, "/device", user_code=f"BCDF-GHJ{last}")).status_code for last in "BCDFGHJKLMNP"
    ]
    assert statuses == [404] * 10 + [429] * 2
    codes = await begun(site)
    assert (await browser.send(page, "/device", user_code=codes["user_code"])).status_code == 429


async def test_a_code_is_good_for_one_answer(site: Any, browser: Any) -> None:
    await logged_in(site, browser, "first")
    codes = await begun(site)
    question = await browser.send(await browser.open("/device"), "/device", user_code=codes["user_code"])
    assert (await browser.send(question, "/device/answer", answer="deny")).status_code == 200
    assert (await browser.send(question, "/device/answer", answer="approve")).status_code == 404
    assert (await asked(site, codes)).json()["error"] == "access_denied"


async def test_people_answer_through_programs_too_and_never_see_the_device_code(site: Any) -> None:
    email = await site.person("program")
    token = (await site.api.post("/v1/auth/login", json={"email": email, "password": PASSWORD})).json()["access_token"]
    headers = {"authorization": f"Bearer {token}"}
    codes = await begun(site, client_name="tool", host="box")
    shown = await site.api.get(f"/v1/device/verify?user_code={codes['user_code']}", headers=headers)
    assert (shown.json()["client_name"], shown.json()["host"]) == ("tool", "box")
    assert codes["device_code"] not in shown.text
    wish = {"user_code": codes["user_code"]}
    said = await site.api.post("/v1/auth/device/approve", json=wish, headers=headers)
    assert said.json()["message"] == "tool on box is logged in."
    key = (await asked(site, codes)).json()["api_key"]
    refused = await site.api.post("/v1/auth/device/approve", json=wish, headers={"authorization": f"Bearer {key}"})
    assert refused.status_code == 403
    other = await begun(site)
    denied = await site.api.post("/v1/auth/device/deny", json={"user_code": other["user_code"]}, headers=headers)
    assert denied.status_code == 200
    assert (await asked(site, other)).json()["error"] == "access_denied"


async def test_codes_are_stored_as_hashes_that_cannot_be_tried_out(site: Any) -> None:
    codes = await begun(site)
    device_code, user_code = codes["device_code"], codes["user_code"]
    with closing(sqlite3.connect(next(site.folder.glob("*.db")))) as database:
        kept = {row[0] for row in database.execute("SELECT digest FROM tickets")}
        everything = str(database.execute("SELECT * FROM tickets").fetchall())
    assert sha256(device_code.encode()).digest() in kept
    assert sha256(user_code.encode()).digest() not in kept
    assert device_code not in everything
    assert user_code not in everything
