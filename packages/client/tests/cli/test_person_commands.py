"""`monkey auth password` and `monkey auth sessions`."""

import json
from collections.abc import Callable
from itertools import chain, repeat

import pytest

from packages.client.tests.conftest import Ran
from packages.client.tests.fake_gateway import FakeGateway, error, reply

Monkey = Callable[..., Ran]
Hides = Callable[..., None]


@pytest.fixture
def hides(monkeypatch: pytest.MonkeyPatch, person: Callable[[str], None]) -> Hides:
    """A person at a terminal who types these where nothing is shown."""

    def put(*secrets: str, shown: str = "") -> None:
        person(shown)
        typed = chain(secrets, repeat("too much was asked"))
        monkeypatch.setattr("click.termui.hidden_prompt_func", lambda _prompt: next(typed))

    return put


def asked(gateway: FakeGateway) -> list[tuple[str, str]]:
    return [(seen.method, seen.path) for seen in gateway.seen]


def test_a_password_is_changed_in_a_session_of_its_own_that_ends(
    monkey: Monkey, gateway: FakeGateway, hides: Hides
) -> None:
    hides("present pw", "new phrase", "new phrase")
    ran = monkey("auth", "password", "--email", "ada@example.com")
    assert (ran.code, ran.out) == (0, "The password is changed.\n")
    login, change, logout = gateway.seen
    assert login.body == {"email": "ada@example.com", "password": "present pw"}
    assert (change.path, change.body) == (
        "/v1/auth/password/change",
        {"current_password": "present pw", "new_password": "new phrase"},
    )
    assert (logout.path, logout.headers["authorization"]) == ("/v1/auth/logout", "Bearer jwt")
    assert change.headers["authorization"] == "Bearer jwt"
    assert "phrase" not in ran.out + ran.err


def test_the_email_is_that_of_the_key(
    monkey: Monkey, gateway: FakeGateway, hides: Hides, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONKEY_CODER_API_KEY", "mk-dev-key")
    hides("present pw", "new phrase", "new phrase")
    assert monkey("auth", "password").code == 0
    assert gateway.seen[0].path == "/v1/auth/status"
    assert gateway.seen[1].body["email"] == "ada@example.com"


def test_a_second_factor_is_asked_for(monkey: Monkey, gateway: FakeGateway, hides: Hides) -> None:
    gateway.on("/v1/auth/login", reply({"mfa_required": True, "mfa_token": "t"}))
    hides("present pw", "new phrase", "new phrase", shown="123456\n")
    assert monkey("auth", "password", "--email", "a@b.c").code == 0
    assert gateway.seen[1].body == {"mfa_token": "t", "code": "123456"}


def test_a_script_gives_both_passwords_on_stdin(
    monkey: Monkey, gateway: FakeGateway, typed: Callable[[str], None]
) -> None:
    typed("present pw\nnew phrase\n")
    assert monkey("auth", "password", "--email", "a@b.c", "--password-stdin").code == 0
    assert gateway.seen[1].body == {"current_password": "present pw", "new_password": "new phrase"}


def test_a_refused_password_is_said_and_the_session_ends_all_the_same(
    monkey: Monkey, gateway: FakeGateway, hides: Hides
) -> None:
    gateway.on("/v1/auth/password/change", error(400, "invalid_request", "Too easy to guess."))
    hides("present pw", "password", "password")
    ran = monkey("auth", "password", "--email", "a@b.c")
    assert ran.code == 2
    assert "Too easy to guess" in ran.err
    assert asked(gateway)[-1] == ("POST", "/v1/auth/logout")


def test_who_forgot_it_needs_no_key_and_no_terminal(
    monkey: Monkey, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MONKEY_CODER_API_KEY", raising=False)
    ran = monkey("--json", "auth", "password", "--forgot", "--email", "ada@example.com")
    assert (ran.code, json.loads(ran.out)) == (0, {"status": "ok", "message": "A mail is on its way."})
    assert gateway.seen[0].body == {"email": "ada@example.com"}
    assert monkey("auth", "password", "--forgot").code == 2


@pytest.mark.parametrize("command", ["password", "sessions"])
def test_without_a_terminal_a_password_comes_from_stdin_or_not_at_all(
    monkey: Monkey, gateway: FakeGateway, command: str
) -> None:
    ran = monkey("auth", command, "--email", "a@b.c")
    assert ran.code == 2
    assert "--password-stdin" in ran.err
    assert not gateway.seen


def test_sessions_are_shown_without_the_one_that_asks(monkey: Monkey, hides: Hides, gateway: FakeGateway) -> None:
    hides("present pw")
    shown = monkey("auth", "sessions", "--email", "a@b.c").out
    assert all(word in shown for word in ("ses_there", "2026-11-29T20:00", "203.0.113.9", "Firefox"))
    assert "ses_here" not in shown
    gateway.on("/v1/auth/sessions", reply({"sessions": [], "count": 0}))
    hides("present pw")
    assert "nowhere else" in monkey("auth", "sessions", "--email", "a@b.c").out


def test_sessions_are_ended_one_or_all(monkey: Monkey, gateway: FakeGateway, hides: Hides) -> None:
    hides("present pw")
    assert monkey("auth", "sessions", "--email", "a@b.c", "--end", "ses_there").out == "The session has ended.\n"
    assert asked(gateway)[1] == ("DELETE", "/v1/auth/sessions/ses_there")
    hides("present pw")
    assert monkey("auth", "sessions", "--email", "a@b.c", "--end-all").out == "2 sessions have ended.\n"
    assert gateway.seen[-2].body == {"this_one": False}
    assert monkey("auth", "sessions", "--end", "x", "--end-all").code == 2
