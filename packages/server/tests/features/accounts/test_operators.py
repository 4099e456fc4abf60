"""People in operators' roles: with a second factor, proved anew, told to whom it concerns, and by nobody's own hand."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from monkey_coder_server.domain.confirmation import Action
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.operators import OperatorRole
from monkey_coder_server.domain.scopes import OPERATOR_SCOPES
from monkey_coder_server.features.accounts.operating.impersonating import impersonate
from monkey_coder_server.ports.accounts import Session
from monkey_coder_server.web.operating import COMMANDS
from packages.server.tests.conftest import House
from packages.server.tests.features.accounts.people import Person, appointed, founder, log_in, stranger

pytestmark = pytest.mark.asyncio(loop_scope="module")
OPERATORS = "/v1/operator/operators"
ACTING = "/v1/operator/impersonations"
WHY = "the balance of ticket 12"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def admin(house: Any) -> AsyncIterator[Person]:
    yield await appointed(house, OperatorRole.ADMIN)


async def ask(house: Any, person: Person, method: str, path: str, body: Any = None, **headers: str) -> Any:
    sent = {**person.alone, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return await house.client.request(method, path, json=body, headers=sent)


def refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error_code"]


async def trail(house: Any, person: Person, account_id: str = "") -> list[dict[str, Any]]:
    """What the account's people read, newest first."""
    await house.gateway.application.services.refusals.settle()
    headers = {**person.alone, **({"x-mk-organization": account_id} if account_id else {})}
    entries: list[dict[str, Any]] = (await house.client.get("/v1/audit", headers=headers)).json()["entries"]
    return entries


async def age(house: Any, person: Person) -> None:
    """As if they had logged in a while ago."""
    from datetime import timedelta

    use = house.gateway.books.accounts
    now = use.clock.now()
    for session in await use.sessions.of_user(person.user.user_id, now):
        await use.sessions.confirm(session.session_id, now - timedelta(minutes=6), second_factor=True)


async def newest(house: Any, person: Person) -> Session:
    """The session of their last log-in."""
    session = await house.gateway.books.storage.sessions.find(person.session_id)
    assert session is not None
    return session


def changing(house: Any) -> list[Any]:
    return [
        route
        for path, route in house.gateway.application.routes
        if route.scope in OPERATOR_SCOPES and route.method != "GET" and path == route.path
    ]


async def test_whatever_changes_something_is_proved_just_now_and_money_for_itself(house: Any, admin: Person) -> None:
    routes = changing(house)
    assert {route.confirm for route in routes} == {Action.MONEY, Action.OPERATOR}
    assert {route.confirm for route in routes if "grants" in route.path or "refunds" in route.path} == {Action.MONEY}
    late = await appointed(house, OperatorRole.ADMIN)
    await age(house, late)
    for route in routes:
        assert route.action, route.path
        path = route.path.replace("{account_id}", "x").replace("{user_id}", "x")
        refused = await ask(house, late, route.method, path, {})
        assert refusal(refused) == (403, "confirmation_required"), route.path
        assert f'"{route.confirm}"' in refused.json()["detail"]
        assert (await ask(house, admin, route.method, path, {})).status_code in {404, 400}
    assert (await ask(house, late, "GET", OPERATORS)).status_code == 200, "reading asks for nothing"


async def test_without_a_second_factor_in_the_session_nothing_is_open(house: Any) -> None:
    operator = await appointed(house, OperatorRole.ADMIN)
    weak = Person(operator.user, await log_in(house, operator.user))
    for path, route in house.gateway.application.routes:
        if route.scope in OPERATOR_SCOPES:
            asked = path.replace("{account_id}", "x").replace("{user_id}", "x")
            assert refusal(await ask(house, weak, route.method, asked, {})) == (403, "mfa_enrolment_required"), path
    assert (await ask(house, weak, "GET", "/v1/keys")).status_code == 200, "their own account is"


async def test_where_second_factors_are_off_there_are_no_operators(tmp_path_factory: pytest.TempPathFactory) -> None:
    from monkey_coder_server.bootstrap.gateway import open_gateway
    from monkey_coder_server.settings import load

    async with open_gateway(load({"MFA_ENABLED": "off"}, folder=tmp_path_factory.mktemp("off"))) as gateway:
        transport = httpx2.ASGITransport(app=gateway.application)
        async with httpx2.AsyncClient(transport=transport, base_url="http://gateway") as client:
            house = House(gateway, client)
            refused = await ask(house, await appointed(house, OperatorRole.ADMIN), "GET", OPERATORS)
    assert refusal(refused) == (403, "forbidden")
    assert "MFA_ENABLED" in refused.json()["detail"]


