"""Log-in through the browser of the same computer: RFC 8252 with PKCE."""

import asyncio
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from monkey_coder_server.domain.native_apps import challenge_of

pytestmark = pytest.mark.asyncio(loop_scope="module")
VERIFIER = "v" * 43
REDIRECT = "http://127.0.0.1:51234/callback"
WISH = {
    "response_type": "code",
    "client_id": "monkey-cli",
    "redirect_uri": REDIRECT,
    "code_challenge": challenge_of(VERIFIER),
    "code_challenge_method": "S256",
    "state": "s" * 20,
    "host": "ada's laptop",
}


def address(**changes: str) -> str:
    return f"/authorize?{urlencode({**WISH, **changes})}"


async def consent(site: Any, browser: Any, name: str, **changes: str) -> Any:
    """The page that asks, for a person who has just logged in."""
    await browser.log_in(await site.person(name))
    page = await browser.open(address(**changes))
    assert page.status_code == 200, page.text
    return page


def brought(answer: Any, to: str = REDIRECT) -> dict[str, str]:
    """What the browser carries to the program."""
    assert answer.status_code == 303, answer.text
    where = urlsplit(answer.headers["location"])
    assert f"{where.scheme}://{where.netloc}{where.path}" == to
    return dict(parse_qsl(where.query))


async def exchange(site: Any, code: str, **changes: str) -> Any:
    body = {
        "grant_type": "authorization_code",
        "code": code,
        "code_verifier": VERIFIER,
        "redirect_uri": REDIRECT,
        "client_id": "monkey-cli",
        **changes,
    }
    return await site.api.post("/v1/auth/authorize/token", json=body)


async def test_a_click_gives_a_code_and_the_code_a_key_named_after_the_host(site: Any, browser: Any) -> None:
    page = await consent(site, browser, "click")
    assert "ada&#39;s laptop" in page.text
    answer = brought(await browser.send(page, "/authorize", answer="approve"))
    assert answer["state"] == WISH["state"]
    got = await exchange(site, answer["code"])
    assert got.status_code == 200, got.text
    assert got.json()["key_name"] == "cli on ada's laptop"
    assert await site.key_names(got.json()["api_key"]) == ["cli on ada's laptop"]
    assert site.actions("click@example.com")[-2:] == ["authorize.approve", "key.create"]
    assert site.audit.entries[-1].address == "127.0.0.1"
    assert site.audit.entries[-1].agent.startswith("python-httpx2/")


async def test_who_is_not_logged_in_logs_in_first_and_comes_back_to_the_question(site: Any, browser: Any) -> None:
    email = await site.person("unknown-yet")
    login = await browser.open((await browser.open(address())).headers["location"])
    sent = await browser.send(login, "/login", email=email, password="several plain words together")
    page = await browser.open(sent.headers["location"])
    assert "Log in the command line?" in page.text
    assert dict(parse_qsl(urlsplit(sent.headers["location"]).query)) == WISH


async def test_no_is_brought_back_without_a_code(site: Any, browser: Any) -> None:
    page = await consent(site, browser, "refusing")
    answer = brought(await browser.send(page, "/authorize", answer="deny"))
    assert answer == {"error": "access_denied", "state": WISH["state"]}
    assert site.actions("refusing@example.com")[-1] == "authorize.deny"


async def test_without_a_click_nothing_is_given(site: Any, browser: Any) -> None:
    page = await consent(site, browser, "clickless")
    assert (await browser.send(page, "/authorize")).status_code == 400


async def test_a_code_is_good_once(site: Any, browser: Any) -> None:
    page = await consent(site, browser, "replayed")
    code = brought(await browser.send(page, "/authorize", answer="approve"))["code"]
    first, second = await exchange(site, code), await exchange(site, code)
    assert (first.status_code, second.status_code) == (200, 400)
    assert second.json()["error"] == second.json()["error_code"] == "invalid_grant"


