"""`monkey auth mfa`."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from packages.client.tests.conftest import Ran
from packages.client.tests.fake_gateway import RECOVERY_CODES, FakeGateway, error, reply

Monkey = Callable[..., Ran]
SECOND_STEP = reply({"mfa_required": True, "mfa_token": "t"})
NONE = {"required": False, "totp": False, "passkeys": 0, "recovery_codes_left": 0, "verified": False}
APP = {**NONE, "totp": True, "recovery_codes_left": 10, "verified": True}


def asked(gateway: FakeGateway) -> list[str]:
    return [f"{seen.method} {seen.path}" for seen in gateway.seen]


@pytest.fixture
def with_app(gateway: FakeGateway) -> FakeGateway:
    """A gateway where the person has an authenticator app."""
    return gateway.on("/v1/auth/login", SECOND_STEP).on("/v1/auth/mfa", reply(APP))


def test_an_app_is_added_in_one_go(
    monkey: Monkey,
    gateway: FakeGateway,
    home: Path,
    person: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("click.termui.hidden_prompt_func", lambda _prompt: "hidden pw")
    person("123456\n")
    ran = monkey("auth", "mfa", "enroll", "--email", "ada@example.com")
    assert ran.code == 0, ran.err
    assert "otpauth://totp/" in ran.err
    assert all(code in ran.out for code in RECOVERY_CODES)
    assert asked(gateway) == [
        "POST /v1/auth/login",
        "GET /v1/auth/mfa",
        "POST /v1/auth/mfa/totp/enroll",
        "POST /v1/auth/mfa/totp/confirm",
        "POST /v1/auth/logout",
    ]
    assert gateway.seen[1].headers["authorization"] == "Bearer jwt"
    assert gateway.seen[3].body == {"code": "123456"}
    assert not (home / ".config/monkey-coder/config.json").exists(), "no token stays here"


def test_a_program_reads_events_and_answers_by_lines(
    monkey: Monkey, with_app: FakeGateway, typed: Callable[[str], None]
) -> None:
    typed("my password\n111111\n222222\n333333\n")
    ran = monkey("auth", "mfa", "enroll", "--email", "ada@example.com", "--password-stdin", "--json")
    assert ran.code == 0, ran.err
    event, result = [json.loads(line) for line in ran.out.splitlines()]
    assert (event["event"], event["secret"]) == ("enrolment", "JBSWY3DPEHPK3PXP")
    assert result == {"recovery_codes": RECOVERY_CODES}
    bodies = {seen.path: seen.body for seen in with_app.seen}
    assert bodies["/v1/auth/mfa/verify"] == {"mfa_token": "t", "code": "111111"}
    assert bodies["/v1/auth/confirm"] == {"action": "factors", "password": "my password", "code": "222222"}
    assert bodies["/v1/auth/mfa/totp/confirm"] == {"code": "333333"}


@pytest.mark.parametrize(
    ("name", "request_"),
    [("disable", "DELETE /v1/auth/mfa/totp"), ("recovery-codes", "POST /v1/auth/mfa/recovery-codes")],
)
def test_a_change_carries_the_proof_for_it(
    monkey: Monkey, with_app: FakeGateway, typed: Callable[[str], None], name: str, request_: str
) -> None:
    typed("my password\n111111\n222222\n")
    ran = monkey("auth", "mfa", name, "--email", "ada@example.com", "--password-stdin")
    assert ran.code == 0, ran.err
    assert asked(with_app)[-3:] == ["POST /v1/auth/confirm", request_, "POST /v1/auth/logout"]
    assert with_app.seen[-2].headers["x-mk-confirmation"] == "proof"


def test_the_factors_of_the_stored_keys_owner_are_told(
    monkey: Monkey, with_app: FakeGateway, typed: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONKEY_CODER_API_KEY", "mk-mine")
    typed("my password\n111111\n")
    ran = monkey("auth", "mfa", "status", "--password-stdin")
    assert (ran.code, "recovery codes left" in ran.out) == (0, True), ran.err
    assert asked(with_app)[:2] == ["GET /v1/auth/status", "POST /v1/auth/login"]


def test_where_nobody_can_be_asked_it_says_what_to_give(monkey: Monkey, typed: Callable[[str], None]) -> None:
    typed("")
    ran = monkey("auth", "mfa", "status")
    assert (ran.code, "--password-stdin" in ran.err) == (2, True)
    typed("my password\n")
    ran = monkey("auth", "mfa", "enroll", "--email", "a@b.c", "--password-stdin")
    assert (ran.code, "The code it shows" in ran.err) == (2, True)


def test_the_session_ends_also_when_it_fails(
    monkey: Monkey, gateway: FakeGateway, typed: Callable[[str], None]
) -> None:
    gateway.on("/v1/auth/mfa/totp", error(404, "not_found", "You have no authenticator app."))
    typed("my password\n")
    ran = monkey("auth", "mfa", "disable", "--email", "a@b.c", "--password-stdin")
    assert (ran.code, "You have no authenticator app." in ran.err) == (2, True)
    assert asked(gateway)[-1] == "POST /v1/auth/logout"