async def test_no_key_has_an_operators_right_not_even_one_that_says_so(house: Any, admin: Person) -> None:
    for scope in (*OPERATOR_SCOPES, "operator:*"):
        refused = await ask(house, admin, "POST", "/v1/keys", {"name": "x", "scopes": [scope]})
        assert refusal(refused) == (400, "invalid_request")
    made = await ask(house, admin, "POST", "/v1/keys", {"name": "x", "scopes": ["*"]})
    by_key = await house.client.get(OPERATORS, headers={"x-api-key": made.json()["key"]})
    assert refusal(by_key) == (403, "forbidden")


async def test_an_admin_gives_and_takes_roles_and_everybody_concerned_reads_it(house: Any, admin: Person) -> None:
    other = await appointed(house)
    wish = {"email": other.user.email, "role": "support", "reason": "joined the desk"}
    assert refusal(await ask(house, other, "GET", f"/v1/operator/accounts/{other.user.account_id}"))[0] == 403
    given = await ask(house, admin, "POST", OPERATORS, wish)
    by = f"operator:{admin.user.user_id}"
    assert given.status_code == 200, given.text
    assert (given.json()["role"], given.json()["given_by"]) == ("support", by)
    assert refusal(await ask(house, admin, "POST", OPERATORS, wish)) == (409, "conflict")
    listed = (await ask(house, admin, "GET", OPERATORS)).json()["operators"]
    assert [each["role"] for each in listed if each["user_id"] == other.user.user_id] == ["support"]
    assert (await ask(house, other, "GET", f"/v1/operator/accounts/{other.user.account_id}")).status_code == 200
    place = f"{OPERATORS}/{other.user.user_id}"
    assert refusal(await ask(house, admin, "DELETE", f"{place}?role=billing")) == (404, "not_found")
    assert (await ask(house, admin, "DELETE", f"{place}?role=support")).status_code == 200
    assert (await ask(house, other, "GET", f"/v1/operator/accounts/{other.user.account_id}")).status_code == 403
    assert refusal(await ask(house, admin, "DELETE", place)) == (404, "not_found")
    done = [each for each in await trail(house, other) if each["outcome"] == "done"]
    told = [(each["actor"], each["action"], each["details"]) for each in done]
    assert (by, "operator.appoint", "support; joined the desk") in told
    assert (by, "operator.dismiss", "support; by another operator") in told


async def test_nobody_gives_a_role_to_themselves(house: Any, admin: Person) -> None:
    wish = {"email": admin.user.email.upper(), "role": "billing", "reason": "mine"}
    refused = await ask(house, admin, "POST", OPERATORS, wish)
    assert refusal(refused) == (403, "forbidden")
    assert await house.gateway.books.storage.operators.roles(admin.user.user_id) == {OperatorRole.ADMIN}
    for role in (OperatorRole.SUPPORT, OperatorRole.BILLING):
        lesser = await appointed(house, role)
        wish = {"email": lesser.user.email, "role": "admin", "reason": "mine"}
        assert refusal(await ask(house, lesser, "POST", OPERATORS, wish)) == (403, "forbidden")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"role": "king"}, 400),
        ({"reason": " "}, 400),
        ({"reason": "two\nlines"}, 400),
        ({"email": "no@example.com"}, 404),
    ],
)
async def test_an_appointment_names_a_person_a_role_and_a_reason(
    house: Any, admin: Person, change: dict[str, str], status: int
) -> None:
    other = await appointed(house)
    wish = {"email": other.user.email, "role": "support", "reason": WHY, **change}
    assert (await ask(house, admin, "POST", OPERATORS, wish)).status_code == status


async def test_who_has_not_proved_an_address_or_a_factor_is_not_appointed(house: Any, admin: Person) -> None:
    squatter, use = await stranger(house), house.gateway.books.accounts
    wish = {"email": squatter.user.email, "role": "admin", "reason": WHY}
    refused = await ask(house, admin, "POST", OPERATORS, wish)
    assert (refusal(refused), "read mail" in refused.text) == ((409, "conflict"), True)
    await use.accounts.set_email(squatter.user.user_id, squatter.user.email, verified_at=use.clock.now())
    refused = await ask(house, admin, "POST", OPERATORS, wish)
    assert (refusal(refused), "second factor" in refused.text) == ((409, "conflict"), True)


async def test_an_operator_keeps_their_last_factor(house: Any) -> None:
    operator = await appointed(house, OperatorRole.SUPPORT)
    use = house.gateway.books.accounts
    session = await newest(house, operator)
    from monkey_coder_server.ports.tickets import Ticket, digest_of
    from monkey_coder_server.web.assurance import purpose_of

    ticket = Ticket(digest_of("proof"), purpose_of(Action.FACTORS), session.session_id, session.expires_at, "")
    await use.tickets.issue(ticket)
    refused = await ask(house, operator, "DELETE", "/v1/auth/mfa/totp", x_mk_confirmation="proof")
    assert refusal(refused) == (409, "conflict")
    assert await use.factors.store.any(operator.user.user_id)


