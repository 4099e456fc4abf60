"""What is wrong beyond single variables: stores that cannot be reached, and what production must not be.

`check-config` tells all of it, and a start is refused for each of its problems.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import unquote, urlsplit

from monkey_coder_server.adapters.redis import unreachable
from monkey_coder_server.adapters.storage import migrate
from monkey_coder_server.adapters.storage.operations import UnusableDatabase
from monkey_coder_server.bootstrap.caching import unusable
from monkey_coder_server.settings import AwayError, Settings, SettingsError, without_password

KEYS_BEGIN: Mapping[str, str] = MappingProxyType(
    {
        "openai": "sk-",
        "anthropic": "sk-ant-",
        "google": "AIza",
        "groq": "gsk_",
        "xai": "xai-",
        "perplexity": "pplx-",
        "moonshot": "sk-",
    }
)
"""As each provider's console shows them; a proxy in front of one may give out others."""
_DEFAULT_PASSWORDS = frozenset({"postgres", "password", "changeme", "admin", "root", "secret", "postgresql"})


@dataclass(frozen=True, slots=True)
class Findings:
    """Sentences without a secret in them. `problems` must be mended, `warnings` may be meant."""

    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    away: bool = False
    """Whether the first problem is a database that does not answer now."""


def look(settings: Settings) -> Findings:
    """Look at settings that could be read. Nothing is changed."""
    revision, away = _revision(settings)
    told = [] if away is None else [str(away)]
    problems = [*told, *_malformed_keys(settings), *_ports(settings), *unusable(settings)]
    warnings = [*settings.notices, *_strange_keys(settings), *_missing(settings)]
    if settings.production:
        problems += _not_for_production(settings)
    if settings.production and settings.base_url.startswith("https://") and not settings.trusted_proxy_hops:
        warnings.append(
            "TRUSTED_PROXY_HOPS is 0: if a proxy ends TLS before this gateway, every caller seems to come from it; "
            "set how many proxies append to X-Forwarded-For."
        )
    if away is None and revision != migrate.HEAD:
        behind = (
            f"The database is {revision or 'empty'} and the newest revision {migrate.HEAD}; "
            "the next start, or `monkey-server db upgrade`, brings it there."
        )
        warnings.append(behind)
    return Findings(tuple(problems), tuple(warnings), away=isinstance(away, AwayError))


def unshared(settings: Settings) -> Iterator[str]:
    """What is to be said of the store that gateways share. None of it keeps a gateway from starting."""
    if settings.redis_url is None:
        if settings.production and settings.database_url.reveal().startswith("postgres"):
            yield "REDIS_URL is not set: gateways on several machines would each allow the whole of every limit."
        return
    why = unreachable(settings.redis_url.reveal())
    if why is not None:
        yield f"REDIS_URL: {without_password(settings.redis_url.reveal())} cannot be used: {why}."


def insist(settings: Settings) -> None:
    """Raises `SettingsError` with all that must be mended; `AwayError` where only the database is away."""
    found = look(settings)
    if found.problems:
        raise (AwayError if found.away and len(found.problems) == 1 else SettingsError)(*found.problems)


def _revision(settings: Settings) -> tuple[str | None, SettingsError | None]:
    """The database's revision, and what is wrong with it."""
    url = settings.database_url.reveal()
    try:
        revision = migrate.current(url)
    except UnusableDatabase as unusable:
        sentence = f"DATABASE_URL: {unusable}"
        return None, AwayError(sentence) if unusable.away else SettingsError(sentence)
    except sqlite3.Error as broken:
        return None, SettingsError(f"DATABASE_URL: {without_password(url)} cannot be read: {broken}.")
    if revision is not None and revision > migrate.HEAD:
        newer = f"DATABASE_URL: the database is of a newer release ({revision}) than this one ({migrate.HEAD})."
        return revision, SettingsError(newer)
    return revision, None


def _malformed_keys(settings: Settings) -> Iterator[str]:
    for name, given in settings.providers.items():
        for key in given.keys:
            text = key.reveal()
            if not text.isascii() or not text.isprintable() or " " in text:
                yield f"{name.upper()}_API_KEY holds blanks or characters no key has; separate keys with commas."


def _strange_keys(settings: Settings) -> Iterator[str]:
    for name, given in settings.providers.items():
        begin = KEYS_BEGIN[name]
        if given.base_url is None and not all(key.reveal().startswith(begin) for key in given.keys):
            yield f"{name.upper()}_API_KEY does not look like a key of {name}: those begin with {begin}."
        if len(set(given.keys)) < len(given.keys):
            yield f"{name.upper()}_API_KEY names one key twice, which balances nothing."


def _missing(settings: Settings) -> Iterator[str]:
    if not any(given.keys for given in settings.providers.values()):
        yield "No provider has a key, so no model can be called; set OPENAI_API_KEY or another."


def _ports(settings: Settings) -> Iterator[str]:
    if settings.port and settings.port == settings.metrics_port:
        yield f"PORT and METRICS_PORT are both {settings.port}; choose two."


def _not_for_production(settings: Settings) -> Iterator[str]:
    if not settings.base_url.startswith("https://"):
        yield f"BASE_URL is {settings.base_url!r}; in production it must begin with https://, for keys travel there."
    for origin in sorted(settings.cors_origins):
        if not origin.startswith("https://"):
            yield f"CORS_ORIGINS holds {origin!r}; in production every origin must begin with https://."
    parts = urlsplit(settings.database_url.reveal())
    password = unquote(parts.password or "")
    if password.lower() in _DEFAULT_PASSWORDS or (password and password == parts.username):
        yield "DATABASE_URL holds a password everybody tries first; give the database's user a random one."
