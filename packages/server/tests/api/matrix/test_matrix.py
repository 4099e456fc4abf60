"""Every route by {nobody, each role, each key scope, what has expired or was revoked}, by the table `routes.txt`."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from monkey_coder_server.domain.operators import OperatorRole
from monkey_coder_server.domain.roles import Role
from monkey_coder_server.domain.scopes import EVERYTHING, OPERATOR_SCOPES, SCOPES
from packages.server.tests.api.matrix.cast import Cast, Row, filled, gather, served, table

pytestmark = pytest.mark.asyncio(loop_scope="module")
ALL = frozenset(Role)
WORKING = frozenset({Role.OWNER, Role.ADMIN, Role.DEVELOPER})
ROLES = {
    "execute": WORKING,
    "models:read": ALL,
    "providers:read": ALL,
    "router:debug": WORKING,
    "billing:read": ALL,
    "billing:manage": {Role.OWNER, Role.BILLING},
    "keys:manage": WORKING,
    "organization:read": ALL,
    "organization:manage": {Role.OWNER, Role.ADMIN},
    "audit:read": {Role.OWNER, Role.ADMIN},
    EVERYTHING: {Role.OWNER},
    "operator:support": frozenset[Role](),
    "operator:billing": frozenset[Role](),
    "operator:admin": frozenset[Role](),
}
"""Who may use the routes of a scope. Those of operators nobody may for what they are in an account."""
OPERATORS = {
    "operator:support": {OperatorRole.SUPPORT, OperatorRole.ADMIN},
    "operator:billing": {OperatorRole.BILLING, OperatorRole.ADMIN},
    "operator:admin": {OperatorRole.ADMIN},
}
WITHOUT_A_SCOPE = {
    "POST /v1/auth/logout": "ends the session that asks",
    "GET /v1/auth/identities": "tells a person of themselves",
    "DELETE /v1/auth/identities/{provider}": "takes away what is the person's own",
    "POST /v1/auth/oauth/{provider}/link": "links what is the person's own",
    "POST /v1/auth/oauth/{provider}/link/complete": "links what is the person's own",
    "POST /v1/invitations/accept": "is for whom the invitation was sent to",
    "POST /v1/invitations/decline": "is for whom the invitation was sent to",
    "POST /v1/auth/logout/all": "ends the person's own sessions",
    "GET /v1/auth/sessions": "tells a person of themselves",
    "DELETE /v1/auth/sessions/{session_id}": "ends the person's own session",
    "POST /v1/auth/password/change": "asks for the person's own password",
    "POST /v1/auth/email/change": "asks for the person's own password",
    "GET /v1/organizations": "tells a person of themselves",
    "POST /v1/organizations": "makes one that is the person's own",
    **dict.fromkeys(
        [
            "GET /v1/auth/mfa",
            "POST /v1/auth/mfa/totp/enroll",
            "POST /v1/auth/mfa/totp/confirm",
            "DELETE /v1/auth/mfa/totp",
            "POST /v1/auth/mfa/recovery-codes",
            "GET /v1/auth/mfa/passkeys",
            "POST /v1/auth/mfa/passkeys/register/options",
            "POST /v1/auth/mfa/passkeys/register",
            "PATCH /v1/auth/mfa/passkeys/{passkey_id}",
            "DELETE /v1/auth/mfa/passkeys/{passkey_id}",
            "POST /v1/auth/confirm",
            "POST /v1/auth/confirm/options",
        ],
        "is of the person alone, whatever account they act for",
    ),
}
"""What anybody may do who is somebody, each with its reason."""
LEAVING = {
    "POST /v1/auth/logout",
    "POST /v1/auth/logout/all",
    "POST /v1/organizations/{organization_id}/leave",
}
"""Who may use these is gone afterwards."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cast(house: Any) -> AsyncIterator[Cast]:
    yield await gather(house)


def sentence(answer: Any) -> str:
    """What an error says: natively, or in any of the foreign dialects."""
    body = answer.json()
    said: str = body["detail"] if "error_code" in body else body["error"]["message"]
    return said


