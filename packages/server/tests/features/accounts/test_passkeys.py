"""Passkeys: made, asked for, counted; and that an answer to one question is none to another."""

from typing import Any

import pytest

from packages.server.tests.authenticator import PRESENT, Authenticator
from packages.server.tests.features.accounts.persons import Person, actions, login, newcomer, refusal, verify

pytestmark = pytest.mark.asyncio(loop_scope="module")
PASSKEYS = "/v1/auth/mfa/passkeys"
REFUSED = (401, "invalid_credentials")
MISSING_KEY = "/v1/keys/key_none/rotate"


async def options(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["options"]
    return found


async def register(person: Person, authenticator: Authenticator, **sent: str) -> Any:
    asked = await options(await person.post(f"{PASSKEYS}/register/options", **sent))
    answer = await person.post(f"{PASSKEYS}/register", {"credential": authenticator.register(asked), "name": "laptop"})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def holder(house: Any, email: str, **kind: bool) -> tuple[Person, Authenticator]:
    """Somebody with one passkey."""
    person, authenticator = await newcomer(house, email), Authenticator(**kind)
    await register(person, authenticator)
    return person, authenticator


async def login_options(house: Any) -> dict[str, Any]:
    return await options(await house.client.post(f"{PASSKEYS}/login/options"))


async def log_in(house: Any, credential: dict[str, Any], **more: Any) -> Any:
    return await house.client.post(f"{PASSKEYS}/login", json={"credential": credential, **more})


async def second_step(house: Any, person: Person) -> tuple[str, dict[str, Any]]:
    token = (await login(house, person))["mfa_token"]
    return token, await options(await house.client.post(f"{PASSKEYS}/options", json={"mfa_token": token}))


async def confirm_options(person: Person, action: str) -> dict[str, Any]:
    return await options(await person.post("/v1/auth/confirm/options", {"action": action}))


async def confirmed(person: Person, action: str, credential: dict[str, Any]) -> Any:
    return await person.post("/v1/auth/confirm", {"action": action, "passkey": credential})


async def test_a_passkey_is_made_listed_renamed_and_removed(house: Any) -> None:
    person, authenticator = await newcomer(house, "keeps@example.com"), Authenticator()
    made = await register(person, authenticator)
    assert len(made["recovery_codes"]) == 10
    name = made["passkey"]["passkey_id"]
    listed = (await person.ask("GET", PASSKEYS)).json()
    assert (listed["count"], listed["passkeys"]) == (1, [made["passkey"]])
    assert (made["passkey"]["name"], made["passkey"]["last_used"]) == ("laptop", None)
    assert (await person.ask("PATCH", f"{PASSKEYS}/{name}", {"name": "desk"})).status_code == 200
    assert refusal(await person.ask("PATCH", f"{PASSKEYS}/{name}", {"name": ""})) == (400, "invalid_request")
    assert (await person.ask("GET", PASSKEYS)).json()["passkeys"][0]["name"] == "desk"
    proof = await confirmed(person, "factors", authenticator.answer(await confirm_options(person, "factors")))
    token = proof.json()["confirmation"]
    gone = await person.ask("DELETE", f"{PASSKEYS}/{name}", x_mk_confirmation=token)
    assert gone.status_code == 200, gone.text
    assert (await person.ask("GET", PASSKEYS)).json()["count"] == 0
    done = [action for action, outcome in await actions(house, person) if outcome == "done"]
    assert [action for action in done if action.startswith("factor.passkey")] == [
        "factor.passkey.add",
        "factor.passkey.rename",
        "factor.passkey.remove",
    ]


async def test_nobody_touches_a_strangers_passkey(house: Any) -> None:
    person, _ = await holder(house, "owner@example.com")
    stranger = await newcomer(house, "thief@example.com")
    name = (await person.ask("GET", PASSKEYS)).json()["passkeys"][0]["passkey_id"]
    missing = (404, "not_found")
    assert refusal(await stranger.ask("PATCH", f"{PASSKEYS}/{name}", {"name": "mine"})) == missing
    assert refusal(await stranger.ask("DELETE", f"{PASSKEYS}/{name}")) == missing
    assert refusal(await stranger.post("/v1/auth/confirm/options", {"action": "keys"})) == missing


async def test_a_passkey_alone_logs_in_who_it_verified(house: Any) -> None:
    person, authenticator = await holder(house, "alone@example.com")
    asked = await login_options(house)
    assert (asked.get("allowCredentials", []), asked["userVerification"]) == ([], "required")
    tokens = (await log_in(house, authenticator.answer(asked))).json()
    assert tokens["user"]["email"] == "alone@example.com"
    person.access = tokens["access_token"]
    assert (await person.ask("GET", "/v1/auth/mfa")).json()["verified"] is True
    tokens = (await log_in(house, authenticator.answer(await login_options(house)), client="cli")).json()
    assert tokens["api_key"].startswith("mk-dev-")


async def test_a_challenge_is_good_once(house: Any) -> None:
    _, authenticator = await holder(house, "once@example.com")
    asked = await login_options(house)
    answer = authenticator.answer(asked)
    assert (await log_in(house, answer)).status_code == 200
    for each in (answer, authenticator.answer(asked)):
        assert refusal(await log_in(house, each)) == REFUSED


async def test_a_log_in_takes_no_passkey_that_did_not_verify_its_person(house: Any) -> None:
    _, authenticator = await holder(house, "touch@example.com")
    answer = authenticator.answer(await login_options(house), flags=PRESENT)
    assert refusal(await log_in(house, answer)) == REFUSED


async def test_a_log_in_takes_no_answer_that_names_somebody_else_or_nobody(house: Any) -> None:
    _, authenticator = await holder(house, "handle@example.com")
    for handle in (b"usr_somebody", b""):
        answer = authenticator.answer(await login_options(house), handle=handle)
        assert refusal(await log_in(house, answer)) == REFUSED


async def test_an_answer_given_in_another_sites_frame_is_refused(house: Any) -> None:
    _, authenticator = await holder(house, "framed@example.com")
    for wrong in ({"cross_origin": True}, {"origin": "https://evil.example"}):
        answer = authenticator.answer(await login_options(house), **wrong)
        assert refusal(await log_in(house, answer)) == REFUSED


async def test_a_passkey_is_a_second_step_also_without_verifying(house: Any) -> None:
    person, authenticator = await holder(house, "second@example.com", verifies=False)
    first = await login(house, person)
    assert first["methods"] == ["passkey", "recovery_code"]
    token, asked = await second_step(house, person)
    assert asked["userVerification"] == "preferred"
    assert len(asked["allowCredentials"]) == 1
    tokens = (await verify(house, token, passkey=authenticator.answer(asked))).json()
    assert tokens["user"]["email"] == "second@example.com"


async def test_a_second_step_takes_the_passkey_of_its_person_and_its_own_challenge_only(house: Any) -> None:
    person, authenticator = await holder(house, "mine@example.com")
    other, others = await holder(house, "other@example.com")
    token, asked = await second_step(house, person)
    other_token, other_asked = await second_step(house, other)
    assert refusal(await verify(house, token, passkey=others.answer(other_asked))) == REFUSED
    asked_of_me = {**asked, "allowCredentials": []}
    assert refusal(await verify(house, token, passkey=others.answer(asked_of_me))) == REFUSED
    token, asked = await second_step(house, person)
    assert refusal(await verify(house, other_token, passkey=authenticator.answer(asked))) == REFUSED
    token, asked = await second_step(house, person)
    assert (await verify(house, token, passkey=authenticator.answer(asked))).status_code == 200


async def test_a_challenge_for_one_purpose_is_none_for_another(house: Any) -> None:
    """A page that gets somebody to log in must not come away with proof for a change of factors, nor the reverse."""
    person, authenticator = await holder(house, "purposes@example.com")
    await person.grow_old()
    for action in ("keys", "factors"):
        answer = authenticator.answer(await login_options(house))
        assert refusal(await confirmed(person, action, answer)) == REFUSED
    for asked in ("money", "factors", "identity"):
        answer = authenticator.answer(await confirm_options(person, asked))
        assert refusal(await confirmed(person, "keys", answer)) == REFUSED
    answer = authenticator.answer(await confirm_options(person, "keys"))
    assert refusal(await log_in(house, answer)) == REFUSED
    token, asked = await second_step(house, person)
    assert refusal(await log_in(house, authenticator.answer(asked))) == REFUSED
    answer = authenticator.answer(await confirm_options(person, "keys"))
    assert refusal(await verify(house, token, passkey=answer)) == REFUSED
    _, asked = await second_step(house, person)
    assert refusal(await confirmed(person, "keys", authenticator.answer(asked))) == REFUSED
    answer = authenticator.answer(await confirm_options(person, "keys"))
    token = (await confirmed(person, "keys", answer)).json()["confirmation"]
    assert (await person.post(MISSING_KEY, x_mk_confirmation=token)).status_code == 404


async def test_a_challenge_of_one_session_is_none_of_another(house: Any) -> None:
    person, authenticator = await holder(house, "windows@example.com")
    tokens = (await log_in(house, authenticator.answer(await login_options(house)))).json()
    other = Person(house, person.email, tokens["access_token"])
    answer = authenticator.answer(await confirm_options(person, "keys"))
    assert refusal(await confirmed(other, "keys", answer)) == REFUSED


async def test_a_confirmation_takes_no_passkey_that_did_not_verify_its_person(house: Any) -> None:
    person, authenticator = await holder(house, "lazy@example.com")
    answer = authenticator.answer(await confirm_options(person, "keys"), flags=PRESENT)
    assert refusal(await confirmed(person, "keys", answer)) == REFUSED


async def test_a_copied_authenticator_is_refused_and_told_of(house: Any) -> None:
    person, authenticator = await holder(house, "copied@example.com")
    assert (await log_in(house, authenticator.answer(await login_options(house)))).status_code == 200
    for count in (1, 2):
        answer = authenticator.answer(await login_options(house), count=count)
        assert refusal(await log_in(house, answer)) == REFUSED
    assert ("factor.passkey.use", "refused") in await actions(house, person)
    assert (await log_in(house, authenticator.answer(await login_options(house), count=3))).status_code == 200


async def test_an_authenticator_that_does_not_count_goes_on(house: Any) -> None:
    _, authenticator = await holder(house, "uncounted@example.com", counts=False)
    for _ in range(2):
        assert (await log_in(house, authenticator.answer(await login_options(house)))).status_code == 200


async def test_an_enrolment_takes_its_own_challenge_only(house: Any) -> None:
    person, stranger = [await newcomer(house, f"enrol{number}@example.com") for number in (1, 2)]
    asked = await options(await person.post(f"{PASSKEYS}/register/options"))
    body = {"credential": Authenticator().register(asked)}
    assert refusal(await stranger.post(f"{PASSKEYS}/register", body)) == REFUSED
    assert refusal(await person.post(f"{PASSKEYS}/register", body)) == REFUSED, "a challenge tried elsewhere is gone"
    login = {**asked, "challenge": (await login_options(house))["challenge"]}
    assert (
        refusal(await person.post(f"{PASSKEYS}/register", {"credential": Authenticator().register(login)})) == REFUSED
    )
    assert (await person.ask("GET", PASSKEYS)).json()["count"] == 0


async def test_a_second_passkey_asks_for_proof_and_leaves_recovery_codes_alone(house: Any) -> None:
    person, authenticator = await holder(house, "two@example.com")
    assert refusal(await person.post(f"{PASSKEYS}/register/options")) == (403, "confirmation_required")
    proof = await confirmed(person, "factors", authenticator.answer(await confirm_options(person, "factors")))
    made = await register(person, Authenticator(), x_mk_confirmation=proof.json()["confirmation"])
    assert made["recovery_codes"] == []
    assert (await person.ask("GET", "/v1/auth/mfa")).json()["passkeys"] == 2


@pytest.mark.parametrize(
    "credential", [{}, {"id": 5}, {"id": "é", "response": "x"}, {"response": {"clientDataJSON": "bnVsbA"}}]
)
async def test_nonsense_is_refused(house: Any, credential: dict[str, Any]) -> None:
    assert refusal(await log_in(house, credential)) == REFUSED
    person = await newcomer(house, f"nonsense{len(str(credential))}@example.com")
    assert refusal(await person.post(f"{PASSKEYS}/register", {"credential": credential})) == REFUSED
