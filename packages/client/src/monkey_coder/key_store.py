"""Where the key is kept: in the keyring of the operating system when there is one, else in the configuration file.

The keyring comes with the extra `keyring` (`monkey-coder[keyring]`). The configuration file then says that the key is
there; each configuration file has an entry of its own.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from monkey_coder import config_file

SERVICE = "monkey-coder"
MARK = "apiKeyIn"
KEYRING = "keyring"
LEAST_PRIORITY = 1
"""What the keyring package calls recommended: below are stores that encrypt nothing."""


class Keyring(Protocol):
    """What is used of a backend of the keyring package."""

    name: str

    def get_password(self, service: str, username: str) -> str | None:
        """The secret of an entry."""

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep a secret."""

    def delete_password(self, service: str, username: str) -> None:
        """Forget a secret."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A key and where it is: words for people in `place`; `origin` is `keyring` or `user`, as in settings."""

    key: str
    place: str
    origin: str


def read(path: Path) -> Kept | None:
    """The key that a log-in left. Raises `ConfigurationError` for a broken file."""
    content = config_file.read(path)
    key = content.get("apiKey")
    if isinstance(key, str) and key.strip():
        return Kept(key.strip(), str(path), "user")
    if content.get(MARK) != KEYRING:
        return None
    keyring = _keyring()
    found = _attempt(lambda: keyring.get_password(SERVICE, str(path))) if keyring is not None else None
    return Kept(found, _place(keyring), KEYRING) if found and keyring is not None else None


def save(path: Path, key: str, *, more: dict[str, Any] | None = None) -> Kept:
    """Keep a key, and other settings in the file. A keyring that does not give it back at once is not trusted with it.

    Raises `ConfigurationError` when the file cannot be written.
    """
    keyring = _keyring()
    if keyring is not None and _attempt(lambda: _kept_by(keyring, path, key)):
        config_file.update(path, {**(more or {}), "apiKey": None, MARK: KEYRING})
        return Kept(key, _place(keyring), KEYRING)
    config_file.update(path, {**(more or {}), "apiKey": key, MARK: None})
    return Kept(key, str(path), "user")


def forget(path: Path) -> None:
    """Remove the key from wherever it is. Raises `ConfigurationError` when the file cannot be written."""
    keyring = _keyring() if config_file.read(path).get(MARK) == KEYRING else None
    if keyring is not None:
        _attempt(lambda: keyring.delete_password(SERVICE, str(path)))
    config_file.update(path, {"apiKey": None, MARK: None, "refreshToken": None})


def _keyring() -> Keyring | None:
    try:
        import keyring  # noqa: PLC0415  # an optional extra, and slow to load
    except ImportError:
        return None
    chosen: Any = _attempt(keyring.get_keyring)
    return chosen if chosen is not None and chosen.priority >= LEAST_PRIORITY else None


def _kept_by(keyring: Keyring, path: Path, key: str) -> bool:
    keyring.set_password(SERVICE, str(path), key)
    return keyring.get_password(SERVICE, str(path)) == key


def _place(keyring: Keyring) -> str:
    return f"the keyring ({keyring.name})"


def _attempt(use: Any) -> Any:
    """What a backend answers, None when it fails: locked, no session bus, and whatever else each of them raises."""
    try:
        return use()
    except Exception:  # noqa: BLE001  # every backend brings errors of its own
        return None
