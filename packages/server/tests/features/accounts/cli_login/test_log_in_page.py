"""The log-in page: cookies, forms from elsewhere, fixed sessions, and where it leads."""

import re
from typing import Any

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")
COOKIE = "__Host-mk_session"


def cookie_of(answer: Any, name: str = COOKIE) -> str:
    (found,) = [text for text in answer.headers.get_list("set-cookie") if text.startswith(f"{name}=")]
    return str(found)


async def test_the_cookie_is_kept_from_scripts_plain_http_other_hosts_and_other_sites(site: Any, browser: Any) -> None:
    email = await site.person("cookie")
    answer = await browser.log_in(email)
    assert (answer.status_code, answer.headers["location"]) == (303, "/device")
    value, *attributes = cookie_of(answer).split("; ")
    assert attributes == ["Path=/", "HttpOnly", "SameSite=Lax", "Secure", "Max-Age=43200"]
    assert len(value.partition(".")[2]) >= 43
    assert site.actions(email)[-1] == "session.open"


async def test_the_cookie_is_stored_as_a_hash_alone(site: Any, browser: Any) -> None:
    value = cookie_of(await browser.log_in(await site.person("hashed"))).partition("=")[2].partition(";")[0]
    session = await site.use.sessions.find(value.partition(".")[0])
    assert value.partition(".")[2] not in str(session)


async def test_no_route_of_the_api_takes_the_cookie(site: Any, browser: Any) -> None:
    await browser.log_in(await site.person("api"))
    for method, path in (("GET", "/v1/keys"), ("POST", "/v1/keys"), ("POST", "/v1/auth/device/approve")):
        answer = await browser.client.request(method, path, json={"name": "x", "user_code": "BCDF-GHJK"})
        assert answer.status_code == 401, path
    assert (await browser.open("/v1/auth/status")).json()["authenticated"] is False


async def test_a_cookie_is_neither_a_refresh_token_nor_an_access_token(site: Any, browser: Any) -> None:
    value = cookie_of(await browser.log_in(await site.person("swap"))).partition("=")[2].partition(";")[0]
    refused = await site.api.post("/v1/auth/refresh", json={"refresh_token": value})
    assert refused.status_code == 401
    assert (await site.api.get("/v1/keys", headers={"authorization": f"Bearer {value}"})).status_code == 401


async def test_a_session_fixed_before_log_in_is_worth_nothing_after_it(site: Any, browser: Any) -> None:
    attacker = site.browser()
    await attacker.log_in(await site.person("attacker"))
    planted = attacker.client.cookies[COOKIE]
    browser.client.cookies.set(COOKIE, planted, domain="gateway.example", path="/")
    site.clock.forward(minutes=11)
    answer = await browser.log_in(await site.person("victim"))
    assert cookie_of(answer).partition("=")[2].partition(";")[0] != planted
    assert (await attacker.open("/device")).headers["location"].startswith("/login")


async def test_every_log_in_makes_a_new_cookie_and_ends_the_old_session(site: Any, browser: Any) -> None:
    email = await site.person("twice")
    first = cookie_of(await browser.log_in(email)).partition(";")[0]
    site.clock.forward(minutes=11)
    second = cookie_of(await browser.log_in(email)).partition(";")[0]
    assert first != second
    other = site.browser()
    assert (await other.open("/device", cookie=first)).status_code == 303
    assert (await other.open("/device", cookie=second)).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"origin": "https://evil.example"},
        {"origin": "https://gateway.example.evil.example"},
        {"origin": "https://gateway.example:8443"},
    ],
    ids=str,
)
async def test_a_form_sent_from_another_site_is_refused(site: Any, browser: Any, headers: dict[str, str]) -> None:
    page = await browser.open("/login")
    fields = {**browser.fields(page, "/login"), "email": "a@example.com", "password": "x" * 12}
    answer = await browser.client.post("/login", data=fields, headers=headers)
    assert answer.status_code == 403
    assert "not sent from a page of this gateway" in answer.text


@pytest.mark.parametrize("token", ["", "0" * 64, "é"])
async def test_a_form_without_its_token_is_refused(site: Any, browser: Any, token: str) -> None:
    page = await browser.open("/login")
    answer = await browser.send(page, "/login", email="a@example.com", password="x" * 12, form_token=token)
    assert answer.status_code == 403
    assert COOKIE not in answer.headers.get("set-cookie", "")


async def test_a_token_is_good_in_its_own_browser_alone(site: Any, browser: Any) -> None:
    email = await site.person("strange")
    stranger = await site.browser().open("/login")
    await browser.open("/login")
    answer = await browser.send(stranger, "/login", email=email, password="several plain words together")
    assert answer.status_code == 403


