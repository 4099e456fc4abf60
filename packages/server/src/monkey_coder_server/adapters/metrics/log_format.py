"""Log lines: for people, or one JSON object each."""

import json
import logging
import sys
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from types import TracebackType
from typing import Literal, TextIO

REQUESTS = "monkey_coder_server.requests"
"""The logger of the line every inference request ends with."""
WRITTEN_TOGETHER = 256
WRITTEN_AFTER_SECONDS = 0.25

_NEVER_TOLD = ("logThreads", "logProcesses", "logMultiprocessing")
"""What logging otherwise looks up for each line (docs.python.org/3/howto/logging.html, "Optimization")."""

_ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
_encode = json.JSONEncoder(default=str).encode


@lru_cache(maxsize=256)
def _template(names: tuple[str, ...]) -> str:
    """What fields of these names are written by: lines of a kind have the same ones."""
    return "".join([f" {name.replace('%', '%%')}=%s" for name in names])


def _printable(text: str) -> str:
    """The text, with whatever breaks lines, moves a cursor or turns the direction of writing escaped."""
    if text.isprintable():
        return text
    return "".join([each if each.isprintable() else ascii(each)[1:-1] for each in text])


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
        return _encode(line)


class TextLines(logging.Formatter):
    """The same for people: time, level, message, then `key=value`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s")
        self._second, self._time = -1, ""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002, N802 - logging's own
        """The local time, put into words once a second."""
        second = int(record.created)
        if second != self._second:
            self._second, self._time = second, time.strftime("%H:%M:%S", time.localtime(second))
        return self._time

    def format(self, record: logging.LogRecord) -> str:
        """One line; more of them where it tells of an exception or a stack."""
        if record.exc_info or record.exc_text or record.stack_info:
            return super().format(record)
        record.asctime, record.message = self.formatTime(record), record.getMessage()
        return self.formatMessage(record)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name logging calls
        """The line with its fields, in printable characters, so that no value can fake a line or steer a terminal."""
        fields: dict[str, object] = getattr(record, "fields", {})
        told = _template(tuple(fields)) % tuple(fields.values())
        return _printable(f"{record.asctime} {record.levelname:<7} {record.message}{told}")

    def formatException(self, ei: _ExceptionInfo) -> str:  # noqa: N802 - the name logging calls
        """The lines of a traceback, indented: none of them can be taken for a line of its own."""
        return "\n".join([f"  {_printable(line)}" for line in super().formatException(ei).split("\n")])


class SharedWrites(logging.StreamHandler[TextIO]):
    """Puts request lines into words and writes them together, a quarter of a second of them at most.

    A write each costs more than the line, and words found one after another cost less than each between requests. A
    process that is killed may lose those lines. Every other line, and every warning, is written at once, after the
    request lines that came before it; and the interpreter's end writes what is left.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self._records: list[logging.LogRecord] = []
        self._write_is_due = False

    def emit(self, record: logging.LogRecord) -> None:
        """Take one line; logging holds the handler's lock meanwhile."""
        self._records.append(record)
        try:
            if record.name != REQUESTS or record.levelno >= logging.WARNING or len(self._records) >= WRITTEN_TOGETHER:
                self.flush()
            elif not self._write_is_due:
                self._write_is_due = True
                threading.Timer(WRITTEN_AFTER_SECONDS, self._write).start()
        except Exception:  # noqa: BLE001 - as in every handler of logging: a line must not break what it tells of
            self.handleError(record)

    def flush(self) -> None:
        """Write the lines that wait. Raises `OSError`."""
        self.acquire()
        try:
            records, self._records = self._records, []
            self.stream.write("".join([self._line(record) for record in records]))
            super().flush()
        finally:
            self.release()

    def _line(self, record: logging.LogRecord) -> str:
        """In words; nothing of one that has none, which keeps no other from being written."""
        try:
            return self.format(record) + self.terminator
        except Exception:  # noqa: BLE001 - as above
            self.handleError(record)
            return ""

    def _write(self) -> None:
        self._write_is_due = False
        with suppress(OSError):  # standard error is gone: there is nowhere left to say so
            self.flush()


def configure_logging(level: str, style: Literal["text", "json"]) -> None:
    """Send everything from `level` up to standard error. Raises `ValueError` for an unknown level."""
    for lookup in _NEVER_TOLD:
        setattr(logging, lookup, False)
    handler = SharedWrites(sys.stderr)
    handler.setFormatter(JsonLines() if style == "json" else TextLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for noisy in ("aiohttp.access", "alembic", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
