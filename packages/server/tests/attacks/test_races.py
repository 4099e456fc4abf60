"""What is good once is good once, and what has a bound keeps it, when many ask both gateways in the same moment."""

from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from monkey_coder_protocol.cli_login import DEVICE_GRANT
from monkey_coder_server.features.accounts import keys
from monkey_coder_server.features.accounts.organizations import invitations, people, routes, team_routes
from packages.server.tests.attacks.conftest import RACERS, Arena
from packages.server.tests.features.accounts.cli_login.test_loopback import REDIRECT, VERIFIER, address, brought
from packages.server.tests.features.accounts.persons import PASSWORD, Person, login, newcomer

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.system, pytest.mark.timeout(120)]
OTHER = "another one of my phrases"
_numbers = count(1)


async def somebody(arena: Arena) -> Person:
    return await newcomer(arena.house, f"racer{next(_numbers)}@example.com")


def statuses(answers: list[Any]) -> list[int]:
    return [answer.status_code for answer in answers]


def won(most: int, refused: int, *, of: int = RACERS) -> list[int]:
    return [200] * most + [refused] * (of - most)


def as_(person: Person) -> dict[str, str]:
    return {"authorization": f"Bearer {person.access}"}


async def keys_of(person: Person) -> list[dict[str, Any]]:
    listed = (await person.ask("GET", "/v1/keys")).json()["keys"]
    return [key for key in listed if key["status"] == "active"]


async def organization(person: Person) -> str:
    made = await person.post("/v1/organizations", {"name": "Firm"})
    return f"/v1/organizations/{made.json()['organization_id']}"


async def test_an_account_has_no_more_keys_than_the_most(arena: Arena, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "MOST_KEYS", 3)
    person = await somebody(arena)
    answers = await arena.race(lambda door: door.post("/v1/keys", json={"name": "x"}, headers=as_(person)))
    assert statuses(answers) == won(3, 409)
    assert len(await keys_of(person)) == 3


async def test_command_lines_that_log_in_at_once_leave_no_more_keys_than_the_most(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "MOST_CLI_KEYS", 2)
    person = await somebody(arena)
    wish = {"email": person.email, "password": PASSWORD, "client": "cli"}
    assert statuses(await arena.race(lambda door: door.post("/v1/auth/login", json=wish))) == won(RACERS, 0)
    assert len(await keys_of(person)) == 2


@pytest.mark.parametrize(
    ("module", "bound", "path"),
    [
        (routes, "MOST_ORGANIZATIONS", ""),
        (team_routes, "MOST", "/teams"),
        (team_routes, "MOST", "/projects"),
        (invitations, "MOST_OPEN", "/invitations"),
        (people, "MOST_MEMBERS", "/service-accounts"),
    ],
    ids=["organizations", "teams", "projects", "invitations", "members"],
)
async def test_no_organization_has_more_than_the_most(
    arena: Arena, monkeypatch: pytest.MonkeyPatch, module: Any, bound: str, path: str
) -> None:
    person = await somebody(arena)
    where = await organization(person)
    there = 1 if path in {"", "/service-accounts"} else 0
    monkeypatch.setattr(module, bound, 3 + there)
    names = count(1)

    async def ask(door: Any) -> Any:
        name = f"x{next(names)}"
        wish = {"name": name, "project_id": name, "email": f"{name}@example.com", "role": "viewer"}
        return await door.post(f"{where}{path}" if path else "/v1/organizations", json=wish, headers=as_(person))

    assert statuses(await arena.race(ask)) == won(3, 409)


async def test_an_invitation_makes_one_member(arena: Arena) -> None:
    owner, guest = await somebody(arena), await somebody(arena)
    where = await organization(owner)
    sent = await owner.post(f"{where}/invitations", {"email": guest.email, "role": "viewer"})
    assert sent.status_code == 200, sent.text
    arena.mails[:] = [mail for mail in arena.mails if "Join" in mail.subject]
    token = {"token": await arena.token(guest.email)}
    answers = await arena.race(lambda door: door.post("/v1/invitations/accept", json=token, headers=as_(guest)))
    assert statuses(answers) == won(1, 404)
    assert (await owner.ask("GET", f"{where}/members")).json()["count"] == 2


async def test_an_address_opens_one_account_with_one_gift(arena: Arena) -> None:
    wish = {"email": f"racer{next(_numbers)}@example.com", "password": PASSWORD}
    answers = await arena.race(lambda door: door.post("/v1/auth/register", json=wish))
    assert statuses(answers) == won(1, 409)
    person = Person(arena.house, wish["email"], answers[0].json()["access_token"])
    assert (await person.ask("GET", "/v1/billing/balance")).json()["balance_usd"] == "5.00"
    books = [house.gateway.books.storage for house in arena.houses]
    assert [user.email for user in await books[0].accounts.list_users()].count(wish["email"]) == 1


async def test_a_grant_under_one_name_is_given_once(arena: Arena) -> None:
    person = await somebody(arena)
    doors = {id(house.client): house.gateway.books.storage.ledger for house in arena.houses}

    async def give(door: Any) -> Any:
        await doors[id(door)].grant(person.claims["acc"], 10**9, reason="spring", idempotency_key="spring")
        return await door.get("/health")

    await arena.race(give)
    assert (await person.ask("GET", "/v1/billing/balance")).json()["balance_usd"] == "6.00"


