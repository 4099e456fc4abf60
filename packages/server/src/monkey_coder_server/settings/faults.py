"""Text that is secret or holds a secret, and what is said of a variable that is wrong."""

import secrets
from urllib.parse import urlsplit


class SettingsError(Exception):
    """Variables are missing or wrong: each of `problems` names one, its value and what is allowed."""

    exit_code = 78
    """EX_CONFIG of sysexits.h: trying again changes nothing."""

    def __init__(self, *problems: str) -> None:
        super().__init__(*problems)
        self.problems = problems

    def __str__(self) -> str:
        first, *more = self.problems
        return f"{first} ({len(more)} more: `monkey-server check-config` lists all.)" if more else first


class AwayError(SettingsError):
    """What a variable names cannot be reached now: the same start may succeed later."""

    exit_code = 69
    """EX_UNAVAILABLE of sysexits.h."""


class Secret:
    """Text that never prints itself."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text."""
        return self._text

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and secrets.compare_digest(self._text, other._text)

    def __hash__(self) -> int:
        return hash(self._text)


def wrong(name: str, value: str, allowed: str) -> SettingsError:
    """What to raise for a value that is not allowed."""
    return SettingsError(f"{name} is {value!r}; it must be {allowed}.")


def without_password(url: str) -> str:
    """A database's URL as it may be shown: no password, none of its options."""
    if url.startswith("sqlite:"):
        return url
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user.partition(':')[0]}{at}{host}", query="").geturl()
