"""Where a second factor is required, or none is asked for."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from monkey_coder_server.domain.scopes import OPERATOR_SCOPES
from packages.server.tests.authenticator import Authenticator
from packages.server.tests.conftest import House
from packages.server.tests.features.accounts.persons import PASSWORD, Person, login, newcomer, refusal, verify

pytestmark = pytest.mark.asyncio(loop_scope="module")
ENROL = (403, "mfa_enrolment_required")
CLI = {"user-agent": "monkey-coder-cli/1.6.0"}


async def opened(folder: Any, mode: str) -> AsyncIterator[House]:
    from monkey_coder_server.bootstrap.gateway import open_gateway
    from monkey_coder_server.settings import load

    async with open_gateway(load({"MFA_ENABLED": mode}, folder=folder)) as gateway:
        transport = httpx2.ASGITransport(app=gateway.application)
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
            yield House(gateway, client)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def strict(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async for house in opened(tmp_path_factory.mktemp("strict"), "required"):
        yield house


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lax(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    async for house in opened(tmp_path_factory.mktemp("lax"), "off"):
        yield house


async def test_who_has_no_factor_can_log_in_only_to_add_one(strict: Any) -> None:
    person = await newcomer(strict, "new@example.com")
    for method, path in (
        ("GET", "/v1/keys"),
        ("POST", "/v1/keys"),
        ("GET", "/v1/billing/balance"),
        ("GET", "/v1/models"),
    ):
        refused = await person.ask(method, path, {"name": "x"} if method == "POST" else None)
        assert refusal(refused) == ENROL, path
        assert "monkey auth mfa enroll" in refused.json()["detail"]
    assert (await person.ask("GET", "/v1/auth/mfa")).json()["required"] is True
    assert (await person.ask("GET", "/v1/auth/status")).json()["authenticated"] is True
    await person.enrol()
    assert (await person.post("/v1/keys", {"name": "now"})).status_code == 200
    assert (await login(strict, person))["mfa_required"] is True


async def test_a_passkey_opens_the_door_too(strict: Any) -> None:
    person = await newcomer(strict, "passkey@example.com")
    asked = (await person.post("/v1/auth/mfa/passkeys/register/options")).json()["options"]
    made = await person.post("/v1/auth/mfa/passkeys/register", {"credential": Authenticator().register(asked)})
    assert made.status_code == 200, made.text
    assert (await person.ask("GET", "/v1/keys")).status_code == 200


async def test_every_other_route_of_a_person_is_closed_until_then(strict: Any) -> None:
    """Walked, so that a new route is closed as it lands."""
    person, open_to_them = await newcomer(strict, "walks@example.com"), set()
    for _, route in strict.gateway.application.routes:
        if route.auth in {"session", "any"} and "{" not in route.path:
            answer = await person.ask(route.method, route.path, {})
            if route.scope in OPERATOR_SCOPES:
                assert refusal(answer) == (403, "forbidden"), "they lack more than a factor"
            elif not (answer.status_code == 403 and b"econd factor is required" in answer.content):
                open_to_them.add((route.method, route.path))
                assert route.enrolling, route.path
        if route.path in {"/v1/auth/logout", "/v1/auth/logout/all"}:
            person.access = (await login(strict, person))["access_token"]
    assert ("POST", "/v1/auth/mfa/totp/enroll") in open_to_them


async def test_a_command_line_gets_no_key_before(strict: Any) -> None:
    person = await newcomer(strict, "line@example.com")
    body = {"email": person.email, "password": PASSWORD}
    ours = await strict.client.post("/v1/auth/login", json={**body, "client": "cli"})
    published = await strict.client.post("/v1/auth/login", json=body, headers=CLI)
    assert refusal(ours) == refusal(published) == ENROL
    other = {"email": "never.made@example.com", "password": PASSWORD}
    assert refusal(await strict.client.post("/v1/auth/register", json=other, headers=CLI)) == ENROL
    assert await strict.gateway.books.storage.accounts.by_email(other["email"]) is None
    tokens = await login(strict, person)
    refreshed = await strict.client.post(
        "/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]}, headers=CLI
    )
    assert refusal(refreshed) == ENROL
    await person.enrol()
    first = (await strict.client.post("/v1/auth/login", json={**body, "client": "cli"})).json()
    assert (await verify(strict, first["mfa_token"], code=person.code())).json()["api_key"].startswith("mk-")


async def test_a_session_that_began_before_the_factor_must_begin_again(strict: Any) -> None:
    person = await newcomer(strict, "before@example.com")
    other = Person(strict, person.email, (await login(strict, person))["access_token"])
    await person.enrol()
    assert refusal(await other.ask("GET", "/v1/keys")) == ENROL
    assert refusal(await other.post("/v1/auth/mfa/totp/enroll")) == (403, "confirmation_required")


async def test_who_removes_the_last_factor_is_outside_again(strict: Any) -> None:
    person = await newcomer(strict, "removes@example.com")
    await person.enrol()
    confirmation = await person.confirmed("factors", code=person.code())
    assert (await person.ask("DELETE", "/v1/auth/mfa/totp", x_mk_confirmation=confirmation)).status_code == 200
    assert refusal(await person.ask("GET", "/v1/keys")) == ENROL
    await person.enrol()
    assert (await person.ask("GET", "/v1/keys")).status_code == 200


async def test_keys_go_on_without(strict: Any) -> None:
    customer = await strict.customer()
    assert (await strict.client.get("/v1/keys", headers=customer.headers)).status_code == 200


async def test_where_factors_are_off_none_is_asked_for_or_added(lax: Any) -> None:
    person = await newcomer(lax, "lax@example.com")
    for path in ("totp/enroll", "passkeys/register/options", "recovery-codes"):
        assert refusal(await person.post(f"/v1/auth/mfa/{path}")) == (403, "forbidden")
    assert refusal(await lax.client.post("/v1/auth/mfa/passkeys/login/options")) == (403, "forbidden")
    assert "access_token" in await login(lax, person)


async def test_an_organization_may_require_what_the_deployment_does_not(house: Any) -> None:
    owner, member = await newcomer(house, "owner@example.com"), await newcomer(house, "member@example.com")
    firm = (await owner.post("/v1/organizations", {"name": "Firm"})).json()["organization_id"]
    place = f"/v1/organizations/{firm}"
    demand = {"second_factor_required": True}
    assert refusal(await owner.ask("PATCH", place, demand)) == (403, "forbidden"), "who demands it has it"
    await owner.enrol()
    changed = await owner.ask("PATCH", place, demand)
    assert (changed.status_code, changed.json()["second_factor_required"]) == (200, True)
    await joins(house, firm, member)
    for path, sent in (("/v1/keys", {"x_mk_organization": firm}), (place, {})):
        assert refusal(await member.ask("GET", path, **sent)) == ENROL, path
    assert (await member.ask("GET", "/v1/keys")).status_code == 200, "for themselves they go on"
    await member.enrol()
    assert (await member.ask("GET", "/v1/keys", x_mk_organization=firm)).status_code == 200
    assert (await owner.ask("GET", place)).status_code == 200


async def joins(house: Any, account_id: str, person: Person) -> None:
    from monkey_coder_server.domain.roles import Role
    from monkey_coder_server.ports.organizations import Membership

    use = house.gateway.books.accounts
    await use.organizations.add(Membership(account_id, person.claims["sub"], Role.DEVELOPER, use.clock.now()))
