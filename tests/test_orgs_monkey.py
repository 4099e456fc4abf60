"""`monkey orgs` against a real gateway: an organization from its making to its end, by people and by a key of it."""

import json
import os
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import RunningGateway
from tests.contract_http import Outsider
from tools.processes import BIN

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("gateway")]
PASSWORD = "several plain words together"
Done = "subprocess.CompletedProcess[str]"
Run = Callable[..., Done]


@pytest.fixture
def monkey(gateway: RunningGateway, tmp_path: Path) -> Run:
    """The installed command, with nobody logged in; as a new person, or with a key."""
    email = f"{uuid.uuid4().hex}@example.com"
    made = Outsider(gateway.base_url).post("/v1/auth/register", {"email": email, "password": PASSWORD})
    assert made.status == 200, made.raw

    def run(*arguments: str, key: str = "") -> Done:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
            "MONKEY_CODER_BASE_URL": gateway.base_url,
            "MONKEY_CODER_API_KEY": key,
        }
        who = [] if key else ["--email", email, "--password-stdin"]
        return subprocess.run(
            [str(BIN / "monkey"), "orgs", *arguments, *who],
            input=f"{PASSWORD}\n",
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def said(done: Done) -> str:
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_from_the_first_day_of_an_organization_to_its_last(monkey: Run, gateway: RunningGateway) -> None:
    organization = said(monkey("create", "Firm", "--use"))
    team = said(monkey("teams", "create", "Web"))
    assert said(monkey("projects", "create", "shop", "--team", team)) == "shop"
    said(monkey("limits", "set", "team", team, "--month", "--usd", "200"))
    said(monkey("rules", "set", "organization", "--deny", "xai/*", "--collapse", "cascade"))
    secret = said(monkey("key", "laptop", "--project", "shop"))
    admin = said(monkey("key", "terraform"))

    assert "team_id" in said(monkey("teams", "list", "--json", key=admin)), "a key of it needs no log-in"
    key_id = Outsider(gateway.base_url, admin).get("/v1/keys").body["keys"][0]["key_id"]
    policy = json.loads(said(monkey("policy", key_id, "--json")))
    assert (policy["project_id"], policy["collapse"], policy["limits"][0]["limit"]) == ("shop", "cascade", "200.00")
    assert not [name for name in policy["models"] if name.startswith("xai/")]

    assert said(monkey("projects", "rename", "shop", "The shop")) == "shop  The shop"
    assert said(monkey("projects", "delete", "shop", "--yes")) == "The project was deleted, and with it 1 key."
    assert Outsider(gateway.base_url, secret).get("/v1/models").status == 401
    assert said(monkey("teams", "delete", team, "--yes", key=admin)).startswith("The team was deleted")

    assert said(monkey("delete", "--org", "Firm", "--yes")) == "The organization was deleted, and with it 1 key."
    gone = monkey("show")
    assert (gone.returncode, organization in gone.stderr or "no organization" in gone.stderr) == (2, True), gone.stderr
