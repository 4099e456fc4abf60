"""A file of variables: the one `ENV_FILE` names, else in development `.env` of the working folder."""

from pathlib import Path

from monkey_coder_server.settings.faults import SettingsError

ENV_FILE = "ENV_FILE"


def with_file(values: dict[str, str], folder: Path) -> dict[str, str]:
    """The variables given over those of a file. Raises `SettingsError`."""
    named = values.get(ENV_FILE, "").strip()
    return {**_named(folder / named), **values} if named else _with_dotenv(values, folder)


def _named(path: Path) -> dict[str, str]:
    try:
        found = _dotenv(path)
    except OSError as refused:
        message = f"ENV_FILE is {str(path)!r}, which cannot be read ({refused.strerror})."
        raise SettingsError(message) from refused
    except UnicodeDecodeError as refused:
        message = f"ENV_FILE is {str(path)!r}, which is no text."
        raise SettingsError(message) from refused
    if ENV_FILE in found:
        message = f"{path} names another ENV_FILE; one file is read."
        raise SettingsError(message)
    return found


def _with_dotenv(values: dict[str, str], folder: Path) -> dict[str, str]:
    path = folder / ".env"
    if values.get("ENVIRONMENT", "").strip().lower() == "production" or not path.is_file():
        return values
    merged = {**_dotenv(path), **values}
    if merged.get("ENVIRONMENT", "").strip().lower() == "production":
        message = (
            f"ENVIRONMENT=production stands in {path}, which is read in development only; export it instead, "
            "or name the file by ENV_FILE."
        )
        raise SettingsError(message)
    return merged


def _dotenv(path: Path) -> dict[str, str]:
    found = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        text = line.strip().removeprefix("export ").lstrip()
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.partition("=")
        if not equals or not name.strip().isidentifier():
            message = f"{path} line {number} does not read NAME=value."
            raise SettingsError(message)
        value = value.strip()
        quoted = len(value) >= 2 and value[0] == value[-1] and value[0] in "'\""
        found[name.strip()] = value[1:-1] if quoted else value
    return found
