"""`monkey auth login` against a real gateway, with a person who clicks in a browser."""

import json
import os
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import RunningGateway
from tests.contract_http import Outsider
from tools import person as person_module
from tools.person import Person
from tools.processes import BIN

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("gateway")]
PASSWORD = "several plain words together"


@dataclass(frozen=True, slots=True)
class Desk:
    """A computer with `monkey` on it and nobody logged in, and an account."""

    gateway: RunningGateway
    home: Path
    email: str

    def environment(self, **more: str) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
            "MONKEY_CODER_BASE_URL": self.gateway.base_url,
            **more,
        }

    def monkey(self, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [str(BIN / "monkey"), *arguments],
            env=self.environment(**more),
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def browser(self, answer: str) -> str:
        """What BROWSER names: a person who logs in and presses this button."""
        return f"{sys.executable} {person_module.__file__} {self.email} '{PASSWORD}' {answer} %s"

    def person(self) -> Person:
        return Person(self.gateway.base_url, self.email, PASSWORD)

    def active_keys(self, key: str) -> list[str]:
        listed = Outsider(self.gateway.base_url, key).get("/v1/keys").body["keys"]
        return [shown["name"] for shown in listed if shown["status"] == "active"]


@pytest.fixture
def desk(gateway: RunningGateway, tmp_path: Path) -> Desk:
    email = f"{uuid.uuid4().hex}@example.com"
    made = Outsider(gateway.base_url).post("/v1/auth/register", {"email": email, "password": PASSWORD})
    assert made.status == 200, made.raw
    return Desk(gateway, tmp_path, email)


def test_a_click_in_the_browser_logs_this_computer_in_and_out_again(desk: Desk) -> None:
    first = desk.monkey("auth", "login", "--browser", BROWSER=desk.browser("approve"))
    assert (first.returncode, first.stdout) == (0, f"Logged in as {desk.email}.\n"), first.stderr
    key = desk.monkey("auth", "token").stdout.strip()
    (name,) = desk.active_keys(key)
    assert name == f"cli on {os.uname().nodename.partition('.')[0]}"
    again = desk.monkey("auth", "login", "--browser", BROWSER=desk.browser("approve"))
    assert again.returncode == 0, again.stderr
    following = desk.monkey("auth", "token").stdout.strip()
    assert following != key
    assert desk.active_keys(following) == [name]
    assert desk.monkey("auth", "logout").returncode == 0
    assert Outsider(desk.gateway.base_url, following).get("/v1/models").status == 401
    assert desk.monkey("auth", "status").returncode == 77


def test_a_no_in_the_browser_leaves_nothing_behind(desk: Desk) -> None:
    refused = desk.monkey("auth", "login", "--browser", BROWSER=desk.browser("deny"))
    assert refused.returncode == 77
    assert "was refused in the browser" in refused.stderr
    assert not (desk.home / ".config").exists()


def test_a_computer_without_a_browser_is_logged_in_by_a_code(desk: Desk) -> None:
    command = [str(BIN / "monkey"), "auth", "login", "--json"]
    with subprocess.Popen(command, env=desk.environment(), stdout=subprocess.PIPE, text=True, cwd=desk.home) as running:
        assert running.stdout is not None
        begun = json.loads(running.stdout.readline())
        assert begun["event"] == "device_code"
        page = begun["verification_uri_complete"].partition("/device")[2]
        with desk.person() as person:
            assert "Approved" in person.answer_device(f"/device{page}", "approve").text
        assert json.loads(running.stdout.read())["user"]["email"] == desk.email
        assert running.wait(30) == 0
    status = json.loads(desk.monkey("auth", "status", "--json").stdout)
    assert status["user"]["email"] == desk.email
    assert status["key_in"] == str(desk.home / ".config/monkey-coder/config.json")
