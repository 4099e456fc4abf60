"""Read and rewrite the JSON configuration files. Keys this version does not know are kept."""

import json
import os
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from monkey_coder.errors import ConfigurationError

FOLDER = "monkey-coder"
PROJECT_NAMES = (".monkey-coder/config.json", "monkey-coder.json")


def user_file(environ: Mapping[str, str]) -> Path:
    """`$XDG_CONFIG_HOME/monkey-coder/config.json`, else under `~/.config`. Raises `ConfigurationError`."""
    base = environ.get("XDG_CONFIG_HOME", "")
    if os.path.isabs(base):  # noqa: PTH117  # the XDG specification tells to ignore a relative value; a Path("") would be "."
        return Path(base) / FOLDER / "config.json"
    home = environ.get("HOME") or environ.get("USERPROFILE")
    if not home:
        raise ConfigurationError(
            "No home folder is known; set HOME or XDG_CONFIG_HOME, or pass the key in MONKEY_CODER_API_KEY."
        )
    return Path(home) / ".config" / FOLDER / "config.json"


def project_file(start: Path, user: Path | None) -> Path | None:
    """The nearest project file in `start` or a folder above it; the user file is never taken for one."""
    for folder in (start, *start.parents):
        for name in PROJECT_NAMES:
            candidate = folder / name
            if candidate != user and candidate.is_file():
                return candidate
    return None


def read(path: Path) -> dict[str, Any]:
    """The file's object, empty when there is no file. Raises `ConfigurationError` with line and column."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        message = f"cannot be read: {error}"
        raise ConfigurationError(message, path=path) from error
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        message = f"is not valid JSON: {error.msg}"
        raise ConfigurationError(message, path=path, line=error.lineno, column=error.colno) from error
    if not isinstance(value, dict):
        raise ConfigurationError("must hold a JSON object like {}", path=path, line=1, column=1)
    return value


def update(path: Path, changes: Mapping[str, Any]) -> None:
    """Set keys (None removes one) and keep all others; whole or not at all, mode 0600 in a 0700 folder.

    Raises `ConfigurationError`; a file that cannot be read is left as it is.
    """
    content = {**read(path), **changes}
    kept = {key: value for key, value in content.items() if value is not None or key not in changes}
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _replace(path.resolve(), json.dumps(kept, indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        message = f"cannot be written: {error.strerror or error}"
        raise ConfigurationError(message, path=path) from error


def readable_by_others(path: Path) -> bool:
    """Whether other users of this computer may read the file (POSIX modes only)."""
    if os.name != "posix":
        return False
    try:
        return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)
    except OSError:
        return False


def _replace(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".config-")  # made with mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
