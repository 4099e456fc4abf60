"""`monkey auth` and `monkey config`."""

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from monkey_coder.cli.logins import host_name
from packages.client.tests.conftest import Ran
from packages.client.tests.fake_gateway import KEY, Answer, FakeGateway, error, reply

Monkey = Callable[..., Ran]
OF_THIS_COMPUTER = {"client": "cli", "host": host_name()}


def config_file(home: Path) -> Path:
    return home / ".config/monkey-coder/config.json"


def save(home: Path, **values: Any) -> None:
    config_file(home).parent.mkdir(parents=True, exist_ok=True)
    config_file(home).write_text(json.dumps(values))
    config_file(home).chmod(0o600)


def test_login_stores_the_key_privately_and_keeps_other_settings(
    monkey: Monkey, gateway: FakeGateway, home: Path, typed: Callable[[str], None]
) -> None:
    save(home, preferences={"a": 1})
    typed("my password\n")
    ran = monkey("auth", "login", "--email", "ada@example.com", "--password-stdin")
    assert (ran.code, ran.out) == (0, "Logged in as ada@example.com.\n")
    assert gateway.seen[0].body == {"email": "ada@example.com", "password": "my password", **OF_THIS_COMPUTER}
    assert json.loads(config_file(home).read_text()) == {"preferences": {"a": 1}, "apiKey": KEY}
    assert stat.S_IMODE(config_file(home).stat().st_mode) == 0o600
    assert KEY not in ran.out + ran.err


def test_login_remembers_the_address_it_was_told(monkey: Monkey, home: Path, typed: Callable[[str], None]) -> None:
    typed("pw\n")
    monkey("--base-url", "http://gw.example:9/v1", "auth", "login", "--email", "a@b.c", "--password-stdin")
    assert json.loads(config_file(home).read_text())["baseUrl"] == "http://gw.example:9"


def test_login_with_a_key_checks_it_first(
    monkey: Monkey, gateway: FakeGateway, home: Path, typed: Callable[[str], None]
) -> None:
    gateway.on("/v1/auth/status", reply({"authenticated": False}))
    typed("mk-wrong\n")
    ran = monkey("auth", "login", "--api-key-stdin")
    assert ran.code == 77
    assert not config_file(home).exists()
    typed("mk-right\n")
    assert monkey("auth", "login", "--api-key-stdin").code == 0
    assert gateway.seen[-1].headers["authorization"] == "Bearer mk-right"
    assert json.loads(config_file(home).read_text())["apiKey"] == "mk-right"


def test_a_person_is_asked_for_the_password_of_the_email(
    monkey: Monkey, gateway: FakeGateway, person: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("click.termui.hidden_prompt_func", lambda _prompt: "hidden pw")
    person("")
    assert monkey("auth", "login", "--email", "ada@example.com").code == 0
    assert gateway.seen[0].body["email"] == "ada@example.com"
    assert gateway.seen[0].body["password"] == "hidden pw"


def test_a_person_with_a_second_factor_is_asked_for_its_code(
    monkey: Monkey,
    gateway: FakeGateway,
    home: Path,
    person: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gateway.on("/v1/auth/login", reply({"mfa_required": True, "mfa_token": "t"}))
    monkeypatch.setattr("click.termui.hidden_prompt_func", lambda _prompt: "hidden pw")
    person("123 456\n")
    assert monkey("auth", "login", "--email", "ada@example.com").code == 0
    assert gateway.seen[-1].body == {"mfa_token": "t", "code": "123 456"}
    assert json.loads(config_file(home).read_text())["apiKey"] == KEY


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (error(401, "invalid_credentials", "Email or password is wrong."), 77, "Check the email and the password"),
        (reply({"mfa_required": True, "mfa_token": "t"}), 77, "--api-key-stdin"),
        (reply({"access_token": "a", "refresh_token": "r"}), 65, "gave no key"),
    ],
)
def test_a_login_that_yields_no_key_says_why(
    monkey: Monkey,
    gateway: FakeGateway,
    home: Path,
    typed: Callable[[str], None],
    *,
    answer: Answer,
    code: int,
    words: str,
) -> None:
    gateway.on("/v1/auth/login", answer)
    typed("pw\n")
    ran = monkey("auth", "login", "--email", "a@b.c", "--password-stdin")
    assert ran.code == code
    assert words in ran.err
    assert not config_file(home).exists()


def test_register_makes_the_account_and_logs_in(
    monkey: Monkey, gateway: FakeGateway, home: Path, typed: Callable[[str], None]
) -> None:
    typed("pw\n")
    assert monkey("auth", "register", "--email", "a@b.c", "--name", "Ada", "--password-stdin").code == 0
    assert [seen.path for seen in gateway.seen] == ["/v1/auth/register", "/v1/auth/login"]
    assert gateway.seen[0].body == {"email": "a@b.c", "password": "pw", "name": "Ada"}
    assert json.loads(config_file(home).read_text())["apiKey"] == KEY


def test_logout_ends_and_forgets_the_stored_key_and_nothing_else(
    monkey: Monkey, gateway: FakeGateway, home: Path
) -> None:
    save(home, apiKey="mk-stored", baseUrl="http://x")
    ran = monkey("auth", "logout")
    assert (ran.code, ran.out) == (0, f"The key was removed from {config_file(home)}. bye\n")
    assert gateway.seen[0].headers["authorization"] == "Bearer mk-stored"
    assert "MONKEY_CODER_API_KEY is still set" in ran.err
    assert json.loads(config_file(home).read_text()) == {"baseUrl": "http://x"}
    assert "No key was stored." in monkey("auth", "logout").out


def test_logout_forgets_the_key_also_when_the_gateway_refuses(monkey: Monkey, gateway: FakeGateway, home: Path) -> None:
    save(home, apiKey="mk-stored")
    gateway.on("/v1/auth/logout", error(401, "invalid_api_key", "The key was revoked."))
    ran = monkey("auth", "logout")
    assert ran.code == 0
    assert "was not told (The key was revoked)" in ran.err
    assert json.loads(config_file(home).read_text()) == {}


def test_an_unaccepted_key_is_told_by_status(monkey: Monkey, gateway: FakeGateway) -> None:
    gateway.on("/v1/auth/status", reply({"authenticated": False}))
    assert monkey("auth", "status").code == 77


def test_settings_are_set_and_unset_where_asked(monkey: Monkey, home: Path) -> None:
    assert monkey("config", "path").out == f"{config_file(home)}\n"
    assert monkey("config", "set", "baseUrl", "https://gw.example/v1/").code == 0
    assert monkey("config", "set", "defaultPersona", "tester", "--project").code == 0
    assert json.loads(config_file(home).read_text()) == {"baseUrl": "https://gw.example"}
    assert json.loads(Path(".monkey-coder/config.json").read_text()) == {"defaultPersona": "tester"}
    assert monkey("config", "get", "defaultPersona", "--origin").out == "tester  (project)\n"
    monkey("config", "unset", "baseUrl")
    assert json.loads(config_file(home).read_text()) == {}
    assert monkey("config", "get", "baseUrl").out == "http://localhost:8000\n"


def test_a_readable_key_file_is_warned_about(monkey: Monkey, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MONKEY_CODER_API_KEY")
    save(home, apiKey=KEY)
    config_file(home).chmod(0o644)
    assert f"chmod 600 {config_file(home)}" in monkey("models").err
