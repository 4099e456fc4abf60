"""Passkeys in a browser: made on a page, then a second step, then a log-in of their own."""

import html
import json
import re
from typing import Any

import pytest

from packages.server.tests.authenticator import Authenticator

pytestmark = pytest.mark.asyncio(loop_scope="module")
COOKIE = "__Host-mk_session"


def asked(page: Any) -> Any:
    """What the page's script asks the browser for."""
    (options,) = re.findall(r'data-passkey="([^"]+)"', page.text)
    return json.loads(html.unescape(options))


async def with_passkey(site: Any, browser: Any, name: str) -> tuple[str, Authenticator, list[str]]:
    """A person, their passkey, and their recovery codes."""
    email: str = await site.person(name)
    await browser.log_in(email)
    device = Authenticator()
    page = await browser.send(await browser.open("/passkeys"), "/passkeys", name="laptop")
    made = await browser.send(page, "/passkeys/answer", credential=json.dumps(device.register(asked(page))))
    assert made.status_code == 200, made.text
    return email, device, re.findall(r"<code>([^<]+)</code><br>", made.text)


async def test_a_passkey_is_made_on_a_page_and_recovery_codes_shown_once(site: Any, browser: Any) -> None:
    email, _, codes = await with_passkey(site, browser, "maker")
    assert len(codes) == 10
    listed = await browser.open("/passkeys")
    assert "laptop" in listed.text
    assert codes[0] not in listed.text
    assert "factor.passkey.add" in site.actions(email)


async def test_a_further_one_takes_a_code_with_the_very_wish(site: Any, browser: Any) -> None:
    _, device, codes = await with_passkey(site, browser, "further")
    page = await browser.open("/passkeys")
    for code in ("", "000000"):
        refused = await browser.send(page, "/passkeys", name="phone", code=code)
        assert (refused.status_code, "data-passkey" in refused.text) == (401, False)
    making = await browser.send(page, "/passkeys", name="phone", code=codes[0])
    other = Authenticator()
    made = await browser.send(making, "/passkeys/answer", credential=json.dumps(other.register(asked(making))))
    assert "phone" in made.text
    assert "<code>" not in made.text
    assert device.credentials[0].credential_id != other.credentials[0].credential_id


async def test_it_is_a_second_step_after_the_password(site: Any, browser: Any) -> None:
    email, device, _ = await with_passkey(site, browser, "stepping")
    fresh = site.browser()
    page = await fresh.log_in(email, next="/device?user_code=BCDFGHJK")
    answer = json.dumps(device.answer(asked(page)))
    inside = await fresh.send(page, "/login/second", credential=answer)
    assert (inside.status_code, inside.headers["location"]) == (303, "/device?user_code=BCDFGHJK")
    again = await site.browser().log_in(email)
    replayed = await site.browser().send(again, "/login/second", credential=answer)
    assert COOKIE not in replayed.headers.get("set-cookie", "")


async def test_it_logs_in_alone_where_it_verified_its_person(site: Any, browser: Any) -> None:
    email, device, _ = await with_passkey(site, browser, "alone")
    fresh = site.browser()
    page = await fresh.send(await fresh.open("/login?next=/passkeys"), "/login/passkey")
    answer = device.answer(asked(page))
    inside = await fresh.send(page, "/login/passkey/answer", credential=json.dumps(answer))
    assert (inside.status_code, inside.headers["location"]) == (303, "/passkeys")
    assert email in (await fresh.open("/passkeys")).text
    assert site.actions(email)[-1] == "session.open"
    stolen = site.browser()
    page = await stolen.send(await stolen.open("/login"), "/login/passkey")
    replayed = await stolen.send(page, "/login/passkey/answer", credential=json.dumps(answer))
    assert (replayed.status_code, COOKIE in str(replayed.headers)) == (401, False)
    unverified = device.answer(asked(page), flags=0x01)
    refused = await stolen.send(page, "/login/passkey/answer", credential=json.dumps(unverified))
    assert refused.status_code == 401


async def test_an_answer_for_one_page_is_none_for_another(site: Any, browser: Any) -> None:
    email, device, codes = await with_passkey(site, browser, "confused")
    fresh = site.browser()
    alone = await fresh.send(await fresh.open("/login"), "/login/passkey")
    second = await fresh.log_in(email)
    answer = json.dumps(device.answer(asked(alone)))
    assert (await fresh.send(second, "/login/second", credential=answer)).status_code == 401
    answer = json.dumps(device.answer(asked(second)))
    assert (await fresh.send(alone, "/login/passkey/answer", credential=answer)).status_code == 401
    making = await browser.send(await browser.open("/passkeys"), "/passkeys", name="x", code=codes[0])
    stranger = site.browser()
    await stranger.log_in(await site.person("stranger-of-passkeys"))
    theirs = await stranger.send(await stranger.open("/passkeys"), "/passkeys", name="y")
    made = json.dumps(Authenticator().register(asked(making)))
    assert (await stranger.send(theirs, "/passkeys/answer", credential=made)).status_code == 401


@pytest.mark.parametrize("credential", ["", "null", "[]", "{}", "{", '{"id": 1}', '{"response": []}'])
async def test_what_is_no_credential_is_refused(site: Any, browser: Any, credential: str) -> None:
    page = await browser.send(await browser.open("/login"), "/login/passkey")
    answer = await browser.send(page, "/login/passkey/answer", credential=credential)
    assert answer.status_code in {400, 401}
    assert COOKIE not in str(answer.headers)


async def test_forms_from_elsewhere_and_without_a_log_in_get_nothing(site: Any, browser: Any) -> None:
    page = await browser.open("/login")
    forged = await browser.send(page, "/login/passkey", form_token="x")
    assert forged.status_code == 403
    fields = {**browser.fields(page, "/login"), "name": "x"}
    headers = {"sec-fetch-site": "same-origin"}
    for path in ("/passkeys", "/passkeys/answer"):
        answer = await browser.client.post(path, data={**fields, "credential": "{}"}, headers=headers)
        assert answer.headers["location"] == "/login?next=%2Fpasskeys"
    assert (await browser.open("/passkeys")).status_code == 303


async def test_only_these_pages_run_a_script_and_only_that_one(site: Any, browser: Any) -> None:
    page = await browser.open("/login")
    assert "script-src" not in page.headers["content-security-policy"]
    asking = await browser.send(page, "/login/passkey")
    assert re.search(r"script-src 'sha256-[A-Za-z0-9+/]{43}='", asking.headers["content-security-policy"])
    assert asking.text.count("<script>") == 1


async def test_where_all_must_have_a_second_factor_a_password_leads_to_making_one_and_no_further(
    site: Any,
) -> None:
    email, browser = await site.person("demanded"), site.demanding_browser()
    inside = await browser.log_in(email, next="/device")
    assert inside.headers["location"] == "/passkeys"
    stopped = await browser.open("/device")
    assert (stopped.status_code, "second factor" in stopped.text) == (403, True)
    listed = await browser.open("/passkeys")
    assert "asks everybody for a second factor" in listed.text
    page = await browser.send(listed, "/passkeys", name="laptop")
    await browser.send(page, "/passkeys/answer", credential=json.dumps(Authenticator().register(asked(page))))
    assert (await browser.open("/device")).status_code == 200
    assert "asks everybody" not in (await browser.open("/passkeys")).text