async def test_support_looks_at_accounts_by_address_and_by_id_and_their_people_read_it(house: Any) -> None:
    support, firm = await appointed(house, OperatorRole.SUPPORT), await founder(house, "Firm")
    found = await ask(house, support, "GET", f"/v1/operator/accounts?email={firm.user.email}")
    own, organization = found.json()["accounts"]
    assert (own["account_id"], own["name"], own["balance_usd"]) == (firm.user.account_id, None, "0.00")
    assert [(each["email"], each["role"]) for each in own["people"]] == [(firm.user.email, "owner")]
    assert (organization["account_id"], organization["name"]) == (firm.account_id, "Firm")
    assert [each["second_factor"] for each in organization["people"]] == [False]
    shown = await ask(house, support, "GET", f"/v1/operator/accounts/{firm.account_id}")
    assert shown.json() == organization
    by = f"operator:{support.user.user_id}"
    looks = [each["actor"] for each in await trail(house, firm, firm.account_id) if each["action"] == "account.look"]
    assert looks == [by, by]
    assert refusal(await ask(house, support, "GET", "/v1/operator/accounts")) == (400, "invalid_request")
    assert refusal(await ask(house, support, "GET", "/v1/operator/accounts/acc_none")) == (404, "not_found")


async def test_support_acts_for_a_person_who_reads_who_looked_at_what(house: Any) -> None:
    support, customer = await appointed(house, OperatorRole.SUPPORT), await stranger(house)
    wish = {"email": customer.user.email, "reason": WHY, "minutes": 5}
    made = await ask(house, support, "POST", ACTING, wish)
    assert made.status_code == 200, made.text
    acting = Person(customer.user, made.json()["access_token"])
    assert (await ask(house, acting, "GET", "/v1/auth/status")).status_code == 200
    assert (await ask(house, acting, "GET", "/v1/billing/balance")).status_code == 200
    assert (await ask(house, acting, "POST", "/v1/keys", {"name": "mine"})).status_code == 403
    by = f"operator:{support.user.user_id}"
    told = [
        (each["action"], each["target"], each["outcome"])
        for each in await trail(house, customer)
        if (each["actor"], each["on_behalf_of"]) == (by, customer.user.user_id)
    ]
    assert told == [
        ("key.create", "", "refused"),
        ("session.look", "/v1/billing/balance", "done"),
        ("session.look", "/v1/auth/status", "done"),
        ("session.impersonate", made.json()["session_id"], "done"),
    ]
    exported = await house.client.get("/v1/audit/export?format=csv", headers=customer.alone)
    assert f"{by},session.look,/v1/billing/balance" in exported.text
    assert WHY in exported.text


async def test_a_look_that_cannot_be_told_is_not_had(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from monkey_coder_server.domain.errors import Unavailable

    support, customer = await appointed(house, OperatorRole.SUPPORT), await stranger(house)
    made = await ask(house, support, "POST", ACTING, {"email": customer.user.email, "reason": WHY})
    acting = Person(customer.user, made.json()["access_token"])

    async def away(*_: Any) -> None:
        raise Unavailable("The trail is away.", retry_after=1)

    monkeypatch.setattr(type(house.gateway.books.storage.audit), "record", away)
    assert (await ask(house, acting, "GET", "/v1/billing/balance")).status_code == 503


async def test_in_somebodys_place_an_operator_has_none_of_their_roles(house: Any, admin: Person) -> None:
    support = await appointed(house, OperatorRole.SUPPORT)
    made = await ask(house, support, "POST", ACTING, {"email": admin.user.email, "reason": WHY})
    acting = Person(admin.user, made.json()["access_token"])
    assert (await ask(house, acting, "GET", "/v1/keys")).status_code == 200
    for path in (OPERATORS, "/v1/operator/prices", f"/v1/operator/accounts/{admin.user.account_id}"):
        assert refusal(await ask(house, acting, "GET", path)) == (403, "forbidden")


async def test_with_the_role_what_they_see_in_others_places_ends(house: Any, admin: Person) -> None:
    support, customer = await appointed(house, OperatorRole.SUPPORT), await stranger(house)
    made = await ask(house, support, "POST", ACTING, {"email": customer.user.email, "reason": WHY})
    acting = Person(customer.user, made.json()["access_token"])
    assert (await ask(house, acting, "GET", "/v1/keys")).status_code == 200
    assert (await ask(house, admin, "DELETE", f"{OPERATORS}/{support.user.user_id}")).status_code == 200
    assert (await ask(house, acting, "GET", "/v1/keys")).status_code == 401


async def test_nobody_acts_for_a_machine(house: Any) -> None:
    firm, use = await founder(house), house.gateway.books.accounts
    place = f"/v1/organizations/{firm.account_id}/service-accounts"
    made = (await house.client.post(place, json={"name": "ci", "role": "developer"}, headers=firm.headers)).json()
    machine = await use.accounts.by_id(made["user_id"])
    with pytest.raises(InvalidRequest, match="service account"):
        await impersonate(use, COMMANDS, machine, reason=WHY, minutes=5)