async def test_of_many_who_bring_a_code_at_once_one_gets_a_key(site: Any, browser: Any) -> None:
    page = await consent(site, browser, "raced")
    code = brought(await browser.send(page, "/authorize", answer="approve"))["code"]
    answers = await asyncio.gather(*(exchange(site, code) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200, *[400] * 7]


async def test_who_logs_out_takes_back_a_code_that_was_not_exchanged(site: Any, browser: Any) -> None:
    page = await consent(site, browser, "leaves")
    code = brought(await browser.send(page, "/authorize", answer="approve"))["code"]
    await browser.send(page, "/logout")
    assert (await exchange(site, code)).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "w" * 43},
        {"code_verifier": ""},
        {"code_verifier": challenge_of(VERIFIER)},
        {"redirect_uri": "http://127.0.0.1:51235/callback"},
        {"redirect_uri": ""},
    ],
    ids=["another verifier", "no verifier", "the challenge itself", "another port", "no redirect"],
)
async def test_a_code_in_wrong_hands_is_used_up_and_gives_nothing(
    site: Any, browser: Any, changes: dict[str, str]
) -> None:
    page = await consent(site, browser, f"wrong{abs(hash(str(changes)))}")
    code = brought(await browser.send(page, "/authorize", answer="approve"))["code"]
    assert (await exchange(site, code, **changes)).json()["error"] == "invalid_grant"
    assert (await exchange(site, code)).json()["error"] == "invalid_grant"


async def test_a_code_lasts_a_minute(site: Any, browser: Any) -> None:
    page = await consent(site, browser, "slow")
    code = brought(await browser.send(page, "/authorize", answer="approve"))["code"]
    site.clock.forward(seconds=60)
    assert (await exchange(site, code)).json()["error"] == "invalid_grant"


async def test_a_device_code_is_no_authorization_code(site: Any) -> None:
    codes = (await site.api.post("/v1/auth/device/authorize", json={})).json()
    for code in (codes["device_code"], codes["user_code"]):
        assert (await exchange(site, code)).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": "http://127.0.0.1:51234/callback@evil.example"},
        {"redirect_uri": "http://localhost:51234/callback"},
        {"client_id": "other"},
        {"response_type": "token"},
        {"code_challenge_method": "plain"},
        {"code_challenge": VERIFIER + "="},
        {"code_challenge": ""},
        {"state": ""},
        {"state": "short"},
        {"state": "x" * 20 + "\r\nset-cookie: a=b"},
    ],
    ids=str,
)
async def test_a_wrong_request_is_told_here_and_the_browser_sent_nowhere(
    site: Any, browser: Any, changes: dict[str, str]
) -> None:
    answer = await browser.open(address(**changes))
    assert answer.status_code == 400
    assert "location" not in answer.headers
    page = await consent(site, browser, f"bad{abs(hash(str(changes)))}")
    sent = await browser.send(page, "/authorize", answer="approve", **changes)
    assert (sent.status_code, "location" in sent.headers) == (400, False)


@pytest.mark.parametrize(
    ("redirect", "target"), [(REDIRECT, "http://127.0.0.1:51234"), ("http://[::1]:51234/callback", "http:")]
)
async def test_the_form_may_lead_back_to_the_program_alone(site: Any, browser: Any, redirect: str, target: str) -> None:
    page = await consent(site, browser, f"csp{len(redirect)}", redirect_uri=redirect)
    assert f"form-action 'self' {target};" in page.headers["content-security-policy"]
    code = brought(await browser.send(page, "/authorize", answer="approve"), redirect)["code"]
    assert (await exchange(site, code, redirect_uri=redirect)).status_code == 200


async def test_another_site_cannot_say_yes_for_a_person(site: Any, browser: Any) -> None:
    page = await consent(site, browser, "forged")
    fields = {**browser.fields(page, "/authorize"), "answer": "approve"}
    forged = await browser.client.post("/authorize", data=fields, headers={"sec-fetch-site": "cross-site"})
    assert forged.status_code == 403
    del fields["form_token"]
    forged = await browser.client.post("/authorize", data=fields, headers={"sec-fetch-site": "same-origin"})
    assert forged.status_code == 403


async def test_logging_out_with_the_key_of_a_log_in_revokes_it(site: Any, browser: Any) -> None:
    page = await consent(site, browser, "parting")
    code = brought(await browser.send(page, "/authorize", answer="approve"))["code"]
    key = (await exchange(site, code)).json()["api_key"]
    said = await site.api.post("/v1/auth/logout", headers={"x-api-key": key})
    assert "revoked" in said.json()["message"]
    assert (await site.api.get("/v1/keys", headers={"x-api-key": key})).status_code == 401
