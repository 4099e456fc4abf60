import stat
from pathlib import Path

import pytest

from monkey_coder_server.settings import VARIABLES, Secret, SettingsError, help_text, load, without_password

STRONG = "kR7vQ2mX9bT4wZ6nL1pS8dF3gH5jC0aYeU-iO_q"
OTHER = "Zb4TqW9xN2mV7kL5pR1sD8fG3hJ6cA0yEu-iO_kP"
PRODUCTION = {"ENVIRONMENT": "production", "JWT_SECRET_KEY": STRONG, "KEY_PEPPER": OTHER}


class Watched(dict[str, str]):
    """Notes which names are asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def get(self, key: str, default: str = "") -> str:  # type: ignore[override] # narrower on purpose
        self.asked.add(key)
        return super().get(key, default)


def test_the_table_lists_exactly_what_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched()
    monkeypatch.setattr("monkey_coder_server.settings.with_file", lambda _values, _folder: watched)
    load({}, folder=tmp_path)
    assert watched.asked | {"ENV_FILE"} == {variable.name for variable in VARIABLES}


def test_the_help_names_every_variable() -> None:
    text = help_text()
    assert all(f"  {variable.name}  (default: " in text for variable in VARIABLES)


def test_development_needs_nothing_and_keeps_the_secrets_it_makes(tmp_path: Path) -> None:
    first = load({}, folder=tmp_path)
    second = load({}, folder=tmp_path)
    assert first.jwt_secret_key == second.jwt_secret_key
    assert first.jwt_secret_key != first.key_pepper
    assert len(first.notices) == 2
    assert second.notices == ()
    assert first.trial_credit_usd == "5"
    kept = tmp_path / ".monkey-data" / "key_pepper.secret"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_no_secret_shows_in_the_settings(tmp_path: Path) -> None:
    settings = load({**PRODUCTION, "OPENAI_API_KEY": "sk-canary-1,sk-canary-2"}, folder=tmp_path)
    assert len(settings.providers["openai"].keys) == 2
    for shown in (repr(settings), str(settings)):
        assert "canary" not in shown
        assert STRONG not in shown
        assert "***" in shown


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"JWT_SECRET_KEY": ""}, "JWT_SECRET_KEY is not set"),
        ({"KEY_PEPPER": ""}, "KEY_PEPPER is not set"),
        ({"JWT_SECRET_KEY": "short"}, "at least 32 are needed"),
        ({"JWT_SECRET_KEY": "a" * 64}, "repeats a few characters"),
        ({"KEY_PEPPER": "change-me-change-me-in-production-0123456789"}, "looks like an example"),
    ],
)
def test_production_refuses_missing_and_weak_secrets(changes: dict[str, str], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        load({**PRODUCTION, **changes}, folder=tmp_path)
    assert sentence in str(refused.value)
    assert "python3 -c" in str(refused.value)
    assert not list((tmp_path / ".monkey-data").glob("*.secret"))


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("ENVIRONMENT", "prod", "development, production"),
        ("PORT", "eighty", "whole number from 0 to 65535"),
        ("PORT", "70000", "whole number from 0 to 65535"),
        ("LOG_LEVEL", "loud", "debug, info"),
        ("LOG_FORMAT", "xml", "text, json"),
        ("BASE_URL", "ftp://x", "https://example.com"),
        ("CORS_ORIGINS", "*", "exact origins"),
        ("CORS_ORIGINS", "https://a.example/path", "exact origins"),
        ("MFA_ENABLED", "sometimes", "off, optional, required"),
        ("MARKUP_PERCENT", "-1", "percentage"),
        ("MARKUP_PERCENT", "1e3", "percentage"),
        ("TRIAL_CREDIT_USD", "five", "amount in USD"),
        ("OPENAI_BASE_URL", "not a url", "https://example.com"),
        ("DATA_DIR", "/proc/nowhere", "folder"),
    ],
)
def test_a_broken_value_is_named_with_what_is_allowed(name: str, value: str, allowed: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        load({name: value}, folder=tmp_path)
    assert str(refused.value).startswith(f"{name} is ")
    assert allowed in str(refused.value)


def test_another_database_is_refused_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        load({"DATABASE_URL": "mysql://me:canary@db/x"}, folder=tmp_path)
    assert "mysql" in str(refused.value)
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:canary@db:5433/books?sslmode=require&password=canary", "postgresql://me@db:5433/books"),
        ("postgres://db/books", "postgres://db/books"),
        ("sqlite:////data/books.db", "sqlite:////data/books.db"),
    ],
)
def test_a_database_is_shown_without_its_password(url: str, shown: str, tmp_path: Path) -> None:
    settings = load({"DATABASE_URL": url}, folder=tmp_path)
    assert settings.database_url.reveal() == url
    assert "canary" not in repr(settings)
    assert without_password(url) == shown


def test_dotenv_is_read_in_development_and_the_environment_wins(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text('# notes\nexport PORT=8123\nBASE_URL="https://me.example"\nLOG_LEVEL=debug\n')
    settings = load({"LOG_LEVEL": "error"}, folder=tmp_path)
    assert (settings.port, settings.base_url, settings.log_level) == (8123, "https://me.example", "error")


def test_dotenv_is_not_read_in_production(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=8123\n")
    assert load(PRODUCTION, folder=tmp_path).port == 8000


def test_dotenv_cannot_switch_to_production(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ENVIRONMENT=production\n")
    with pytest.raises(SettingsError, match="export it instead"):
        load({}, folder=tmp_path)


def test_a_named_file_counts_in_production_too_and_the_environment_wins(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=8123\n")
    lines = [f"{name}={value}\n" for name, value in PRODUCTION.items()]
    (tmp_path / "gateway.env").write_text("".join([*lines, "LOG_LEVEL=debug\nWORKERS=4\n"]))
    settings = load({"ENV_FILE": "gateway.env", "LOG_LEVEL": "error"}, folder=tmp_path)
    assert (settings.production, settings.port, settings.log_level, settings.workers) == (True, 8000, "error", 4)


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "cannot be read"), (b"\xff\xfe=1", "is no text"), (b"ENV_FILE=other", "another"), (b"nonsense", "line 1")],
)
def test_a_named_file_that_is_none_is_refused(tmp_path: Path, content: bytes | None, says: str) -> None:
    if content is not None:
        (tmp_path / "gateway.env").write_bytes(content)
    with pytest.raises(SettingsError, match=says):
        load({"ENV_FILE": "gateway.env"}, folder=tmp_path)


def test_a_broken_dotenv_line_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=1\nnonsense\n")
    with pytest.raises(SettingsError, match="line 2"):
        load({}, folder=tmp_path)


def test_railway_gives_the_public_address_and_one_trusted_proxy(tmp_path: Path) -> None:
    settings = load({"RAILWAY_PUBLIC_DOMAIN": "monkey.up.railway.app"}, folder=tmp_path)
    assert settings.base_url == "https://monkey.up.railway.app"
    assert settings.trusted_proxy_hops == 1
    assert "https://monkey.up.railway.app" in settings.cors_origins


def test_production_gives_no_credit_away_and_logs_json(tmp_path: Path) -> None:
    settings = load(PRODUCTION, folder=tmp_path)
    assert (settings.trial_credit_usd, settings.log_format) == ("0", "json")


def test_flags_win_and_the_address_users_are_told_follows_the_port(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=8123\n")
    settings = load({"PORT": "8124"}, folder=tmp_path, flags={"PORT": "8125"})
    assert (settings.port, settings.base_url) == (8125, "http://localhost:8125")


@pytest.mark.parametrize(
    ("value", "meant"),
    [("", "optional"), ("true", "optional"), ("False", "off"), ("off", "off"), ("REQUIRED", "required")],
)
def test_second_factors_are_off_optional_or_required(value: str, meant: str, tmp_path: Path) -> None:
    assert load({"MFA_ENABLED": value}, folder=tmp_path).second_factors == meant


def test_secrets_are_replaced_by_putting_the_new_one_first(tmp_path: Path) -> None:
    given = {**PRODUCTION, "JWT_SECRET_KEY": f"{STRONG}, {STRONG[::-1]}", "KEY_PEPPER": f"{OTHER},{OTHER[::-1]}"}
    settings = load(given, folder=tmp_path)
    assert (settings.jwt_secret_key, settings.old_jwt_secrets) == (Secret(STRONG), (Secret(STRONG[::-1]),))
    assert (settings.key_pepper, settings.old_peppers) == (Secret(OTHER), (Secret(OTHER[::-1]),))


@pytest.mark.parametrize("more", ["short", OTHER])
def test_a_former_secret_is_no_weaker_and_no_pepper(more: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="JWT_SECRET_KEY"):
        load({**PRODUCTION, "JWT_SECRET_KEY": f"{STRONG},{more}"}, folder=tmp_path)
