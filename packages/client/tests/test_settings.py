"""Flags beat environment, environment beats project file, project file beats user file."""

import json
import stat
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path

import pytest

from monkey_coder import config_file, settings
from monkey_coder.errors import ConfigurationError

LAYERS = ("user", "project", "environment", "flag")
VARIABLES = settings.ENVIRONMENT


def load_with(home: Path, values: Mapping[str, str], key: str = "defaultPersona") -> settings.Settings:
    """Settings where each named layer sets `key` to its value."""
    if "user" in values:
        write(home / ".config/monkey-coder/config.json", {key: values["user"]})
    if "project" in values:
        write(Path.cwd() / ".monkey-coder/config.json", {key: values["project"]})
    environ = {"HOME": str(home)}
    if "environment" in values:
        environ[VARIABLES[key]] = values["environment"]
    return settings.load({key: values.get("flag")}, environ=environ)


def write(path: Path, content: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.mark.parametrize(("weaker", "stronger"), list(combinations(LAYERS, 2)))
@pytest.mark.parametrize("key", list(VARIABLES))
def test_of_each_pair_the_stronger_wins(home: Path, weaker: str, stronger: str, key: str) -> None:
    found = load_with(home, {weaker: "weak", stronger: "strong"}, key)
    assert found.found[key] == settings.Setting("strong", stronger)


def test_nothing_set_means_the_default_address_and_no_key(home: Path) -> None:
    found = load_with(home, {})
    assert found.base_url == "http://localhost:8000"
    assert found.api_key is None


@pytest.mark.parametrize("name", config_file.PROJECT_NAMES)
def test_a_project_file_counts_from_a_folder_above(home: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write(Path.cwd() / name, {"defaultPersona": "tester"})
    below = Path.cwd() / "src" / "deep"
    below.mkdir(parents=True)
    found = settings.load(environ={"HOME": str(home)}, start=below)
    assert found.value("defaultPersona") == "tester"


def test_xdg_config_home_is_respected_when_absolute(home: Path) -> None:
    assert config_file.user_file({"XDG_CONFIG_HOME": "/x", "HOME": "/h"}) == Path("/x/monkey-coder/config.json")
    relative = config_file.user_file({"XDG_CONFIG_HOME": "x", "HOME": "/h"})
    assert relative == Path("/h/.config/monkey-coder/config.json")


def test_without_a_home_the_error_says_what_to_set() -> None:
    with pytest.raises(ConfigurationError, match="set HOME"):
        settings.load(environ={})


def test_without_a_home_the_environment_is_enough(home: Path) -> None:
    assert settings.load(environ={"MONKEY_CODER_API_KEY": "mk-1"}).api_key == "mk-1"


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ('{"apiKey": }', ":1:12"),
        ('{\n  "apiKey": "x",\n}', ":3:1"),
        ("", ":1:1"),
        ("[]", ":1:1"),
    ],
)
def test_a_broken_file_is_named_with_line_and_column(home: Path, text: str, position: str) -> None:
    path = write(home / ".config/monkey-coder/config.json", text)
    with pytest.raises(ConfigurationError) as caught:
        settings.load(environ={"HOME": str(home)})
    assert str(caught.value).startswith(f"{path}{position}: ")
    with pytest.raises(ConfigurationError):
        config_file.update(path, {"apiKey": "mk-new"})
    assert path.read_text() == text


def test_a_value_of_the_wrong_kind_is_named(home: Path) -> None:
    write(home / ".config/monkey-coder/config.json", {"baseUrl": 5})
    with pytest.raises(ConfigurationError, match='"baseUrl" must be a string'):
        settings.load(environ={"HOME": str(home)})


def test_a_file_that_is_no_text_is_named(home: Path) -> None:
    path = write(home / ".config/monkey-coder/config.json", {})
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        settings.load(environ={"HOME": str(home)})


def test_a_rewrite_keeps_unknown_keys_and_their_order_and_is_private(home: Path) -> None:
    path = write(
        home / ".config/monkey-coder/config.json", {"preferences": {"a": [1]}, "apiKey": "old", "später": None}
    )
    path.chmod(0o644)
    config_file.update(path, {"apiKey": "new", "defaultPersona": "tester"})
    content = json.loads(path.read_text())
    assert content == {"preferences": {"a": [1]}, "apiKey": "new", "später": None, "defaultPersona": "tester"}
    assert list(content) == ["preferences", "apiKey", "später", "defaultPersona"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    config_file.update(path, {"apiKey": None, "never": None})
    assert list(json.loads(path.read_text())) == ["preferences", "später", "defaultPersona"]


def test_a_new_file_gets_a_private_folder(home: Path) -> None:
    path = config_file.user_file({"HOME": str(home)})
    config_file.update(path, {"apiKey": "mk-1"})
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["config.json"]


def test_a_failed_rewrite_leaves_the_old_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(home / ".config/monkey-coder/config.json", {"apiKey": "old"})

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(ConfigurationError, match="No space left"):
        config_file.update(path, {"apiKey": "new"})
    assert json.loads(path.read_text()) == {"apiKey": "old"}
    assert [entry.name for entry in path.parent.iterdir()] == ["config.json"]


@pytest.mark.parametrize(("mode", "loose"), [(0o600, False), (0o400, False), (0o640, True), (0o604, True)])
def test_a_file_that_others_can_read_is_noticed(home: Path, mode: int, loose: bool) -> None:
    path = write(home / "config.json", {})
    path.chmod(mode)
    assert config_file.readable_by_others(path) is loose


def test_a_missing_file_is_not_readable_by_others(home: Path) -> None:
    assert not config_file.readable_by_others(home / "none")


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://localhost:8000/", "http://localhost:8000"),
        (" https://gw.example/v1 ", "https://gw.example"),
        ("https://gw.example/api/v1/", "https://gw.example"),
        ("https://gw.example/monkey", "https://gw.example/monkey"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_addresses_are_brought_to_one_form(given: str, used: str) -> None:
    assert settings.checked_base_url(given) == used


@pytest.mark.parametrize(
    "given",
    [
        "",
        "localhost:8000",
        "ftp://x",
        "file:///etc/passwd",
        "http://",
        "http://h:port",
        "http://[::1",
        "https://u:p@h",
        "http://h/?a=b",
        "http://h/#x",
    ],
)
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(ConfigurationError, match=r"base URL"):
        settings.checked_base_url(given)


def test_a_project_cannot_send_the_users_key_to_its_own_host(home: Path) -> None:
    write(home / ".config/monkey-coder/config.json", {"apiKey": "mk-1"})
    write(Path.cwd() / "monkey-coder.json", {"baseUrl": "https://evil.example"})
    with pytest.raises(ConfigurationError, match="your key would go there"):
        _ = settings.load(environ={"HOME": str(home)}).base_url


@pytest.mark.parametrize(
    "project",
    [{"baseUrl": "http://127.0.0.1:9000"}, {"baseUrl": "https://gw.example", "apiKey": "mk-project"}],
)
def test_a_project_may_name_a_local_gateway_or_bring_its_own_key(home: Path, project: dict[str, str]) -> None:
    write(home / ".config/monkey-coder/config.json", {"apiKey": "mk-1"})
    write(Path.cwd() / "monkey-coder.json", project)
    assert settings.load(environ={"HOME": str(home)}).base_url == project["baseUrl"]
