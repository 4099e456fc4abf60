"""Log lines: for people, or one JSON object each."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Literal


class JsonLines(logging.Formatter):
    """`time`, `level`, `logger`, `message` and the fields a caller put under `extra={"fields": …}`."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class TextLines(logging.Formatter):
    """The same for people: time, level, message, then `key=value`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name logging calls
        """The line with its fields; line breaks inside are escaped, so that no value can fake a line."""
        fields = "".join(f" {key}={value}" for key, value in getattr(record, "fields", {}).items())
        return (super().formatMessage(record) + fields).replace("\r", "\\r").replace("\n", "\\n")


def configure_logging(level: str, style: Literal["text", "json"]) -> None:
    """Send everything from `level` up to standard error. Raises `ValueError` for an unknown level."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if style == "json" else TextLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for noisy in ("aiohttp.access", "alembic", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # uvicorn notes every malformed request and every cut connection; what matters the application logs itself.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
