"""The pages that links in mails lead to."""

from typing import Any

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")
OTHER = "another one of my phrases"


async def asked(person: Any, postbox: Any, path: str) -> str:
    await person.post(path, email=person.email)
    token: str = await postbox.token(person.email)
    return token


async def test_opening_the_link_confirms_nothing_the_button_does(registered: Any, postbox: Any, user: Any) -> None:
    person = await registered()
    token = await asked(person, postbox, "/v1/auth/email/verify/request")
    for _ in range(3):
        page = await person.get(f"/verify-email?token={token}")
        assert page.status_code == 200
        assert f'name="token" value="{token}"' in page.text
    assert (await user(person)).email_verified_at is None
    done = await person.form("/verify-email", token=token)
    assert (done.status_code, "Your address is confirmed" in done.text) == (200, True)
    assert (await user(person)).email_verified_at is not None
    again = await person.form("/verify-email", token=token)
    assert (again.status_code, "used already" in again.text) == (400, True)


async def test_a_password_is_set_on_the_page(registered: Any, postbox: Any) -> None:
    person = await registered()
    token = await asked(person, postbox, "/v1/auth/password/forgot")
    page = await person.get(f"/reset-password?token={token}")
    assert (page.status_code, token in page.text) == (200, True)
    unlike = await person.form("/reset-password", token=token, password=OTHER, again="something else entirely")
    assert (unlike.status_code, "not the same" in unlike.text) == (400, True)
    weak = await person.form("/reset-password", token=token, password="password12345", again="password12345")
    assert (weak.status_code, "too easy to guess" in weak.text) == (400, True)
    done = await person.form("/reset-password", token=token, password=OTHER, again=OTHER)
    assert (done.status_code, "Your password is set" in done.text) == (200, True)
    assert 'href="/login"' in done.text
    assert OTHER not in unlike.text + weak.text + done.text
    gone = await person.get(f"/reset-password?token={token}")
    assert (gone.status_code, "/forgot-password" in gone.text) == (400, True)
    assert await person.log_in(OTHER) == 200


async def test_who_forgot_asks_on_a_page_that_tells_nobody_who_has_an_account(
    registered: Any, callers: Any, postbox: Any
) -> None:
    known, unknown = await registered(), callers()
    assert (await unknown.get("/forgot-password")).status_code == 200
    pages = [await unknown.form("/forgot-password", email=each.email) for each in (unknown, known)]
    assert pages[0].text == pages[1].text
    assert "reset-password" in (await postbox.next(known.email)).text
    assert not postbox.holds_for(unknown.email)
    refused = await unknown.form("/forgot-password", email='"><script>alert(1)</script>')
    assert (refused.status_code, "<script>" in refused.text) == (400, False)


@pytest.mark.parametrize("path", ["/verify-email?token=x", "/reset-password?token=x", "/forgot-password"])
async def test_pages_load_nothing_and_keep_their_address_to_themselves(stranger: Any, path: str) -> None:
    headers = (await stranger.get(path)).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
