"""One-time codes and recovery codes as a second step of log-in."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from packages.server.tests.features.accounts.persons import actions, login, newcomer, refusal, verify

pytestmark = pytest.mark.asyncio(loop_scope="module")
PUBLISHED_CLI = {"user-agent": "monkey-coder-cli/1.6.0"}


async def test_an_app_is_enrolled_by_its_first_code_and_asked_for_from_then_on(house: Any) -> None:
    person = await newcomer(house, "enrols@example.com")
    begun = (await person.post("/v1/auth/mfa/totp/enroll")).json()
    assert parse_qs(urlsplit(begun["otpauth_uri"]).query)["secret"] == [begun["secret"]]
    assert "access_token" in await login(house, person), "nothing is asked for before the first code came"
    person.secret = begun["secret"]
    codes = (await person.post("/v1/auth/mfa/totp/confirm", {"code": person.code(-1)})).json()["recovery_codes"]
    assert len(set(codes)) == 10
    first = await login(house, person)
    assert first.keys() == {"mfa_required", "mfa_token", "methods", "expires_in"}
    assert (first["mfa_required"], first["methods"]) == (True, ["totp", "recovery_code"])
    tokens = (await verify(house, first["mfa_token"], code=person.code())).json()
    assert tokens["user"]["email"] == "enrols@example.com"
    person.access = tokens["access_token"]
    status = (await person.ask("GET", "/v1/auth/mfa")).json()
    assert status == {"required": False, "totp": True, "passkeys": 0, "recovery_codes_left": 10, "verified": True}
    assert await actions(house, person) == [
        ("account.open", "done"),
        ("session.open", "done"),
        ("factor.totp.add", "done"),
        ("factor.recovery_codes.make", "done"),
        ("session.open", "done"),
    ]


async def test_the_code_that_enrolled_is_used_up_and_so_is_every_other(house: Any) -> None:
    person = await newcomer(house, "replays@example.com")
    await person.enrol()
    token = (await login(house, person))["mfa_token"]
    assert refusal(await verify(house, token, code=person.code(-1))) == (401, "invalid_credentials")
    code = person.code(1)
    assert (await verify(house, token, code=code)).status_code == 200
    other = (await login(house, person))["mfa_token"]
    for used in (code, person.code()):
        assert refusal(await verify(house, other, code=used)) == (401, "invalid_credentials")


async def test_a_log_in_is_finished_once(house: Any) -> None:
    person = await newcomer(house, "finishes@example.com")
    await person.enrol()
    token = (await login(house, person))["mfa_token"]
    assert (await verify(house, token, code=person.recovery_codes[0])).status_code == 200
    assert refusal(await verify(house, token, code=person.recovery_codes[1])) == (401, "invalid_credentials")
    left = (await person.ask("GET", "/v1/auth/mfa")).json()["recovery_codes_left"]
    assert left == 9, "a code is not used up by a log-in that is over"


async def test_a_token_of_the_first_step_opens_nothing_else(house: Any) -> None:
    person = await newcomer(house, "first.step@example.com")
    await person.enrol()
    token = (await login(house, person))["mfa_token"]
    assert (await house.client.get("/v1/keys", headers={"authorization": f"Bearer {token}"})).status_code == 401
    assert refusal(await person.post("/v1/keys", {"name": "x"}, x_mk_confirmation=token)) == (
        403,
        "confirmation_required",
    )


async def test_a_command_line_gets_its_key_after_the_second_step(house: Any) -> None:
    person = await newcomer(house, "line@example.com")
    await person.enrol()
    first = await login(house, person, client="cli")
    assert "api_key" not in first
    tokens = (await verify(house, first["mfa_token"], code=person.code())).json()
    assert tokens["api_key"].startswith("mk-dev-")
    body = {"email": person.email, "password": "several plain words together"}
    first = (await house.client.post("/api/v1/auth/login", json=body, headers=PUBLISHED_CLI)).json()
    assert "access_token" not in first
    answer = await house.client.post(
        "/api/v1/auth/mfa/verify",
        json={"mfa_token": first["mfa_token"], "code": person.code(1)},
        headers=PUBLISHED_CLI,
    )
    assert answer.json()["access_token"].startswith("mk-dev-")


async def test_five_wrong_codes_and_even_the_right_one_must_wait(house: Any) -> None:
    person = await newcomer(house, "guessed@example.com")
    await person.enrol()
    for _ in range(5):
        token = (await login(house, person))["mfa_token"]
        assert refusal(await verify(house, token, code="000000")) == (401, "invalid_credentials")
    late = await verify(house, token, code=person.code())
    assert refusal(late) == (429, "rate_limited")
    assert 1 <= int(late.headers["retry-after"]) <= 300
    confirmation = await person.confirmation("keys", code=person.code())
    assert refusal(confirmation) == (429, "rate_limited"), "all ways to try a code are counted together"
    assert ("session.open", "refused") in await actions(house, person)


async def test_a_right_code_begins_the_count_anew(house: Any) -> None:
    person = await newcomer(house, "forgets@example.com")
    await person.enrol()
    for steps in (0, 1):
        token = (await login(house, person))["mfa_token"]
        for _ in range(4):
            assert (await verify(house, token, code="000000")).status_code == 401
        assert (await verify(house, token, code=person.code(steps))).status_code == 200


async def test_recovery_codes_are_good_once_and_new_ones_end_the_old(house: Any) -> None:
    person = await newcomer(house, "recovers@example.com")
    await person.enrol()
    one, two = person.recovery_codes[:2]
    token = (await login(house, person))["mfa_token"]
    assert (await verify(house, token, code=f" {one.upper().replace('-', ' ')} ")).status_code == 200
    token = (await login(house, person))["mfa_token"]
    assert refusal(await verify(house, token, code=one)) == (401, "invalid_credentials")
    confirmation = await person.confirmed("factors", code=person.code())
    answer = await person.post("/v1/auth/mfa/recovery-codes", x_mk_confirmation=confirmation)
    fresh = answer.json()["recovery_codes"]
    assert not set(fresh) & set(person.recovery_codes)
    assert refusal(await verify(house, token, code=two)) == (401, "invalid_credentials")
    assert (await verify(house, token, code=fresh[0])).status_code == 200
    assert ("factor.recovery_code.use", "done") in await actions(house, person)


async def test_somebody_elses_codes_are_of_no_use(house: Any) -> None:
    one, other = [await newcomer(house, f"pair{number}@example.com") for number in (1, 2)]
    for each in (one, other):
        await each.enrol()
    token = (await login(house, one))["mfa_token"]
    for code in (other.code(), other.recovery_codes[0]):
        assert refusal(await verify(house, token, code=code)) == (401, "invalid_credentials")


async def test_an_enrolment_belongs_to_its_session_and_needs_its_own_code(house: Any) -> None:
    person, other = [await newcomer(house, f"waits{number}@example.com") for number in (1, 2)]
    person.secret = (await person.post("/v1/auth/mfa/totp/enroll")).json()["secret"]
    assert refusal(await other.post("/v1/auth/mfa/totp/confirm", {"code": person.code()})) == (409, "conflict")
    assert refusal(await person.post("/v1/auth/mfa/totp/confirm", {"code": "000000"})) == (401, "invalid_credentials")
    again = (await person.post("/v1/auth/mfa/totp/enroll")).json()["secret"]
    assert refusal(await person.post("/v1/auth/mfa/totp/confirm", {"code": person.code()})) == (
        401,
        "invalid_credentials",
    )
    person.secret = again
    assert (await person.post("/v1/auth/mfa/totp/confirm", {"code": person.code()})).status_code == 200
    assert refusal(await person.post("/v1/auth/mfa/totp/confirm", {"code": person.code(1)})) == (409, "conflict")


@pytest.mark.parametrize("body", [{}, {"code": "1", "passkey": {}}])
async def test_a_second_step_takes_one_proof(house: Any, body: dict[str, Any]) -> None:
    assert refusal(await verify(house, "anything", **body)) == (400, "invalid_request")


async def test_an_invented_log_in_is_refused(house: Any) -> None:
    for token in ("", "x" * 5_000, "\u0000"):
        assert refusal(await verify(house, token, code="000000")) == (401, "invalid_credentials")


async def test_the_secret_is_stored_sealed(house: Any) -> None:
    person = await newcomer(house, "sealed@example.com")
    await person.enrol()
    kept = await house.gateway.books.storage.factors.totp(person.claims["sub"])
    assert person.secret.encode() not in kept.secret
    sealing = house.gateway.books.accounts.factors.sealing
    assert sealing.open(kept.secret, b"totp\0" + person.claims["sub"].encode()) == person.secret.encode()
    assert sealing.open(kept.secret, b"totp\0somebody else") is None


async def test_a_removed_app_is_asked_for_no_more(house: Any) -> None:
    person = await newcomer(house, "removes@example.com")
    await person.enrol()
    confirmation = await person.confirmed("factors", code=person.code())
    answer = await person.ask("DELETE", "/v1/auth/mfa/totp", x_mk_confirmation=confirmation)
    assert answer.status_code == 200, answer.text
    assert "access_token" in await login(house, person)
    status = (await person.ask("GET", "/v1/auth/mfa")).json()
    assert status == {"required": False, "totp": False, "passkeys": 0, "recovery_codes_left": 0, "verified": False}
    for method, path in (("DELETE", "/v1/auth/mfa/totp"), ("POST", "/v1/auth/mfa/recovery-codes")):
        assert refusal(await person.ask(method, path)) == (404, "not_found")