async def test_a_token_from_before_the_log_in_is_not_good_after_it(site: Any, browser: Any) -> None:
    email = await site.person("before")
    page = await browser.open("/login")
    await browser.send(page, "/login", email=email, password="several plain words together")
    assert (await browser.send(page, "/login", email=email, password="whatever it may be")).status_code == 403


@pytest.mark.parametrize(
    ("wanted", "leads"),
    [
        ("/device?user_code=BCDF-GHJK", "/device?user_code=BCDF-GHJK"),
        ("/authorize?response_type=code", "/authorize?response_type=code"),
        ("https://evil.example/device", "/device"),
        ("//evil.example/device", "/device"),
        ("/\\evil.example", "/device"),
        ("/device/../evil", "/device"),
        ("/devices", "/device"),
        ("/device\r\nset-cookie: a=b", "/device"),
        ("/device?a=b\nc", "/device"),
        ("javascript:alert(1)", "/device"),
        ("/v1/keys", "/device"),
        ("", "/device"),
    ],
)
async def test_a_log_in_leads_to_pages_of_our_own_alone(site: Any, browser: Any, wanted: str, leads: str) -> None:
    email = await site.person(f"next{abs(hash(wanted))}")
    answer = await browser.log_in(email, next=wanted)
    assert answer.headers["location"] == leads
    assert "evil" not in str(answer.headers)


async def test_the_host_header_decides_nothing(site: Any, browser: Any) -> None:
    answer = await browser.open("/device", host="evil.example")
    assert answer.headers["location"].startswith("/login?")
    begun = await site.api.post("/v1/auth/device/authorize", json={}, headers={"host": "evil.example"})
    assert begun.json()["verification_uri"] == "https://gateway.example/device"
    page = await browser.open("/login", host="evil.example")
    assert "evil" not in page.text + str(page.headers)


async def test_a_wrong_password_and_an_unknown_address_look_alike(site: Any, browser: Any) -> None:
    known = await site.person("known")
    answers = [await browser.log_in(email, "not the right one") for email in (known, "other@example.com")]
    assert {answer.status_code for answer in answers} == {401}
    bodies = [re.sub(r"[a-z]+@example.com", "", answer.text) for answer in answers]
    assert bodies[0] == bodies[1]
    assert all(COOKIE not in answer.headers.get("set-cookie", "") for answer in answers)


async def test_tries_at_the_page_count_with_those_at_the_api(site: Any, browser: Any) -> None:
    email = await site.person("guessed")
    for _ in range(5):
        await site.api.post("/v1/auth/login", json={"email": email, "password": "not the right one"})
        await browser.log_in(email, "not the right one")
    answer = await browser.log_in(email)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0


async def test_logging_out_ends_the_session_and_takes_the_cookie_away(site: Any, browser: Any) -> None:
    email = await site.person("leaving")
    await browser.log_in(email)
    stolen = f"{COOKIE}={browser.client.cookies[COOKIE]}"
    page = await browser.open("/device")
    answer = await browser.send(page, "/logout")
    assert answer.headers["location"].startswith("/login?next=")
    assert "Max-Age=0" in cookie_of(answer)
    assert (await site.browser().open("/device", cookie=stolen)).status_code == 303
    assert site.actions(email)[-1] == "session.end"


async def test_a_session_ended_elsewhere_opens_no_page(site: Any, browser: Any) -> None:
    email = await site.person("ended")
    await browser.log_in(email)
    await site.use.sessions.revoke_all(site.people[email])
    assert (await browser.open("/device")).status_code == 303


@pytest.mark.parametrize("cookie", ["", "ses_1", "ses_1.x", ".", "\u00e9.x"])
async def test_an_invented_cookie_is_nobody(site: Any, browser: Any, cookie: str) -> None:
    headers = [("cookie", f"other=1; {COOKIE}={cookie}".encode("latin-1"))]
    assert (await browser.client.get("/device", headers=headers)).status_code == 303


async def test_pages_cannot_be_framed_cached_or_made_to_run_anything(site: Any, browser: Any) -> None:
    for path in ("/login", "/device", "/authorize", "/nothing"):
        answer = await browser.open(path)
        (policy,) = answer.headers.get_list("content-security-policy")
        assert "default-src 'none'" in policy, path
        assert "frame-ancestors 'none'" in policy, path
        assert answer.headers.get_list("cache-control") == ["no-store"]
        assert answer.headers.get_list("referrer-policy") == ["no-referrer"]
        assert answer.headers.get_list("strict-transport-security") == ["max-age=31536000"]
        assert "access-control-allow-origin" not in answer.headers
