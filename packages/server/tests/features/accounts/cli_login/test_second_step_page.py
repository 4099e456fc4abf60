"""Who has a second factor gives it on a page of its own before a browser is theirs."""

from typing import Any

import pytest

from packages.server.tests.features.accounts.persons import Person

pytestmark = pytest.mark.asyncio(loop_scope="module")
COOKIE = "__Host-mk_session"


async def enrolled(site: Any, name: str) -> Person:
    email = await site.person(name)
    body = {"email": email, "password": "several plain words together"}
    access = (await site.api.post("/v1/auth/login", json=body)).json()["access_token"]
    person = Person(site, email, access, client=site.api)
    await person.enrol()
    return person


async def test_the_password_alone_opens_nothing(site: Any, browser: Any) -> None:
    person = await enrolled(site, "steps")
    page = await browser.log_in(person.email, next="/device?user_code=BCDFGHJK")
    assert (page.status_code, "set-cookie" in page.headers) == (200, False)
    assert (await browser.open("/device")).status_code == 303
    wrong = await browser.send(page, "/login/second", code="000000")
    assert (wrong.status_code, "is not right" in wrong.text) == (401, True)
    assert COOKIE not in wrong.headers.get("set-cookie", "")
    right = await browser.send(wrong, "/login/second", code=person.code())
    assert (right.status_code, right.headers["location"]) == (303, "/device?user_code=BCDFGHJK")
    assert (await browser.open("/device")).status_code == 200
    again = await browser.send(wrong, "/login/second", code=person.recovery_codes[0])
    assert again.status_code in {401, 403}


async def test_the_second_page_leads_nowhere_else_and_takes_no_forms_of_others(site: Any, browser: Any) -> None:
    person = await enrolled(site, "elsewhere")
    page = await browser.log_in(person.email)
    forged = await browser.send(page, "/login/second", code=person.code(), form_token="x")
    assert forged.status_code == 403
    led = await browser.send(page, "/login/second", code=person.code(), next="https://evil.example/")
    assert (led.status_code, led.headers["location"]) == (303, "/device")


async def test_a_recovery_code_is_taken_and_an_invented_log_in_is_not(site: Any, browser: Any) -> None:
    person = await enrolled(site, "recovers")
    page = await browser.log_in(person.email)
    invented = await browser.send(page, "/login/second", code=person.code(), mfa_token="invented")
    assert invented.status_code == 401
    assert (await browser.send(page, "/login/second", code=person.recovery_codes[0])).status_code == 303
