"""Where the key is kept."""

import json
import stat
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from monkey_coder import config_file, key_store, settings


class MemoryKeyring(KeyringBackend):
    """A keyring of this process."""

    priority = 5.0  # type: ignore[assignment]  # a class property there, a number here
    name = "memory"

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


class LockedKeyring(MemoryKeyring):
    """One that its owner does not open."""

    def set_password(self, service: str, username: str, password: str) -> None:
        raise KeyringLocked(service, username, len(password))


class ForgetfulKeyring(MemoryKeyring):
    """One that says yes and keeps nothing."""

    def set_password(self, service: str, username: str, password: str) -> None:
        """Do nothing."""


class PlainKeyring(MemoryKeyring):
    """One that encrypts nothing: the keyring package gives those a priority below 1."""

    priority = 0.5  # type: ignore[assignment]  # as above


def use(backend: KeyringBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring, "get_keyring", lambda: backend)


@pytest.fixture
def path(home: Path) -> Path:
    return home / ".config/monkey-coder/config.json"


def test_a_keyring_keeps_the_key_and_the_file_only_says_so(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = MemoryKeyring()
    use(backend, monkeypatch)
    kept = key_store.save(path, "mk-secret", more={"baseUrl": "http://x"})
    assert (kept.place, kept.origin) == ("the keyring (memory)", "keyring")
    assert json.loads(path.read_text()) == {"baseUrl": "http://x", "apiKeyIn": "keyring"}
    assert backend.kept == {("monkey-coder", str(path)): "mk-secret"}
    found = settings.load(environ={"HOME": str(path.parents[2])})
    assert (found.api_key, found.found["apiKey"].origin) == ("mk-secret", "keyring")


def test_a_key_of_the_environment_goes_before_and_the_keyring_is_not_asked(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(MemoryKeyring(), monkeypatch)
    key_store.save(path, "mk-secret")
    monkeypatch.setattr(keyring, "get_keyring", lambda: pytest.fail("asked"))
    found = settings.load(environ={"HOME": str(path.parents[2]), "MONKEY_CODER_API_KEY": "mk-env"})
    assert found.api_key == "mk-env"


def test_forgetting_takes_it_out_of_the_keyring(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = MemoryKeyring()
    use(backend, monkeypatch)
    key_store.save(path, "mk-secret")
    key_store.forget(path)
    assert (backend.kept, json.loads(path.read_text()), key_store.read(path)) == ({}, {}, None)


@pytest.mark.parametrize("backend", [LockedKeyring, ForgetfulKeyring, PlainKeyring])
def test_a_keyring_that_is_locked_forgets_or_encrypts_nothing_gets_no_key(
    path: Path, monkeypatch: pytest.MonkeyPatch, backend: type[MemoryKeyring]
) -> None:
    use(backend(), monkeypatch)
    kept = key_store.save(path, "mk-secret")
    assert (kept.place, kept.origin) == (str(path), "user")
    assert json.loads(path.read_text()) == {"apiKey": "mk-secret"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_log_in_without_a_keyring_takes_back_what_an_earlier_one_said(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(MemoryKeyring(), monkeypatch)
    key_store.save(path, "mk-old")
    use(PlainKeyring(), monkeypatch)
    assert key_store.read(path) is None
    key_store.save(path, "mk-new")
    assert config_file.read(path) == {"apiKey": "mk-new"}


def test_each_configuration_file_has_an_entry_of_its_own(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(MemoryKeyring(), monkeypatch)
    other = tmp_path / "other/config.json"
    key_store.save(path, "mk-1")
    key_store.save(other, "mk-2")
    key_store.forget(other)
    found = key_store.read(path)
    assert found is not None
    assert found.key == "mk-1"
