"""`monkey auth login` in a browser and by device code."""

import hashlib
import json
import threading
import urllib.request
from base64 import urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from monkey_coder.cli import logins
from packages.client.tests.conftest import Ran
from packages.client.tests.fake_gateway import KEY, USER, FakeGateway, error, reply

Monkey = Callable[..., Ran]
NEW_KEY = "mk-test-zyxwvutsrq9876543210"
GIVEN = {
    "access_token": NEW_KEY,
    "api_key": NEW_KEY,
    "key_id": "key_2",
    "key_name": "cli on box",
    "user": USER,
    "token_type": "Bearer",
}
CODES = {
    "device_code": "secret-device-code",
    "user_code": "BCDF-GHJK",
    "verification_uri": "http://gw/device",
    "verification_uri_complete": "http://gw/device?user_code=BCDF-GHJK",
    "expires_in": 600,
    "interval": 5,
}
AUTHORIZE, TOKEN = "/v1/auth/device/authorize", "/v1/auth/device/token"


def stored(home: Path) -> Any:
    file = home / ".config/monkey-coder/config.json"
    return json.loads(file.read_text()) if file.exists() else {}


def refusal(code: str) -> Any:
    return error(400, code, f"Told {code}.")


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch, monkey: Monkey) -> list[float]:
    """How long it was waited for each answer."""
    assert monkey is not None
    kept: list[float] = []
    monkeypatch.setattr("time.sleep", lambda seconds: kept.append(seconds) if seconds else None)
    return kept


def test_a_code_is_shown_and_asked_for_until_it_is_answered(
    monkey: Monkey, gateway: FakeGateway, home: Path, waits: list[float]
) -> None:
    gateway.on(AUTHORIZE, reply(CODES))
    gateway.on(TOKEN, refusal("authorization_pending"), refusal("slow_down"), refusal("authorization_pending"))
    gateway.on(TOKEN, reply(GIVEN))
    ran = monkey("auth", "login", "--device")
    assert (ran.code, ran.out) == (0, "Logged in as ada@example.com.\n")
    assert "BCDF-GHJK" in ran.err
    assert "http://gw/device" in ran.err
    assert "secret-device-code" not in ran.err + ran.out
    assert NEW_KEY not in ran.err + ran.out
    assert waits == [5, 5, 10, 10]
    assert stored(home)["apiKey"] == NEW_KEY
    assert gateway.seen[0].body["host"] == logins.host_name()


def test_a_program_reads_the_code_as_an_event(monkey: Monkey, gateway: FakeGateway, waits: list[float]) -> None:
    gateway.on(AUTHORIZE, reply(CODES)).on(TOKEN, reply(GIVEN))
    ran = monkey("auth", "login", "--json")
    first, last = [json.loads(line) for line in ran.out.splitlines()]
    assert first == {
        "event": "device_code",
        **{name: CODES[name] for name in ("user_code", "verification_uri", "verification_uri_complete", "expires_in")},
    }
    assert last == {"user": USER}
    assert waits == [5]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("access_denied", "was refused in the browser"),
        ("expired_token", "Told expired_token"),
        ("invalid_grant", "Told invalid_grant"),
    ],
)
def test_a_login_that_comes_to_nothing_says_why(
    monkey: Monkey, gateway: FakeGateway, home: Path, *, answer: str, words: str
) -> None:
    gateway.on(AUTHORIZE, reply(CODES)).on(TOKEN, refusal(answer))
    ran = monkey("auth", "login", "--device")
    assert ran.code == 77
    assert words in ran.err
    assert "monkey auth login" in ran.err
    assert stored(home) == {}


def test_nobody_is_waited_for_longer_than_the_code_is_good(monkey: Monkey, gateway: FakeGateway) -> None:
    gateway.on(AUTHORIZE, reply({**CODES, "expires_in": 4}))
    ran = monkey("auth", "login", "--device")
    assert ran.code == 77
    assert "Nobody answered" in ran.err


def test_the_key_of_the_login_before_is_ended(monkey: Monkey, gateway: FakeGateway, home: Path) -> None:
    gateway.on(AUTHORIZE, reply(CODES), reply(CODES)).on(TOKEN, reply(GIVEN), reply({**GIVEN, "api_key": KEY}))
    monkey("auth", "login", "--device")
    assert not [seen for seen in gateway.seen if seen.path == "/v1/auth/logout"]
    monkey("auth", "login", "--device")
    (ended,) = [seen for seen in gateway.seen if seen.path == "/v1/auth/logout"]
    assert ended.headers["authorization"] == f"Bearer {NEW_KEY}"
    assert stored(home)["apiKey"] == KEY


