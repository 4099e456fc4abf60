"""`monkey-server check-config`: everything that is wrong at once, and what the settings amount to."""

import argparse
import json
import sys
from collections.abc import Mapping
from typing import Any

from monkey_coder_server.settings import CONFIGURATION_ERROR, Settings, SettingsError, load, without_password

_SPECIAL = frozenset({"providers", "notices", "database_url", "redis_url"})


def add(commands: Any) -> None:
    """Add the command."""
    check = commands.add_parser("check-config", help="read the configuration and say all that is wrong with it")
    check.add_argument("--json", action="store_true", help="print one JSON document")
    check.set_defaults(command=_run)


def _run(options: argparse.Namespace) -> int:
    settings, problems, warnings = _looked()
    shown = {} if settings is None else _shown(settings)
    if options.json:
        document = {"sound": not problems, "problems": problems, "warnings": warnings, "settings": shown}
        sys.stdout.write(f"{json.dumps(document, indent=2)}\n")
    else:
        for name, value in shown.items():
            sys.stdout.write(f"{name:22} {value}\n")
        for sentence in warnings:
            sys.stderr.write(f"warning: {sentence}\n")
        for sentence in problems:
            sys.stderr.write(f"monkey-server: {sentence}\n")
    return CONFIGURATION_ERROR if problems else 0


def _looked() -> tuple[Settings | None, tuple[str, ...], tuple[str, ...]]:
    """The settings if they can be read, what is wrong, and what may be."""
    from monkey_coder_server.bootstrap import checking  # noqa: PLC0415 - heavy

    try:
        settings = load()
    except SettingsError as refused:
        return None, refused.problems, ()
    found = checking.look(settings)
    return settings, found.problems, (*found.warnings, *checking.unshared(settings))


def _shown(settings: Settings) -> dict[str, str]:
    """Each setting as text, secrets as `***`."""
    shown = {name: _words(getattr(settings, name)) for name in settings.__slots__ if name not in _SPECIAL}
    shown["database_url"] = without_password(settings.database_url.reveal())
    shown["redis_url"] = "none" if settings.redis_url is None else without_password(settings.redis_url.reveal())
    for name, provider in settings.providers.items():
        where = f" at {provider.base_url}" if provider.base_url else ""
        shown[f"provider {name}"] = f"{len(provider.keys)} keys{where}"
    return shown


def _words(value: object) -> str:
    if isinstance(value, frozenset | tuple):
        return ", ".join(sorted(str(each) for each in value)) or "none"
    if isinstance(value, Mapping):
        return ", ".join([f"{name}: {_words(each)}" for name, each in value.items()]) or "none"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
