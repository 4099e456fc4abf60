"""The page behind the link of an invitation."""

from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import pytest
import pytest_asyncio

from monkey_coder_server.domain.roles import Role
from monkey_coder_server.features.accounts.letters import Letter, Letters
from monkey_coder_server.ports.organizations import Change, Membership
from packages.server.tests.features.accounts.cli_login.browsing import PASSWORD

pytestmark = pytest.mark.asyncio(loop_scope="module")
_numbers = count()
COOKIE = "__Host-mk_session"


@dataclass
class Firm:
    """An organization and the links of its letters."""

    site: Any
    account_id: str
    owner: str
    headers: dict[str, str]
    links: list[str]

    async def invite(self, email: str, role: str = "developer") -> str:
        path = f"/v1/organizations/{self.account_id}/invitations"
        answer = await self.site.api.post(path, json={"email": email, "role": role}, headers=self.headers)
        assert answer.status_code == 200, answer.text
        return self.links[-1]

    async def role_of(self, email: str) -> Role | None:
        user = await self.site.use.accounts.by_email(email)
        found = await self.site.use.memberships.find(self.account_id, user.user_id)
        return None if found is None else found.role

    def told(self) -> list[tuple[str, str, str]]:
        entries = [each for each in self.site.audit.entries if each.action.startswith("invitation.")]
        return [(each.action, each.outcome, each.details) for each in entries if each.account_id == self.account_id]


@pytest_asyncio.fixture(loop_scope="module")
async def firm(site: Any, monkeypatch: pytest.MonkeyPatch) -> Firm:
    links: list[str] = []

    def send(_letters: Letters, _to: str, letter: Letter) -> None:
        if letter.link is not None:
            links.append(letter.link.path)

    monkeypatch.setattr(Letters, "send", send)
    owner = await site.person(f"owner-{next(_numbers)}")
    access = (await site.api.post("/v1/auth/login", json={"email": owner, "password": PASSWORD})).json()["access_token"]
    headers = {"authorization": f"Bearer {access}"}
    made = await site.api.post("/v1/organizations", json={"name": "Ape & Sons"}, headers=headers)
    return Firm(site, made.json()["organization_id"], owner, headers, links)


async def test_the_page_says_who_invites_whom_to_what_and_changes_nothing(firm: Firm, browser: Any) -> None:
    link = await firm.invite("new-one@example.com")
    for _ in range(2):
        page = await browser.open(link)
        assert page.status_code == 200
        for told in ("Join Ape &amp; Sons?", firm.owner, "new-one@example.com", "developer: you may"):
            assert told in page.text
    assert firm.told() == [("invitation.send", "done", "new-one@example.com as developer")]


async def test_who_has_no_account_makes_one_with_a_confirmed_address_and_joins(firm: Firm, browser: Any) -> None:
    link = await firm.invite("makes-one@example.com", "viewer")
    page = await browser.open(link)
    weak = await browser.send(page, "/invitation/register", name="Ada", password="short")
    assert (weak.status_code, 'value="Ada"' in weak.text) == (400, True)
    made = await browser.send(weak, "/invitation/register", name="Ada", password=PASSWORD)
    assert (made.status_code, made.headers["location"]) == (303, link)
    user = await firm.site.use.accounts.by_email("makes-one@example.com")
    assert (user.name, user.email_verified_at is not None) == ("Ada", True)
    assert await firm.role_of(user.email) is None
    joined = await browser.send(await browser.open(link), "/invitation/answer", answer="accept")
    assert (joined.status_code, firm.account_id in joined.text) == (200, True)
    assert await firm.role_of(user.email) is Role.VIEWER
    assert firm.told()[-1] == ("invitation.accept", "done", "viewer")
    assert (await browser.open(link)).status_code == 404


async def test_who_has_an_account_logs_in_and_comes_back_to_say_no(firm: Firm, browser: Any) -> None:
    email = await firm.site.person("has-one")
    link = await firm.invite(email.upper())
    page = await browser.open(link)
    assert "/invitation/register" not in page.text
    led = await browser.open(f"/login?next={link.replace('?', '%3F').replace('=', '%3D')}")
    sent = await browser.send(led, "/login", email=email, password=PASSWORD)
    assert sent.headers["location"] == link
    declined = await browser.send(await browser.open(link), "/invitation/answer", answer="decline")
    assert "Declined" in declined.text
    assert await firm.role_of(email) is None
    assert firm.told()[-1] == ("invitation.decline", "done", "developer")
    assert (await browser.open(link)).status_code == 404


async def test_nobody_else_can_answer(firm: Firm, browser: Any) -> None:
    link = await firm.invite("wanted@example.com")
    fields = browser.fields(await browser.open(link), "/invitation/register")
    thief = await firm.site.person("thief-of-it")
    await browser.log_in(thief)
    page = await browser.open(link)
    assert "logged in with another address" in page.text
    assert "/invitation/answer" not in page.text
    token = browser.fields(page, "/logout")["form_token"]
    forged = {**fields, "form_token": token, "answer": "accept"}
    headers = {"sec-fetch-site": "same-origin"}
    refused = await browser.client.post("/invitation/answer", data=forged, headers=headers)
    assert refused.status_code == 403
    assert await firm.role_of(thief) is None
    assert firm.site.audit.entries[-1].outcome == "refused"


async def test_an_answer_needs_a_log_in_and_a_form_of_our_own(firm: Firm, browser: Any) -> None:
    link = await firm.invite("late@example.com")
    page = await browser.open(link)
    fields = {**browser.fields(page, "/invitation/register"), "answer": "accept"}
    headers = {"sec-fetch-site": "same-origin"}
    sent = await browser.client.post("/invitation/answer", data=fields, headers=headers)
    assert sent.headers["location"].startswith("/login?next=%2Finvitation")
    for path in ("/invitation/answer", "/invitation/register"):
        assert (await browser.client.post(path, data={**fields, "form_token": "x"})).status_code == 403
    assert await firm.site.use.accounts.by_email("late@example.com") is None


async def test_an_account_made_meanwhile_is_not_taken_over(firm: Firm, browser: Any) -> None:
    link = await firm.invite("meanwhile@example.com")
    page = await browser.open(link)
    await firm.site.person("meanwhile")
    taken = await browser.send(page, "/invitation/register", name="Eve", password="another one of my phrases")
    assert (taken.status_code, "log in" in taken.text.lower()) == (409, True)
    assert COOKIE not in taken.headers.get("set-cookie", "")


@pytest.mark.parametrize("token", ["", "invented", "\u00e9"])
async def test_a_link_that_is_good_for_nothing_says_so(firm: Firm, browser: Any, token: str) -> None:
    page = await browser.client.get("/invitation", params={"token": token})
    assert (page.status_code, "no such invitation" in page.text) == (404, True)


async def test_one_whose_sender_may_not_send_it_any_more_is_not_shown(firm: Firm, browser: Any, site: Any) -> None:
    admin = await site.person("admin-of-it")
    membership = Membership(firm.account_id, site.people[admin], Role.ADMIN, site.clock.now())
    await site.use.organizations.add(membership)
    body = {"email": admin, "password": PASSWORD}
    access = (await site.api.post("/v1/auth/login", json=body)).json()["access_token"]
    link = await replace(firm, headers={"authorization": f"Bearer {access}"}).invite("orphan@example.com", "admin")
    assert (await browser.open(link)).status_code == 200
    change = Change(firm.account_id, site.people[admin], Role.VIEWER, site.clock.now())
    await site.use.organizations.change(change)
    page = await browser.open(link)
    assert (page.status_code, "could not send it any more" in page.text) == (404, True)
