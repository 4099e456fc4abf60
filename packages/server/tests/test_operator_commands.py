"""`monkey-server admin operators …` as an operator types it."""

import asyncio
import json
from pathlib import Path

import pytest

from monkey_coder_server.__main__ import main

EMAIL = "ada@example.com"
GRANT = ("grant", "--email", EMAIL, "--role", "support", "--reason", "joined the desk")
Output = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    assert main(["admin", "create-user", "--email", EMAIL]) == 0


def told(capsys: Output, *arguments: str, code: int = 0) -> str:
    capsys.readouterr()
    assert main(["admin", *arguments]) == code
    out, err = capsys.readouterr()
    return out or err


async def furnish(*, verified: bool) -> None:
    """A second factor for the person."""
    from monkey_coder_server.bootstrap.books import open_books
    from monkey_coder_server.ports.factors import Totp
    from monkey_coder_server.settings import load

    async with open_books(load()) as books:
        user, now = await books.storage.accounts.by_email(EMAIL), books.clock.now()
        assert user is not None
        await books.storage.factors.put_totp(Totp(user.user_id, b"sealed", 0, now))
        if verified:
            await books.storage.accounts.set_email(user.user_id, EMAIL, verified_at=now)


def test_a_role_is_given_listed_and_taken_and_the_trail_has_it(capsys: Output) -> None:
    asyncio.run(furnish(verified=True))
    assert told(capsys, "operators", *GRANT) == f"{EMAIL} has the role support now\n"
    assert "already" in told(capsys, "operators", *GRANT, code=1)
    [listed] = json.loads(told(capsys, "operators", "list", "--json"))
    assert (listed["email"], listed["role"], listed["given_by"]) == (EMAIL, "support", "operator")
    assert told(capsys, "operators", "list").startswith(EMAIL)
    revoke = ("operators", "revoke", "--email", EMAIL, "--reason", "left the desk")
    assert "no operator" in told(capsys, *revoke, "--role", "admin", code=1)
    assert told(capsys, *revoke) == f"{EMAIL} lost the role support\n"
    assert "no operator" in told(capsys, *revoke, code=1)
    rows = [json.loads(line) for line in told(capsys, "audit", "export", "--email", EMAIL).splitlines()]
    entries = [(row["actor"], row["details"]) for row in rows if row["action"].startswith("operator.")]
    assert entries == [("operator", "support; joined the desk"), ("operator", "support; left the desk")]


def test_an_address_is_proved_or_the_command_says_that_it_need_not_be(capsys: Output) -> None:
    assert "second factor" in told(capsys, "operators", *GRANT, "--unproven-address", code=1)
    asyncio.run(furnish(verified=False))
    assert "read mail" in told(capsys, "operators", *GRANT, code=1)
    assert "has the role" in told(capsys, "operators", *GRANT, "--unproven-address")


def test_who_loses_all_factors_is_no_operator_any_more(capsys: Output) -> None:
    asyncio.run(furnish(verified=True))
    told(capsys, "operators", *GRANT)
    told(capsys, "remove-factors", "--email", EMAIL, "--reason", "lost the phone")
    assert json.loads(told(capsys, "operators", "list", "--json")) == []
    rows = [json.loads(line) for line in told(capsys, "audit", "export", "--email", EMAIL).splitlines()]
    assert [row["action"] for row in rows][-2:] == ["operator.dismiss", "factor.remove"]


def test_a_reason_is_asked_for(capsys: Output) -> None:
    asyncio.run(furnish(verified=True))
    assert "Say why" in told(capsys, "operators", *GRANT[:-1], " ", code=1)
    assert "Say why" in told(capsys, "operators", "revoke", "--email", EMAIL, "--reason", " ", code=1)
