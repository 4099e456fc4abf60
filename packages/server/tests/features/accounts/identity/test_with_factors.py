"""A second factor, and proofs that are too old."""

from typing import Any

import pytest

from packages.server.tests.features.accounts.persons import PASSWORD, newcomer, refusal, verify

pytestmark = pytest.mark.asyncio(loop_scope="module")
OTHER = "another one of my phrases"


async def test_a_reset_lets_nobody_past_the_second_factor(house: Any, postbox: Any, stranger: Any) -> None:
    person = await newcomer(house, stranger.email)
    await person.enrol()
    await postbox.next(person.email)
    await stranger.post("/v1/auth/password/forgot", email=person.email)
    token = await postbox.token(person.email)
    reset = await stranger.post("/v1/auth/password/reset", token=token, new_password=OTHER)
    assert (reset.status_code, set(reset.json())) == (200, {"status", "message"})
    login = await stranger.post("/v1/auth/login", email=person.email, password=OTHER)
    assert login.json()["mfa_required"] is True
    assert "access_token" not in login.json()
    assert (await verify(house, login.json()["mfa_token"], code=person.code())).status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/auth/password/change", {"current_password": PASSWORD, "new_password": OTHER}),
        ("/v1/auth/email/change", {"email": "elsewhere@example.com", "password": PASSWORD}),
    ],
)
async def test_an_old_session_proves_it_anew(
    house: Any, postbox: Any, stranger: Any, path: str, body: dict[str, str]
) -> None:
    person = await newcomer(house, stranger.email)
    await person.grow_old()
    assert refusal(await person.post(path, body)) == (403, "confirmation_required")
    wrong = await person.confirmed("keys")
    assert refusal(await person.post(path, body, x_mk_confirmation=wrong)) == (403, "confirmation_required")
    token = await person.confirmed("identity")
    assert (await person.post(path, body, x_mk_confirmation=token)).status_code == 200


async def test_who_acts_as_somebody_else_changes_no_password_and_ends_no_session(
    house: Any, stranger: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from monkey_coder_server.web.principal import Principal

    person = await newcomer(house, stranger.email)
    monkeypatch.setattr(Principal, "impersonator", "operator")
    for path, body in (
        ("/v1/auth/password/change", {"current_password": PASSWORD, "new_password": OTHER}),
        ("/v1/auth/email/change", {"email": "elsewhere@example.com", "password": PASSWORD}),
        ("/v1/auth/logout/all", {}),
    ):
        assert refusal(await person.post(path, body)) == (403, "forbidden")
