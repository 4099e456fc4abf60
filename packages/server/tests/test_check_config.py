"""`monkey-server check-config`: everything that is wrong at once, in sentences without secrets."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from monkey_coder_server.__main__ import main
from monkey_coder_server.adapters.embedding import wordllama
from packages.server.tests.test_settings import OTHER, STRONG

Output = pytest.CaptureFixture[str]
PRODUCTION = {
    "ENVIRONMENT": "production",
    "JWT_SECRET_KEY": STRONG,
    "KEY_PEPPER": OTHER,
    "BASE_URL": "https://gateway.example.com",
    "TRUSTED_PROXY_HOPS": "1",
    "MAIL_URL": "smtps://me:canary-mail@mail.example.com",
    "OPENAI_API_KEY": "sk-canary-openai",
}


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)


def told(capsys: Output, monkeypatch: pytest.MonkeyPatch, code: int = 0, **environment: str) -> dict[str, Any]:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert main(["check-config", "--json"]) == code
    shown = capsys.readouterr()
    assert not [secret for secret in (STRONG, OTHER, "canary") if secret in shown.out + shown.err]
    document: dict[str, Any] = json.loads(shown.out)
    assert document["sound"] is (code == 0)
    return document


def test_a_production_as_it_should_be_is_sound(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["db", "upgrade"]) == 0
    capsys.readouterr()
    document = told(capsys, monkeypatch, **PRODUCTION)
    assert (document["problems"], document["warnings"]) == ([], [])
    assert document["settings"]["key_pepper"] == "***"


def test_all_that_is_wrong_is_told_at_once(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {**PRODUCTION, "JWT_SECRET_KEY": "", "KEY_PEPPER": "canary", "PORT": "http", "CORS_ORIGINS": "*"}
    document = told(capsys, monkeypatch, 78, **{**environment, "MAIL_URL": "canary", "DATABASE_URL": "mysql://canary"})
    names = [sentence.split()[0] for sentence in document["problems"]]
    assert sorted(names) == ["CORS_ORIGINS", "DATABASE_URL", "JWT_SECRET_KEY", "KEY_PEPPER", "MAIL_URL", "PORT"]
    secrets_told = [each for each in document["problems"] if each.startswith(("JWT", "KEY"))]
    assert all("python3 -c" in each for each in secrets_told)


def test_the_text_has_a_line_for_each_and_serving_says_how_many_more(
    capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORT", "http")
    monkeypatch.setenv("LOG_LEVEL", "loud")
    assert main(["check-config"]) == 78
    shown = capsys.readouterr()
    assert (shown.out, len(shown.err.splitlines())) == ("", 2)
    assert main(["serve"]) == 78
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("monkey-server: PORT is 'http'")
    assert "(1 more: `monkey-server check-config` lists all.)" in line


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"BASE_URL": "http://gateway.example.com"}, "BASE_URL is 'http://gateway.example.com'; in production"),
        ({"CORS_ORIGINS": "http://localhost:3000"}, "CORS_ORIGINS holds 'http://localhost:3000'"),
        ({"METRICS_PORT": "8000"}, "PORT and METRICS_PORT are both 8000"),
        ({"SEMANTIC_CACHE": "opt-out"}, "SEMANTIC_CACHE is 'opt-out'"),
        ({"SEMANTIC_CACHE_SIMILARITY": "0.5"}, "SEMANTIC_CACHE_SIMILARITY is '0.5'"),
        ({"SEMANTIC_CACHE_SIMILARITY": "1.01"}, "SEMANTIC_CACHE_SIMILARITY is '1.01'"),
        ({"SEMANTIC_CACHE": "opt-in", "RESPONSE_CACHE": "off"}, "SEMANTIC_CACHE is on and RESPONSE_CACHE is off"),
        ({"OPENAI_API_KEY": "sk-canary sk-canary"}, "OPENAI_API_KEY holds blanks"),
        ({"REDIS_URL": "https://canary"}, "REDIS_URL cannot be read"),
        ({"REDIS_URL": "redis://127.0.0.1:6379/canary"}, "REDIS_URL cannot be read"),
        ({"KEY_PEPPER": STRONG}, "JWT_SECRET_KEY and KEY_PEPPER are the same"),
        ({"KEY_PEPPER": f"{OTHER},canary"}, "KEY_PEPPER is too weak"),
        ({"DATABASE_URL": "postgresql://me:postgres@127.0.0.1:1/x"}, "DATABASE_URL holds a password everybody tries"),
        ({"DATABASE_URL": "postgresql://me:canary@127.0.0.1:1/x"}, "DATABASE_URL: Cannot open the"),
    ],
)
def test_what_production_must_not_be(
    capsys: Output, monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], says: str
) -> None:
    document = told(capsys, monkeypatch, 78, **{**PRODUCTION, **changes})
    assert [sentence for sentence in document["problems"] if sentence.startswith(says)], document["problems"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"MAIL_URL": ""}, "MAIL_URL is not set"),
        ({"OPENAI_API_KEY": ""}, "No provider has a key"),
        ({"OPENAI_API_KEY": "canary"}, "OPENAI_API_KEY does not look like a key of openai"),
        ({"OPENAI_API_KEY": "sk-canary,sk-canary"}, "OPENAI_API_KEY names one key twice"),
        ({"TRUSTED_PROXY_HOPS": "0"}, "TRUSTED_PROXY_HOPS is 0"),
        ({}, "The database is empty"),
    ],
)
def test_what_may_be_meant_is_a_warning(
    capsys: Output, monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], says: str
) -> None:
    document = told(capsys, monkeypatch, **{**PRODUCTION, **changes})
    assert [sentence for sentence in document["warnings"] if sentence.startswith(says)], document["warnings"]


@pytest.mark.skipif(wordllama.missing() is not None, reason=str(wordllama.missing()))
def test_a_semantic_cache_needs_its_extra(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(capsys, monkeypatch, SEMANTIC_CACHE="opt-in", **PRODUCTION)["problems"] == []
    monkeypatch.setattr(wordllama, "find_spec", lambda _name: None)
    (problem,) = told(capsys, monkeypatch, code=78)["problems"]
    assert problem.startswith("SEMANTIC_CACHE is on, but wordllama, tokenizers, safetensors, numpy not installed")
    assert "`pip install monkey-coder-server[semantic]`" in problem
    assert told(capsys, monkeypatch, SEMANTIC_CACHE="off")["problems"] == []


@pytest.mark.system
def test_a_redis_that_cannot_be_reached_is_a_warning(capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    document = told(capsys, monkeypatch, **{**PRODUCTION, "REDIS_URL": "redis://:canary@127.0.0.1:1/0"})
    assert "REDIS_URL: redis://@127.0.0.1:1/0 cannot be used: Connection refused." in document["warnings"]


def test_a_database_that_is_newer_or_broken_is_a_problem(
    capsys: Output, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert main(["db", "upgrade"]) == 0
    capsys.readouterr()
    [books] = (tmp_path / "data").glob("*.db")
    with closing(sqlite3.connect(books)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    [newer] = told(capsys, monkeypatch, 78, **PRODUCTION)["problems"]
    assert "newer release (9999)" in newer
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"no database " * 100)
    [unreadable] = told(capsys, monkeypatch, 78, **PRODUCTION, DATABASE_URL=f"sqlite:///{broken}")["problems"]
    assert "cannot be read" in unreadable


def test_nothing_is_made_by_looking(capsys: Output, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told(capsys, monkeypatch, **PRODUCTION)
    assert not list((tmp_path / "data").iterdir())
