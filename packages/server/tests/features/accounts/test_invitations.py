"""Invitations: who may send them, who may use them, and how often."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from monkey_coder_server.domain.roles import Role
from monkey_coder_server.features.accounts.letters import Letter, Letters
from monkey_coder_server.ports.tickets import Ticket
from packages.server.tests.features.accounts.people import Person, founder, joined, stranger

pytestmark = pytest.mark.asyncio(loop_scope="module")
Post = list[tuple[str, Letter]]


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> Post:
    """The letters that are sent, with their addresses."""
    sent: Post = []
    monkeypatch.setattr(Letters, "send", lambda _letters, to, letter: sent.append((to, letter)))
    return sent


def code(letter: Letter) -> str:
    assert letter.link is not None
    return letter.link.path.removeprefix("/invitation?token=")


async def invited(house: Any, by: Person, who: Person, role: str = "developer") -> Any:
    return await wanted(house, by, who.user.email.upper(), role)


async def wanted(house: Any, by: Person, email: str, role: str = "developer") -> Any:
    wish = {"email": email, "role": role}
    path = f"/v1/organizations/{by.account_id}/invitations"
    return await house.client.post(path, json=wish, headers=by.headers)


async def answer(house: Any, who: Person, word: str, token: str) -> Any:
    return await house.client.post(f"/v1/invitations/{word}", json={"token": token}, headers=who.alone)


async def role_in(house: Any, who: Person, account_id: str) -> Role | None:
    found = await house.gateway.books.storage.memberships.find(account_id, who.user.user_id)
    return None if found is None else found.role


async def listed(house: Any, by: Person) -> list[dict[str, str]]:
    path = f"/v1/organizations/{by.account_id}/invitations"
    found: list[dict[str, str]] = (await house.client.get(path, headers=by.headers)).json()["invitations"]
    return found


async def test_who_is_invited_joins_once_in_the_role_they_were_promised(house: Any, post: Post) -> None:
    owner, guest = await founder(house, "Firm"), await stranger(house)
    sent = await invited(house, owner, guest)
    [(to, letter)] = post
    assert to == guest.user.email.upper()
    assert "Firm" in letter.subject
    assert f"{owner.user.email} invites you to the organization Firm as developer." in letter.paragraphs
    assert code(letter) not in sent.text
    assert await listed(house, owner) == [sent.json()]
    joining = await asyncio.gather(*(answer(house, guest, "accept", code(letter)) for _ in range(4)))
    assert sorted(each.status_code for each in joining) == [200, 404, 404, 404]
    assert await role_in(house, guest, owner.account_id) is Role.DEVELOPER
    assert await listed(house, owner) == []


async def test_nobody_else_can_use_it(house: Any, post: Post) -> None:
    owner, guest, thief = await founder(house), await stranger(house), await stranger(house)
    await invited(house, owner, guest)
    token = code(post[0][1])
    for word in ("accept", "decline"):
        assert (await answer(house, thief, word, token)).status_code == 403
        assert (await answer(house, thief, word, f"{token}x")).status_code == 404
    assert await role_in(house, thief, owner.account_id) is None
    assert (await answer(house, guest, "accept", token)).status_code == 200


async def test_declined_withdrawn_and_replaced_ones_are_good_no_more(house: Any, post: Post) -> None:
    owner, guest = await founder(house), await stranger(house)
    await invited(house, owner, guest)
    assert (await answer(house, guest, "decline", code(post[0][1]))).status_code == 200
    second = (await invited(house, owner, guest)).json()
    place = f"/v1/organizations/{owner.account_id}/invitations/{second['invitation_id']}"
    assert (await house.client.delete(place, headers=owner.headers)).status_code == 200
    assert (await house.client.delete(place, headers=owner.headers)).status_code == 404
    await invited(house, owner, guest)
    await invited(house, owner, guest, "viewer")
    assert [each["role"] for each in await listed(house, owner)] == ["viewer"]
    answers = [await answer(house, guest, "accept", code(letter)) for _, letter in post]
    assert [each.status_code for each in answers] == [404, 404, 404, 200]
    assert await role_in(house, guest, owner.account_id) is Role.VIEWER


async def test_an_invitation_promises_no_more_than_its_sender_may(house: Any, post: Post) -> None:
    owner, guest = await founder(house), await stranger(house)
    admin = await joined(house, owner.account_id, Role.ADMIN)
    developer = await joined(house, owner.account_id, Role.DEVELOPER)
    for by, role, status in ((admin, "owner", 403), (admin, "billing", 403), (developer, "viewer", 403)):
        assert (await invited(house, by, guest, role)).status_code == status
    assert post == []
    await invited(house, admin, guest, "admin")
    path = f"/v1/organizations/{owner.account_id}/members/{admin.user.user_id}"
    await house.client.patch(path, json={"role": "viewer"}, headers=owner.headers)
    assert (await answer(house, guest, "accept", code(post[0][1]))).status_code == 404
    assert await role_in(house, guest, owner.account_id) is None


async def test_a_member_is_not_made_a_member_again(house: Any, post: Post) -> None:
    owner = await founder(house)
    viewer = await joined(house, owner.account_id, Role.VIEWER)
    await invited(house, owner, viewer, "owner")
    assert (await answer(house, viewer, "accept", code(post[0][1]))).status_code == 409
    assert await role_in(house, viewer, owner.account_id) is Role.VIEWER


async def test_it_is_over_after_a_week(house: Any, post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    owner, guest = await founder(house), await stranger(house)
    await invited(house, owner, guest)
    [kept] = await listed(house, owner)
    tickets, now = house.gateway.books.storage.tickets, house.gateway.books.clock.now()
    [ticket] = await tickets.of_subject("join an organization", owner.account_id, now)
    assert isinstance(ticket, Ticket)
    assert ticket.expires_at.isoformat() == kept["expires_at"]
    assert timedelta(days=6, hours=23) < ticket.expires_at - now <= timedelta(days=7)


@pytest.mark.parametrize(("email", "role"), [("nobody", "viewer"), ("a@example.com\r\nBcc: b@example.com", "viewer")])
async def test_what_is_no_address_gets_no_letter(house: Any, post: Post, email: str, role: str) -> None:
    owner = await founder(house)
    wish, path = {"email": email, "role": role}, f"/v1/organizations/{owner.account_id}/invitations"
    assert (await house.client.post(path, json=wish, headers=owner.headers)).status_code == 400
    assert post == []


async def test_one_person_sends_no_flood_of_letters(house: Any, post: Post) -> None:
    owner = await founder(house)
    sent = [(await wanted(house, owner, f"guest{number}@example.org")).status_code for number in range(30)]
    assert sent == [200] * 30
    refused = await wanted(house, owner, "another.guest@example.org")
    assert (refused.status_code, len(post)) == (429, 30)
    assert 100 < int(refused.headers["retry-after"]) <= 120


async def test_one_mailbox_gets_no_flood_of_invitations_whoever_sends_them(house: Any, post: Post) -> None:
    owners = [await founder(house) for _ in range(3)]
    spellings = [
        f"{name}@example.org" for name in ("victim", "Victim+one", "vic.tim", "victim+two", "v.ictim", "VICTIM")
    ]
    statuses = [(await wanted(house, by, email)).status_code for by, email in zip(owners * 2, spellings, strict=True)]
    assert (statuses, len(post)) == ([200] * 6, 6)
    assert (await wanted(house, owners[0], "victim+three@example.org")).status_code == 429
    assert (await wanted(house, owners[0], "nobody.else@example.org")).status_code == 200
