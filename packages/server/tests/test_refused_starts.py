"""What `check-config` calls wrong does not start: real processes, each with one thing wrong."""
# ruff: noqa: S603 - the processes started are this repository's own commands

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from packages.server.tests.test_check_config import PRODUCTION
from packages.server.tests.test_payment_settings import PAYING
from packages.server.tests.test_settings import OTHER, STRONG

pytestmark = pytest.mark.system
CONFIGURATION_ERROR, TRY_AGAIN = 78, 69
HOW_TO_MAKE = "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
SECRETS = [
    ({"JWT_SECRET_KEY": ""}, "JWT_SECRET_KEY is not set"),
    ({"KEY_PEPPER": ""}, "KEY_PEPPER is not set"),
    ({"JWT_SECRET_KEY": "canary-of-20-letters"}, "JWT_SECRET_KEY is too weak: it has 20 characters"),
    ({"KEY_PEPPER": "canary" * 8}, "KEY_PEPPER is too weak: it repeats a few characters"),
    ({"JWT_SECRET_KEY": "canary-change-me-in-production-0192837465"}, "JWT_SECRET_KEY is too weak: it looks like"),
    ({"KEY_PEPPER": f"{OTHER},canary"}, "KEY_PEPPER is too weak"),
    ({"KEY_PEPPER": STRONG}, "JWT_SECRET_KEY and KEY_PEPPER are the same"),
]
OTHERS = [
    ({"BASE_URL": "http://gateway.example.com"}, "BASE_URL is 'http://gateway.example.com'; in production"),
    ({"BASE_URL": ""}, "BASE_URL is 'http://localhost:8000'; in production"),
    ({"CORS_ORIGINS": "http://app.example.com"}, "CORS_ORIGINS holds 'http://app.example.com'"),
    ({"METRICS_PORT": "8000"}, "PORT and METRICS_PORT are both 8000"),
    ({"OPENAI_API_KEY": "sk-canary sk-canary"}, "OPENAI_API_KEY holds blanks"),
    ({"MAIL_URL": "canary"}, "MAIL_URL"),
    ({"STRIPE_SECRET_KEY": "pk_test_canary"}, "STRIPE_SECRET_KEY holds a publishable key"),
    ({"STRIPE_SECRET_KEY": "rk_live_canary"}, "STRIPE_SECRET_KEY is set and STRIPE_WEBHOOK_SECRET is not"),
    ({**PAYING, "STRIPE_WEBHOOK_SECRET": ","}, "STRIPE_SECRET_KEY is set and STRIPE_WEBHOOK_SECRET is not"),
    ({**PAYING, "STRIPE_WEBHOOK_SECRET": "canary"}, "STRIPE_WEBHOOK_SECRET is no signing secret"),
    ({**PAYING, "STRIPE_PUBLIC_KEY": "pk_live_canary"}, "STRIPE_PUBLIC_KEY is of live mode and STRIPE_SECRET_KEY"),
    ({**PAYING, "STRIPE_API_BASE": "https://pay.example.com"}, "STRIPE_API_BASE is 'https://pay.example.com'"),
    ({**PAYING, "ENVIRONMENT": "development", "STRIPE_SECRET_KEY": "sk_live_canary"}, "STRIPE_SECRET_KEY is of live"),
    ({"DATABASE_URL": "mysql://canary"}, "DATABASE_URL is a mysql address"),
]


def ended(folder: Path, changes: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command in a production in which all is well but the changes."""
    environment = {"PATH": os.environ["PATH"], "DATA_DIR": str(folder), **PRODUCTION, **changes}
    command = [sys.executable, "-m", "monkey_coder_server", *arguments]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False, timeout=60)


def refused(folder: Path, changes: dict[str, str], says: str, *, code: int = CONFIGURATION_ERROR) -> str:
    """What a start is refused with; the first of what `check-config` has to say, and no secret in it."""
    started = ended(folder, changes, "serve")
    assert started.returncode == code, started.stdout + started.stderr
    [line] = started.stderr.splitlines()
    assert line.startswith(f"monkey-server: {says}"), line
    assert "canary" not in line
    assert not [secret for secret in (STRONG, OTHER) if secret in line]
    assert not list(folder.iterdir()), "nothing is made by a start that is refused"
    checked = json.loads(ended(folder, changes, "check-config", "--json").stdout)
    assert line.startswith(f"monkey-server: {checked['problems'][0]}")
    return line


@pytest.mark.parametrize(("changes", "says"), SECRETS)
def test_a_missing_weak_or_default_secret_is_named_with_how_to_make_one(
    tmp_path: Path, changes: dict[str, str], says: str
) -> None:
    assert HOW_TO_MAKE in refused(tmp_path, changes, says)


@pytest.mark.parametrize(("changes", "says"), OTHERS)
def test_what_else_is_wrong_is_one_sentence(tmp_path: Path, changes: dict[str, str], says: str) -> None:
    refused(tmp_path, changes, says)


def test_a_database_with_a_password_everybody_tries_is_refused_although_it_opens(
    tmp_path: Path, postgresql_database: str
) -> None:
    """The server of the tests asks for no password, so any is right."""
    guessed = postgresql_database.replace("@", ":postgres@", 1)
    refused(tmp_path, {"DATABASE_URL": guessed}, "DATABASE_URL holds a password everybody tries first")


def test_a_database_that_is_away_is_worth_another_try_unless_there_is_more_to_correct(tmp_path: Path) -> None:
    away = {"DATABASE_URL": "postgresql://me:canary@127.0.0.1:1/x"}
    refused(tmp_path, away, "DATABASE_URL: Cannot open the", code=TRY_AGAIN)
    refused(tmp_path, {**away, "METRICS_PORT": "8000"}, "DATABASE_URL: Cannot open the")


def test_all_that_is_wrong_is_counted(tmp_path: Path) -> None:
    line = refused(tmp_path, {"BASE_URL": "", "METRICS_PORT": "8000"}, "PORT and METRICS_PORT are both 8000")
    assert line.endswith("(1 more: `monkey-server check-config` lists all.)")
