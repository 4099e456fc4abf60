"""The file `.env` of the working folder, which counts in development only."""

from pathlib import Path

from monkey_coder_server.settings.faults import SettingsError


def with_dotenv(values: dict[str, str], folder: Path) -> dict[str, str]:
    """The environment over `.env`, which counts in development only. Raises `SettingsError`."""
    path = folder / ".env"
    if values.get("ENVIRONMENT", "").strip().lower() == "production" or not path.is_file():
        return values
    merged = {**_dotenv(path), **values}
    if merged.get("ENVIRONMENT", "").strip().lower() == "production":
        message = f"ENVIRONMENT=production stands in {path}, which is read in development only; export it instead."
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