def test_a_key_never_goes_to_another_gateway_than_its_own(monkey: Monkey, gateway: FakeGateway) -> None:
    gateway.on(AUTHORIZE, reply(CODES), reply(CODES)).on(TOKEN, reply(GIVEN), reply({**GIVEN, "api_key": KEY}))
    monkey("auth", "login", "--device")
    monkey("auth", "login", "--device", "--base-url", "http://other.example")
    assert not [seen for seen in gateway.seen if seen.path == "/v1/auth/logout"]


def test_status_says_where_the_key_is(monkey: Monkey, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "key in   MONKEY_CODER_API_KEY" in monkey("auth", "status").out
    monkeypatch.delenv("MONKEY_CODER_API_KEY")
    file = home / ".config/monkey-coder/config.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"apiKey": KEY}))
    assert json.loads(monkey("auth", "status", "--json").out)["key_in"] == str(file)


@pytest.mark.parametrize(
    ("environ", "here"),
    [
        ({"DISPLAY": ":0"}, True),
        ({"WAYLAND_DISPLAY": "wayland-0"}, True),
        ({"BROWSER": "firefox"}, True),
        ({}, False),
        ({"DISPLAY": ":0", "SSH_CONNECTION": "1 2 3 4"}, False),
        ({"BROWSER": "firefox", "SSH_TTY": "/dev/pts/0"}, False),
    ],
    ids=str,
)
def test_a_browser_is_at_hand_where_the_person_sits(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], *, here: bool
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    assert logins.browser_at_hand(environ) is here


@pytest.mark.system
class TestInABrowser:
    """With a browser that goes where a person's click would take it."""

    @pytest.fixture
    def opened(self, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
        """What the browser was opened with; it brings the code back at once."""
        kept: list[dict[str, str]] = []

        def click(address: str) -> bool:
            assert address.startswith("http://localhost:8000/authorize?")
            asked = dict(parse_qsl(urlsplit(address).query))
            kept.append(asked)
            back = f"{asked['redirect_uri']}?code=the-code&state={asked['state']}"
            threading.Thread(target=lambda: urllib.request.urlopen(back).read()).start()  # noqa: S310  # loopback
            return True

        monkeypatch.setattr("webbrowser.open", click)
        return kept

    def test_the_code_it_brings_is_exchanged_with_the_proof(
        self, monkey: Monkey, gateway: FakeGateway, home: Path, opened: list[dict[str, str]]
    ) -> None:
        gateway.on("/v1/auth/authorize/token", reply(GIVEN))
        ran = monkey("auth", "login", "--browser")
        assert (ran.code, ran.out) == (0, "Logged in as ada@example.com.\n")
        (asked,) = opened
        sent = gateway.seen[-1].body
        digest = hashlib.sha256(sent["code_verifier"].encode()).digest()
        assert asked["code_challenge"] == urlsafe_b64encode(digest).rstrip(b"=").decode()
        assert (asked["code_challenge_method"], asked["host"]) == ("S256", logins.host_name())
        assert (sent["code"], sent["redirect_uri"]) == ("the-code", asked["redirect_uri"])
        assert stored(home)["apiKey"] == NEW_KEY
        assert NEW_KEY not in ran.err
        assert sent["code_verifier"] not in ran.err

    def test_a_person_at_a_screen_is_taken_there_without_an_option(
        self,
        monkey: Monkey,
        gateway: FakeGateway,
        opened: list[dict[str, str]],
        person: Callable[[str], None],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        gateway.on("/v1/auth/authorize/token", reply(GIVEN))
        person("")
        monkeypatch.setattr(logins, "browser_at_hand", lambda _environ: True)
        assert monkey("auth", "login").code == 0
        assert len(opened) == 1

    def test_where_none_opens_a_code_is_shown_instead(
        self,
        monkey: Monkey,
        gateway: FakeGateway,
        person: Callable[[str], None],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        gateway.on(AUTHORIZE, reply(CODES)).on(TOKEN, reply(GIVEN))
        person("")
        monkeypatch.setattr(logins, "browser_at_hand", lambda _environ: True)
        monkeypatch.setattr("webbrowser.open", lambda _address: False)
        ran = monkey("auth", "login")
        assert ran.code == 0
        assert "BCDF-GHJK" in ran.err
        assert monkey("auth", "login", "--browser").code == 2

    def test_a_gateway_out_of_reach_is_told_before_a_browser_opens(
        self, monkey: Monkey, gateway: FakeGateway, opened: list[dict[str, str]]
    ) -> None:
        gateway.on("/health", error(503, "unavailable", "Not now."), *[error(503, "unavailable", "Not now.")] * 2)
        ran = monkey("auth", "login", "--browser")
        assert ran.code == 69
        assert opened == []
