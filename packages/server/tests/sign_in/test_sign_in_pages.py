"""Signing in elsewhere from the log-in page, and the page where identities are linked and taken away."""

import html
import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from monkey_coder_server.features.accounts.letters import Letters
from packages.server.tests.conftest import House
from packages.server.tests.features.accounts.cli_login.browsing import PASSWORD, Browser
from packages.server.tests.features.accounts.persons import Person
from packages.server.tests.sign_in.conftest import Trusting
from packages.server.tests.sign_in.simulator import Simulator

pytestmark = pytest.mark.system
AWAY = re.compile(r'http-equiv="refresh" content="0;url=([^"]+)"')
WITH, BACK = "/login/with/generic", "/v1/auth/oauth/generic/callback"
COOKIE = "mk_session"


@dataclass(slots=True)
class Scene:
    """A gateway, the provider it trusts, and people's browsers."""

    house: House
    provider: Simulator
    transport: httpx2.ASGITransport

    def browser(self) -> Browser:
        return Browser(httpx2.AsyncClient(transport=self.transport, base_url="http://gateway"))

    async def person(self, email: str) -> Person:
        answer = await self.house.client.post("/v1/auth/register", json={"email": email, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return Person(self.house, email, answer.json()["access_token"])

    async def leave(self, browser: Browser, following: str = "/device") -> str:
        """Press the button of the log-in page, say yes at the provider; where one is sent back to."""
        page = await browser.open(f"/login?next={following}")
        return self.consented(await browser.send(page, WITH))

    def consented(self, away: Any) -> str:
        """Where a browser on its way to the provider is sent back to."""
        found = AWAY.search(away.text)
        assert found is not None, away.text
        back = self.provider.consent(html.unescape(found[1]))
        return str(httpx2.URL(BACK, params=back))

    async def arrive(self, browser: Browser, back: str) -> Any:
        """Come back; the callback leads to a page, which answers."""
        led = await browser.open(back)
        assert led.status_code == 303, led.text
        return await browser.open(led.headers["location"])

    async def sign_in(self, browser: Browser, following: str = "/device") -> Any:
        return await self.arrive(browser, await self.leave(browser, following))

    def told(self, action: str) -> list[tuple[str, str]]:
        """What the audit trail has of an action: outcome and details."""
        path = self.house.gateway.books.settings.database_url.reveal().removeprefix("sqlite:///")
        with closing(sqlite3.connect(path)) as connection:
            sql = "SELECT outcome, details FROM audit WHERE action = ? ORDER BY audit_id"
            return connection.execute(sql, (action,)).fetchall()


@pytest.fixture
def scene(trusting: Trusting) -> Scene:
    return Scene(trusting.house, trusting.provider, trusting.transport)


@pytest.fixture
def browser(scene: Scene) -> Browser:
    return scene.browser()


async def test_the_page_has_a_button_for_each_provider_that_is_set_up(scene: Scene, browser: Browser) -> None:
    page = (await browser.open("/login")).text
    assert "Sign in with 127.0.0.1" in page
    assert "Sign in with GitHub" in page
    assert "Google" not in page
    assert "<script" not in page


async def test_a_newcomer_is_logged_in_and_led_to_where_they_were_going(scene: Scene, browser: Browser) -> None:
    wanted = "/device?user_code=BCDFGHJK"
    answer = await scene.sign_in(browser, wanted.replace("?", "%3F").replace("=", "%3D"))
    assert (answer.status_code, answer.headers["location"]) == (303, wanted)
    assert "ada@example.org" in (await browser.open(wanted)).text
    assert scene.told("session.open") == [("done", "browser")]


async def test_the_way_there_is_a_page_that_no_policy_on_forms_stops(scene: Scene, browser: Browser) -> None:
    away = await browser.send(await browser.open("/login"), WITH)
    assert "form-action 'self';" in away.headers["content-security-policy"]
    assert away.headers["referrer-policy"] == "no-referrer"
    assert f'href="{html.escape(scene.provider.issuer)}/authorize?' in away.text


async def test_nobody_is_logged_in_by_what_another_browser_left_with(scene: Scene, browser: Browser) -> None:
    back = await scene.leave(scene.browser())
    for visited in (False, True):
        if visited:
            await browser.open("/login")
        refused = await scene.arrive(browser, back)
        assert refused.status_code == 401
        assert COOKIE not in refused.headers.get("set-cookie", "")
    assert scene.told("session.open")[0] == ("refused", "invalid_credentials")


async def test_a_state_is_good_once_and_for_its_own_purpose(scene: Scene, browser: Browser) -> None:
    program = (await browser.open("/v1/auth/oauth/generic/initiate")).json()
    back = scene.provider.consent(program["authorization_url"])
    await browser.open("/login")
    assert (await browser.open(str(httpx2.URL(WITH, params=back)))).status_code == 401
    mine = await scene.leave(browser)
    assert (await browser.open(mine.replace("generic", "github"))).status_code == 303
    assert (await browser.open(mine.replace(BACK, "/login/with/github"))).status_code == 401
    assert (await scene.arrive(browser, mine)).status_code == 303
    assert (await browser.open(mine.replace(BACK, WITH))).status_code == 401


async def test_a_button_pressed_on_another_site_does_nothing(scene: Scene, browser: Browser) -> None:
    fields = browser.fields(await browser.open("/login"), WITH)
    headers = {"sec-fetch-site": "cross-site"}
    assert (await browser.client.post(WITH, data=fields, headers=headers)).status_code == 403
    assert (await browser.client.post(WITH, data={"next": "/device"})).status_code == 403


async def test_who_says_no_at_the_provider_is_told_so_and_may_try_again(scene: Scene, browser: Browser) -> None:
    back = await scene.leave(browser, "/passkeys")
    state = dict(httpx2.URL(back).params)["state"]
    page = await scene.arrive(browser, f"{BACK}?error=access_denied&state={state}")
    assert (page.status_code, "You did not sign in with 127.0.0.1" in page.text) == (401, True)
    assert browser.fields(page, WITH)["next"] == "/passkeys"


async def test_a_taken_address_is_told_how_to_link(scene: Scene, browser: Browser) -> None:
    await scene.person("ada@example.org")
    page = await scene.sign_in(browser)
    assert (page.status_code, "/identities" in page.text) == (409, True)
    assert COOKIE not in page.headers.get("set-cookie", "")


async def test_a_provider_that_is_away_leaves_the_other_ways(scene: Scene, browser: Browser) -> None:
    page = await browser.open("/login?next=/passkeys")
    openid: Any = scene.house.gateway.books.accounts.sign_in["generic"]
    openid._client = replace(openid._client, issuer="http://127.0.0.1:9")
    answer = await browser.send(page, WITH)
    assert answer.status_code == 503
    assert browser.fields(answer, "/login")["next"] == "/passkeys"


async def test_what_follows_is_kept_where_no_reader_of_the_database_finds_it(scene: Scene, browser: Browser) -> None:
    await scene.leave(browser, "/device%3Fuser_code%3DBCDFGHJK")
    path = scene.house.gateway.books.settings.database_url.reveal().removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as connection:
        [(details,)] = connection.execute("SELECT details FROM tickets WHERE purpose = 'sign in on a page'").fetchall()
    assert "BCDFGHJK" not in details


async def test_who_has_a_second_factor_gives_it_after_the_provider(scene: Scene, browser: Browser) -> None:
    first = await scene.house.client.get(await program_back(scene))
    person = Person(scene.house, "ada@example.org", first.json()["access_token"])
    await person.enrol()
    step = await scene.sign_in(browser, "/passkeys")
    assert (step.status_code, "One more step" in step.text) == (200, True)
    assert COOKIE not in step.headers.get("set-cookie", "")
    done = await browser.send(step, "/login/second", code=person.code())
    assert (done.status_code, done.headers["location"]) == (303, "/passkeys")


async def program_back(scene: Scene) -> str:
    begun = (await scene.house.client.get("/v1/auth/oauth/generic/initiate")).json()
    return str(httpx2.URL(BACK, params=scene.provider.consent(begun["authorization_url"])))


async def asked(browser: Browser, wish: str, **typed: str) -> Any:
    """The question of the page of identities, answered with yes."""
    page = await browser.open("/identities")
    question = await browser.send(page, "/identities/ask", provider="generic", wish=wish)
    assert question.status_code == 200, question.text
    return await browser.send(question, "/identities/answer", **typed)


async def test_an_owner_links_an_identity_and_takes_it_away_again(
    scene: Scene, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await scene.person("bob@example.org")
    sent: list[tuple[str, str]] = []
    monkeypatch.setattr(Letters, "send", lambda _letters, to, letter: sent.append((to, letter.subject)))
    await browser.log_in("bob@example.org")
    back = scene.consented(await asked(browser, "link"))
    assert (await scene.arrive(browser, back)).headers["location"] == "/identities"
    assert "ada@example.org" in (await browser.open("/identities")).text
    other = scene.browser()
    await scene.sign_in(other)
    assert "bob@example.org" in (await other.open("/device")).text
    assert (await asked(browser, "remove")).headers["location"] == "/identities"
    assert "ada@example.org" not in (await browser.open("/identities")).text
    assert (await other.open("/device")).status_code == 303
    assert (await person.ask("GET", "/v1/auth/identities")).status_code == 401
    assert sent == [
        ("bob@example.org", "Your account is linked with 127.0.0.1"),
        ("bob@example.org", "Your account is linked with 127.0.0.1 no more"),
    ]
    assert scene.told("identity.link") == [("done", "generic")]
    assert scene.told("identity.unlink") == [("done", "generic, 2 sessions ended")]


async def test_what_comes_back_is_linked_in_the_session_that_left_and_no_other(scene: Scene, browser: Browser) -> None:
    for name in ("bob", "eve"):
        await scene.person(f"{name}@example.org")
    thief = scene.browser()
    await browser.log_in("bob@example.org")
    await thief.log_in("eve@example.org")
    back = scene.consented(await asked(browser, "link"))
    assert (await scene.arrive(thief, back)).status_code == 401
    stranger = await scene.arrive(scene.browser(), back)
    assert urlsplit(stranger.headers["location"]).path == "/login"
    assert (await scene.arrive(browser, back)).status_code == 303


async def test_a_code_is_asked_of_who_has_a_factor(scene: Scene, browser: Browser) -> None:
    person = await scene.person("bob@example.org")
    await person.enrol()
    page = await browser.log_in("bob@example.org")
    await browser.send(page, "/login/second", code=person.code())
    for wish in ("link", "remove"):
        refused = await asked(browser, wish, code="000000")
        assert (refused.status_code, "is not right" in refused.text) == (401, True)
    assert AWAY.search((await asked(browser, "link", code=person.recovery_codes[0])).text)


async def test_a_log_in_that_waits_for_its_second_step_ends_with_the_identity(scene: Scene, browser: Browser) -> None:
    person = await scene.person("bob@example.org")
    await person.enrol()
    page = await browser.log_in("bob@example.org")
    await browser.send(page, "/login/second", code=person.code())
    back = scene.consented(await asked(browser, "link", code=person.recovery_codes[0]))
    await scene.arrive(browser, back)
    other = scene.browser()
    step = await scene.sign_in(other)
    assert "One more step" in step.text
    assert (await asked(browser, "remove", code=person.recovery_codes[1])).status_code == 303
    late = await other.send(step, "/login/second", code=person.recovery_codes[2])
    assert (late.status_code, "begin again" in late.text) == (401, True)


async def test_the_last_way_in_stays_until_there_is_another(scene: Scene, browser: Browser) -> None:
    first = await scene.house.client.get(await program_back(scene))
    person = Person(scene.house, "ada@example.org", first.json()["access_token"])
    refused = await person.ask("DELETE", "/v1/auth/identities/generic")
    assert (refused.status_code, refused.json()["error_code"]) == (409, "conflict")
    await scene.sign_in(browser)
    page = await asked(browser, "remove")
    assert (page.status_code, "choose a password first" in page.text) == (409, True)
    accounts = scene.house.gateway.books.storage.accounts
    await accounts.set_password(person.claims["sub"], await scene.house.gateway.books.accounts.passwords.hash(PASSWORD))
    assert (await person.ask("DELETE", "/v1/auth/identities/generic")).status_code == 200
    assert (await person.ask("DELETE", "/v1/auth/identities/generic")).status_code == 404
    assert scene.told("identity.unlink")[0] == ("refused", "conflict")


async def test_an_old_session_unlinks_after_a_proof_alone(scene: Scene) -> None:
    person = await scene.person("bob@example.org")
    await person.grow_old()
    refused = await person.ask("DELETE", "/v1/auth/identities/generic")
    assert (refused.status_code, refused.json()["error_code"]) == (403, "confirmation_required")
    token = await person.confirmed("identity")
    told = await person.ask("DELETE", "/v1/auth/identities/generic", x_mk_confirmation=token)
    assert told.status_code == 404
