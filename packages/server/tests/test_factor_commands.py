"""`monkey-server admin remove-factors` as an operator types it."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from monkey_coder_server.__main__ import main

EMAIL = "a@example.com"
Output = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    assert main(["admin", "create-user", "--email", EMAIL]) == 0


async def given_factors() -> None:
    """An app, a passkey and a session for the person."""
    from datetime import timedelta

    from monkey_coder_server.bootstrap.books import open_books
    from monkey_coder_server.ports.accounts import Session
    from monkey_coder_server.ports.factors import Passkey, Totp
    from monkey_coder_server.settings import load

    async with open_books(load()) as books:
        user, now, factors = await books.storage.accounts.by_email(EMAIL), books.clock.now(), books.storage.factors
        assert user is not None
        await factors.put_totp(Totp(user.user_id, b"sealed", 0, now))
        await factors.add_passkey(Passkey("psk_1", user.user_id, b"credential", b"cose", 0, "laptop", now))
        await factors.put_recovery_codes(user.user_id, [b"code".ljust(32)])
        session = Session("ses_1", user.user_id, b"digest".ljust(32), now + timedelta(days=1), second_factor=True)
        await books.storage.sessions.open(session)


async def left() -> tuple[Any, ...]:
    from monkey_coder_server.bootstrap.books import open_books
    from monkey_coder_server.settings import load

    async with open_books(load()) as books:
        user = await books.storage.accounts.by_email(EMAIL)
        session = await books.storage.sessions.find("ses_1")
        assert user is not None
        assert session is not None
        factors = books.storage.factors
        return await factors.any(user.user_id), await factors.recovery_codes(user.user_id), session.revoked


def test_all_factors_of_a_person_are_removed_and_their_sessions_end(capsys: Output) -> None:
    asyncio.run(given_factors())
    capsys.readouterr()
    wish = ["admin", "remove-factors", "--email", EMAIL, "--reason", "seen with passport"]
    assert main([*wish, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"email": EMAIL, "removed": 2}
    assert asyncio.run(left()) == (False, 0, True)
    assert main(["admin", "audit", "export", "--format", "jsonl"]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    [entry] = [each for each in told if each["action"] == "factor.remove"]
    assert "seen with passport" in entry["details"]
    assert main(wish) == 0
    assert "0 second factors" in capsys.readouterr().out


def test_an_unknown_person_is_told_so(capsys: Output) -> None:
    assert main(["admin", "remove-factors", "--email", "nobody@example.com", "--reason", "x"]) == 1
    assert "nobody@example.com" in capsys.readouterr().err
