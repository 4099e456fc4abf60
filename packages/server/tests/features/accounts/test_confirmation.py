"""What asks for a proof anew, and that a proof for one thing is none for another."""

from typing import Any

import pytest

from packages.server.tests.features.accounts.persons import PASSWORD, Person, actions, login, newcomer, refusal, verify

pytestmark = pytest.mark.asyncio(loop_scope="module")
ASKED = (403, "confirmation_required")
MISSING_KEY = "/v1/keys/key_none/rotate"
"""A route that asks for `keys` and then finds nothing: 404 says that the proof was taken."""


async def test_who_just_logged_in_makes_keys_and_who_did_so_long_ago_must_prove_it(house: Any) -> None:
    person = await newcomer(house, "keys@example.com")
    for path in ("/v1/keys", "/v1/auth/keys"):
        assert (await person.post(path, {"name": "at once"})).status_code == 200
    await person.grow_old()
    for path in ("/v1/keys", "/v1/auth/keys", MISSING_KEY):
        refused = await person.post(path, {"name": "later"})
        assert refusal(refused) == ASKED
        assert "/v1/auth/confirm" in refused.json()["detail"]
    assert (await person.ask("GET", "/v1/keys")).status_code == 200, "reading asks for nothing"
    token = await person.confirmed("keys")
    assert (await person.post("/v1/keys", {"name": "proved"}, x_mk_confirmation=token)).status_code == 200
    assert refusal(await person.post("/v1/keys", {"name": "again"}, x_mk_confirmation=token)) == ASKED
    assert ("confirm.keys", "done") in await actions(house, person)


async def test_a_key_is_asked_for_no_proof(house: Any) -> None:
    customer = await house.customer()
    answer = await house.client.post("/v1/keys", json={"name": "made by a machine"}, headers=customer.headers)
    assert answer.status_code == 200


async def test_a_key_changes_no_factors(house: Any) -> None:
    customer = await house.customer()
    for route in {route for _, route in house.gateway.application.routes if "/mfa" in route.path}:
        if route.auth == "public":
            continue
        path = route.path.replace("{passkey_id}", "psk_1")
        answer = await house.client.request(route.method, path, json={}, headers=customer.headers)
        assert refusal(answer) == (403, "forbidden"), path


async def test_a_proof_for_one_action_is_none_for_another(house: Any) -> None:
    person = await newcomer(house, "confused@example.com")
    await person.grow_old()
    for action in ("money", "factors", "identity"):
        token = await person.confirmed(action)
        assert refusal(await person.post(MISSING_KEY, x_mk_confirmation=token)) == ASKED
    token = await person.confirmed("keys")
    assert refusal(await person.post("/v1/auth/mfa/totp/enroll", x_mk_confirmation=token)) == ASKED
    assert (await person.post(MISSING_KEY, x_mk_confirmation=token)).status_code == 404, "and is not used up by it"


async def test_a_proof_belongs_to_its_session(house: Any) -> None:
    person = await newcomer(house, "sessions@example.com")
    other = Person(house, person.email, (await login(house, person))["access_token"])
    stranger = await newcomer(house, "stranger@example.com")
    token = await person.confirmed("keys")
    for each in (other, stranger):
        assert refusal(await each.post(MISSING_KEY, x_mk_confirmation=token)) == ASKED
    assert (await person.post(MISSING_KEY, x_mk_confirmation=token)).status_code == 404


async def test_a_proof_for_one_thing_is_none_for_another_of_its_kind(house: Any) -> None:
    person = await newcomer(house, "targets@example.com")
    made = [(await person.post("/v1/keys", {"name": name})).json()["key_id"] for name in ("one", "two")]
    token = await person.confirmed("keys", target=made[0])
    assert refusal(await person.post(f"/v1/keys/{made[1]}/rotate", x_mk_confirmation=token)) == ASKED
    assert refusal(await person.post("/v1/keys", {"name": "three"}, x_mk_confirmation=token)) == ASKED
    assert (await person.post(f"/v1/keys/{made[0]}/rotate", x_mk_confirmation=token)).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/auth/mfa/totp/enroll"),
        ("DELETE", "/v1/auth/mfa/totp"),
        ("POST", "/v1/auth/mfa/recovery-codes"),
        ("POST", "/v1/auth/mfa/passkeys/register/options"),
        ("DELETE", "/v1/auth/mfa/passkeys/psk_1"),
    ],
)
async def test_who_has_a_factor_always_proves_it_before_factors_change(house: Any, method: str, path: str) -> None:
    person = await newcomer(house, f"{method}{path.replace('/', '.')}@example.com"[-60:].lstrip("."))
    await person.enrol()
    assert refusal(await person.ask(method, path)) == ASKED, "although the session is young"
    token = await person.confirmed("factors", code=person.code())
    assert (await person.ask(method, path, x_mk_confirmation=token)).status_code in {200, 404}
    assert refusal(await person.ask(method, path, x_mk_confirmation=token)) in {ASKED, (404, "not_found")}


async def test_a_password_alone_proves_nothing_of_who_has_a_second_factor(house: Any) -> None:
    person = await newcomer(house, "both@example.com")
    await person.enrol()
    assert refusal(await person.confirmation("factors")) == (400, "invalid_request")
    assert refusal(await person.confirmation("factors", code="000000")) == (401, "invalid_credentials")
    wrong = await person.confirmation("factors", password="not the right words", code=person.code())
    assert refusal(wrong) == (401, "invalid_credentials")
    assert refusal(await person.confirmation("factors", password=None, code=person.code())) == (400, "invalid_request")
    assert (await person.confirmation("factors", code=person.code())).status_code == 200


async def test_only_known_actions_are_confirmed(house: Any) -> None:
    person = await newcomer(house, "actions@example.com")
    for action in ("", "everything", "login"):
        assert refusal(await person.confirmation(action)) == (400, "invalid_request")
    assert refusal(await person.confirmation("keys", target="x" * 201)) == (400, "invalid_request")


async def test_who_has_neither_password_nor_factor_logs_in_again(house: Any) -> None:
    person = await newcomer(house, "without@example.com")
    await house.gateway.books.storage.accounts.set_password(person.claims["sub"], "")
    assert refusal(await person.confirmation("keys")) == ASKED
    await person.enrol()
    assert (await person.confirmation("keys", password=None, code=person.code())).status_code == 200


async def test_a_second_step_makes_a_young_session(house: Any) -> None:
    person = await newcomer(house, "young@example.com")
    await person.enrol()
    token = (await login(house, person))["mfa_token"]
    person.access = (await verify(house, token, code=person.code())).json()["access_token"]
    assert (await person.post("/v1/keys", {"name": "at once"})).status_code == 200


async def test_refreshing_a_session_proves_nothing(house: Any) -> None:
    body = {"email": "refreshes@example.com", "password": PASSWORD}
    tokens = (await house.client.post("/v1/auth/register", json=body)).json()
    person = Person(house, body["email"], tokens["access_token"])
    await person.grow_old()
    answer = await house.client.post("/v1/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    person.access = answer.json()["access_token"]
    assert refusal(await person.post(MISSING_KEY)) == ASKED
