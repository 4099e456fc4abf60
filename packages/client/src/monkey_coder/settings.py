"""Where the defaults come from: flags, then environment, then project file, then user file."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from monkey_coder import config_file, key_store
from monkey_coder.errors import ConfigurationError

DEFAULT_BASE_URL = "http://localhost:8000"
ENVIRONMENT = {
    "apiKey": "MONKEY_CODER_API_KEY",
    "baseUrl": "MONKEY_CODER_BASE_URL",
    "defaultPersona": "MONKEY_CODER_DEFAULT_PERSONA",
    "defaultModel": "MONKEY_CODER_DEFAULT_MODEL",
    "defaultProvider": "MONKEY_CODER_DEFAULT_PROVIDER",
    "organization": "MONKEY_CODER_ORGANIZATION",
    "verifyCommand": "MONKEY_CODER_VERIFY_COMMAND",
}
"""The configuration keys that are read, and the variable that overrides each."""
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True)
class Setting:
    """A value and where it was found: `flag`, `environment`, `project`, `user`, `keyring` or `default`."""

    value: str
    origin: str


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings that were found, by configuration key."""

    found: Mapping[str, Setting]
    user_path: Path | None
    project_path: Path | None

    def value(self, key: str) -> str | None:
        """The value in force, None when nobody set it."""
        setting = self.found.get(key)
        return setting.value if setting else None

    @property
    def base_url(self) -> str:
        """The gateway's address without a trailing slash or version. Raises `ConfigurationError`."""
        setting = self.found["baseUrl"]
        address = checked_base_url(setting.value)
        if setting.origin == "project":
            self._guard_project_address(address)
        return address

    @property
    def api_key(self) -> str | None:
        """The key in force."""
        return self.value("apiKey")

    def _guard_project_address(self, address: str) -> None:
        """A checked-out project must not send the user's key to a host of its own choice."""
        key = self.found.get("apiKey")
        if (key is not None and key.origin == "project") or urlsplit(address).hostname in _LOOPBACK:
            return
        message = (
            f"sets baseUrl to {address}, but your key would go there. If you trust it, run"
            f" `monkey config set baseUrl {address}` and pass --base-url {address}, or set MONKEY_CODER_BASE_URL."
        )
        raise ConfigurationError(
            message,
            path=self.project_path,
        )


def load(
    flags: Mapping[str, str | None] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    start: Path | None = None,
) -> Settings:
    """Look everywhere once. Raises `ConfigurationError` for a broken file or a value of the wrong kind."""
    environment = os.environ if environ is None else environ
    user_path = _user_path(environment)
    project_path = config_file.project_file(start or Path.cwd(), user_path)
    layers: list[tuple[str, dict[str, Any]]] = [
        ("user", _strings(user_path)),
        ("project", _strings(project_path)),
        ("environment", {key: environment.get(name, "").strip() for key, name in ENVIRONMENT.items()}),
        ("flag", dict(flags or {})),
    ]
    found = {"baseUrl": Setting(DEFAULT_BASE_URL, "default")}
    for origin, values in layers:
        found |= {key: Setting(value, origin) for key, value in values.items() if value}
    if "apiKey" not in found and user_path is not None and (kept := key_store.read(user_path)) is not None:
        found["apiKey"] = Setting(kept.key, kept.origin)
    return Settings(found, user_path, project_path)


def checked_base_url(value: str) -> str:
    """An http(s) address; `/v1` at its end is taken off, the client adds it. Raises `ConfigurationError`."""
    try:
        parts = urlsplit(value.strip())
        parts.port  # noqa: B018  # reading it is what raises for a port that is no number
    except ValueError as error:
        message = f"The base URL {value!r} is not an address: {error}."
        raise ConfigurationError(message) from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        message = f"The base URL {value!r} must look like https://host or http://localhost:8000."
        raise ConfigurationError(message)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigurationError("The base URL must not hold a user name, a password, a query or a fragment.")
    path = parts.path.rstrip("/")
    for suffix in ("/api/v1", "/v1"):
        path = path.removesuffix(suffix)
    return f"{parts.scheme}://{parts.netloc}{path}"


def _user_path(environ: Mapping[str, str]) -> Path | None:
    """None where no home folder is known but the environment says all that is needed."""
    try:
        return config_file.user_file(environ)
    except ConfigurationError:
        if environ.get(ENVIRONMENT["apiKey"]):
            return None
        raise


def _strings(path: Path | None) -> dict[str, str]:
    content: dict[str, Any] = config_file.read(path) if path else {}
    for key in ENVIRONMENT:
        value = content.get(key)
        if value is not None and not isinstance(value, str):
            message = f'"{key}" must be a string, not {type(value).__name__}'
            raise ConfigurationError(message, path=path)
    return {key: content[key].strip() for key in ENVIRONMENT if content.get(key)}
