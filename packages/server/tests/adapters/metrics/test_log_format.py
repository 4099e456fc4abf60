"""Request lines share their writes; nothing else ever waits, and the order stays."""

import io
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from monkey_coder_server.adapters.metrics import log_format
from monkey_coder_server.adapters.metrics.log_format import REQUESTS, SharedWrites, TextLines


class Stream(io.StringIO):
    """Counts its writes."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[str] = []

    def write(self, text: str, /) -> int:
        if text:
            self.written.append(text)
        return len(text)


@pytest.fixture
def stream() -> Stream:
    return Stream()


@contextmanager
def logging_to(stream: Stream) -> Iterator[SharedWrites]:
    handler = SharedWrites(stream)
    try:
        yield handler
    finally:
        handler.flush()


def line(text: str, *, logger: str = REQUESTS, level: int = logging.INFO) -> logging.LogRecord:
    return logging.LogRecord(logger, level, "f", 1, text, None, None)


def test_request_lines_are_written_together_with_the_next_line_of_another_kind(stream: Stream) -> None:
    with logging_to(stream) as handler:
        handler.handle(line("first"))
        handler.handle(line("second"))
        assert stream.written == []
        handler.handle(line("something else", logger="elsewhere"))
        assert stream.written == ["first\nsecond\nsomething else\n"]


def test_a_warning_about_a_request_never_waits(stream: Stream) -> None:
    with logging_to(stream) as handler:
        handler.handle(line("trouble", level=logging.WARNING))
        assert stream.written == ["trouble\n"]


def test_so_many_lines_are_written_at_once(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_format, "WRITTEN_TOGETHER", 3)
    with logging_to(stream) as handler:
        for number in range(4):
            handler.handle(line(str(number)))
        assert stream.written == ["0\n1\n2\n"]


def test_a_line_waits_a_moment_only(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_format, "WRITTEN_AFTER_SECONDS", 0.01)
    with logging_to(stream) as handler:
        for number in range(2):
            handler.handle(line(str(number)))
            for _ in range(500):
                if len(stream.written) > number:
                    break
                time.sleep(0.01)
        assert stream.written == ["0\n", "1\n"]


def test_the_interpreters_end_writes_what_is_left(stream: Stream) -> None:
    with logging_to(stream) as handler:
        handler.handle(line("last"))
        handler.flush()
        assert stream.written == ["last\n"]


def test_a_line_that_cannot_be_put_into_words_keeps_no_other_from_being_written(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    with logging_to(stream) as handler:
        handler.handle(line("first"))
        handler.handle(logging.LogRecord(REQUESTS, logging.INFO, "f", 1, "%d", ("no number",), None))
        handler.handle(line("last"))
        handler.flush()
        assert stream.written == ["first\nlast\n"]


def test_a_line_of_text_tells_the_second_it_was_made_in() -> None:
    formatter = TextLines()
    record = line("text")
    for moment in (1_700_000_000.9, 1_700_000_000.1, 1_700_000_001.0):
        record.created = moment
        assert formatter.format(record).startswith(time.strftime("%H:%M:%S", time.localtime(moment)))