async def test_a_link_that_confirms_an_address_is_good_once(arena: Arena) -> None:
    person = await somebody(arena)
    token = {"token": await arena.token(person.email)}
    answers = await arena.race(lambda door: door.post("/v1/auth/email/verify/confirm", json=token))
    assert statuses(answers) == won(1, 400)


async def test_a_link_that_resets_a_password_is_good_once(arena: Arena) -> None:
    person = await somebody(arena)
    await arena.token(person.email)
    await person.post("/v1/auth/password/forgot", {"email": person.email})
    wish = {"token": await arena.token(person.email), "new_password": OTHER}
    assert statuses(await arena.race(lambda door: door.post("/v1/auth/password/reset", json=wish))) == won(1, 400)


async def test_a_device_code_gives_one_key(arena: Arena) -> None:
    person, browser = await somebody(arena), arena.browser()
    codes = (await arena.house.client.post("/v1/auth/device/authorize", json={"host": "laptop"})).json()
    assert (await browser.log_in(person.email)).status_code == 303
    question = await browser.send(await browser.open("/device"), "/device", user_code=codes["user_code"])
    await browser.send(question, "/device/answer", answer="approve")
    wish = {"grant_type": DEVICE_GRANT, "device_code": codes["device_code"]}
    assert statuses(await arena.race(lambda door: door.post("/v1/auth/device/token", json=wish))) == won(1, 400)
    assert len(await keys_of(person)) == 1


async def test_a_code_over_loopback_gives_one_key(arena: Arena) -> None:
    person, browser = await somebody(arena), arena.browser()
    await browser.log_in(person.email)
    page = await browser.open(address())
    code = brought(await browser.send(page, "/authorize", answer="approve"))["code"]
    wish = {
        "grant_type": "authorization_code",
        "code": code,
        "code_verifier": VERIFIER,
        "redirect_uri": REDIRECT,
        "client_id": "monkey-cli",
    }
    assert statuses(await arena.race(lambda door: door.post("/v1/auth/authorize/token", json=wish))) == won(1, 400)
    assert len(await keys_of(person)) == 1


async def test_a_refresh_token_has_one_successor_and_ends_its_family_when_it_comes_again(arena: Arena) -> None:
    person = await somebody(arena)
    first = {"refresh_token": (await login(arena.house, person))["refresh_token"]}
    answers = await arena.race(lambda door: door.post("/v1/auth/refresh", json=first))
    following = {answer.json()["refresh_token"] for answer in answers if answer.status_code == 200}
    assert len(following) == 1
    second = {"refresh_token": following.pop()}
    again = await arena.race(lambda door: door.post("/v1/auth/refresh", json=first))
    assert statuses(again) == won(0, 401)
    assert statuses(await arena.race(lambda door: door.post("/v1/auth/refresh", json=second))) == won(0, 401)


@pytest.mark.parametrize("proof", ["one-time", "recovery"])
async def test_a_second_factor_lets_one_in(arena: Arena, proof: str) -> None:
    person, racers = await somebody(arena), 4
    await person.enrol()
    tokens = [(await login(arena.house, person))["mfa_token"] for _ in range(racers)]
    given = person.code() if proof == "one-time" else person.recovery_codes[0]
    wishes = iter([{"mfa_token": token, "code": given} for token in tokens])
    answers = await arena.race(lambda door: door.post("/v1/auth/mfa/verify", json=next(wishes)), racers=racers)
    assert statuses(answers) == won(1, 401, of=racers)


@pytest.mark.parametrize("hours", [0, 1])
async def test_a_key_that_many_rotate_has_one_successor(arena: Arena, hours: int) -> None:
    person = await somebody(arena)
    key = (await person.post("/v1/keys", {"name": "ci"})).json()
    wish, path = {"grace_hours": hours}, f"/v1/keys/{key['key_id']}/rotate"
    answers = await arena.race(lambda door: door.post(path, json=wish, headers=as_(person)))
    assert statuses(answers)[0] == 200
    assert set(statuses(answers)[1:]) <= {200, 409}
    [kept] = await keys_of(person)
    turned = [answer.json() for answer in answers if answer.status_code == 200]
    assert [each["prefix"] for each in turned].count(kept["prefix"]) == 1
    await arena.house.gateway.books.storage.keys.refresh()  # what the other gateway did, seconds before it is seen
    good = [
        secret
        for secret in (key["key"], *[each["key"] for each in turned])
        if (await arena.house.client.get("/v1/models", headers={"x-api-key": secret})).status_code == 200
    ]
    assert len(good) == (2 if hours else 1)


async def test_requests_at_once_spend_no_more_than_there_is(arena: Arena) -> None:
    person = await somebody(arena)
    key = (await person.post("/v1/keys", {"name": "ci", "caps": {"total_usd": "0.002"}})).json()["key"]
    task = {"task_type": "custom", "model": "openai/gpt-4.1-mini", "prompt": "x", "context": {"max_tokens": 100}}
    for _ in range(3):
        await arena.race(lambda door: door.post("/v1/execute", json=task, headers={"x-api-key": key}))
    policy = (await person.ask("GET", f"/v1/keys/{(await keys_of(person))[0]['key_id']}/policy")).json()
    [standing] = policy["limits"]
    assert Decimal(standing["spent"]) + Decimal(standing["held"]) <= Decimal("0.002")