def check(answer: Any, row: Row, *, allowed: bool) -> None:
    """An allowed caller is told what is wrong with an empty body at most; another learns what they lack."""
    where = f"{row.method} {row.path}: {answer.text}"
    if allowed:
        assert answer.status_code not in {401, 403}, where
        assert answer.status_code < 500, where
        return
    assert answer.status_code == 403, where
    assert row.scope is None or f"`{row.scope}`" in sentence(answer) or "This route" in sentence(answer), where


async def test_every_route_has_one_row_and_every_row_a_route(house: Any) -> None:
    rows = table()
    assert len({(row.method, row.path) for row in rows}) == len(rows)
    routes = {Row(route.method, route.path, route.auth, route.scope) for _, route in house.gateway.application.routes}
    unlike = sorted(f"{' '.join(row[:3])} {row.scope or '-'}" for row in routes.symmetric_difference(rows))
    assert not unlike, "routes.txt beside this test must have a line for each route, and no other"


async def test_whatever_asks_for_no_scope_has_a_reason() -> None:
    free = {f"{row.method} {row.path}" for row in table() if row.scope is None and row.credential != "public"}
    assert free == set(WITHOUT_A_SCOPE)
    assert ROLES.keys() == {*SCOPES, *OPERATOR_SCOPES, EVERYTHING}
    assert OPERATORS.keys() == OPERATOR_SCOPES


async def test_nobody_gets_in_without_a_credential(house: Any, cast: Cast) -> None:
    walked = 0
    for path, row in served(house):
        answer = await house.client.request(row.method, filled(path, cast.values), json={})
        assert (answer.status_code, bool(sentence(answer))) == (401, True), (row.method, path)
        walked += 1
    assert walked > 150


@pytest.mark.parametrize("role", Role)
async def test_a_person_does_what_their_role_allows(house: Any, cast: Cast, role: Role) -> None:
    for path, row in served(house):
        person = await cast.person(role)
        headers = {**person.headers, "user-agent": "matrix"}
        answer = await house.client.request(row.method, filled(path, cast.values), json={}, headers=headers)
        allowed = row.credential != "key" and (row.scope is None or role in ROLES[row.scope])
        check(answer, row, allowed=allowed)
        if allowed and f"{row.method} {row.path}" in LEAVING:
            del cast.people[role]


@pytest.mark.parametrize("operator", OperatorRole)
async def test_an_operator_does_what_their_role_allows_and_in_accounts_of_others_nothing(
    house: Any, cast: Cast, operator: OperatorRole
) -> None:
    walked = 0
    for path, row in served(house):
        if row.scope is None:
            continue
        headers = cast.operators[operator].alone
        answer = await house.client.request(row.method, filled(path, cast.values), json={}, headers=headers)
        if row.scope in OPERATORS:
            check(answer, row, allowed=operator in OPERATORS[row.scope])
            walked += 1
        elif "organization_id" in path:
            assert answer.status_code == 404, (row.method, path)
    assert walked == 2 * sum(row.scope in OPERATORS for row in table())


@pytest.mark.parametrize("scope", [*sorted(SCOPES), EVERYTHING])
async def test_a_key_does_what_its_scope_allows(house: Any, cast: Cast, scope: str) -> None:
    headers = {"x-api-key": cast.keys[scope]}
    for path, row in served(house):
        answer = await house.client.request(row.method, filled(path, cast.values), json={}, headers=headers)
        check(answer, row, allowed=(row.credential != "session" and scope in {row.scope, EVERYTHING}) or _free(row))


async def test_what_has_ended_opens_nothing(house: Any, cast: Cast) -> None:
    for headers in await cast.ended():
        for path, row in served(house):
            answer = await house.client.request(row.method, filled(path, cast.values), json={}, headers=headers)
            assert answer.status_code == 401, (row.method, path, answer.text)


def _free(row: Row) -> bool:
    return row.credential == "any" and row.scope is None
