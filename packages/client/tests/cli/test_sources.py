"""Files named on the command line."""

import io
import sys
from pathlib import Path

import click
import pytest

from monkey_coder.cli import sources


@pytest.fixture(autouse=True)
def _work(home: Path) -> None:
    Path("src/deep").mkdir(parents=True)
    Path("src/a.py").write_text("a = 1\n")
    Path("src/deep/b.py").write_text("b = 2\n")
    Path("notes.md").write_bytes("\ufeffé".encode())


def feed(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def test_names_globs_and_repeats(home: Path) -> None:
    found = sources.read_sources(["src/a.py", "src/**/*.py", "notes.md", "./src/a.py"])
    assert [(file.path, file.type) for file in found] == [
        ("src/a.py", "python"),
        ("src/deep/b.py", "python"),
        ("notes.md", "markdown"),
    ]
    assert found[2].content == "é"


def test_a_file_outside_the_working_folder_tells_only_its_name(tmp_path: Path) -> None:
    (tmp_path / "secret-place.txt").write_text("x")
    assert sources.read_sources([str(tmp_path / "secret-place.txt")])[0].path == "secret-place.txt"


def test_a_name_with_glob_signs_that_exists_is_that_file(home: Path) -> None:
    Path("a[1].py").write_text("x")
    assert sources.read_sources(["a[1].py"])[0].path == "a[1].py"


def test_a_dash_is_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    feed(monkeypatch, "diff é".encode())
    assert [(file.path, file.content) for file in sources.read_sources(["-"])] == [("stdin", "diff é")]


def test_what_is_piped_in_is_never_cut_silently(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MAX_TOTAL_BYTES", 10)
    feed(monkeypatch, b"exactly 10")
    assert sources.read_stdin() == "exactly 10"
    feed(monkeypatch, b"and 11 bytes")
    with pytest.raises(click.UsageError, match="pipe in less"):
        sources.read_stdin()


def test_a_terminal_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    feed(monkeypatch, b"")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    with pytest.raises(click.UsageError, match="Nothing is piped in"):
        sources.read_stdin()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("binary.bin", b"\x89PNG\0", "not UTF-8 text"),
        ("latin.txt", b"caf\xe9", "not UTF-8 text"),
        ("large.txt", b"x" * (sources.MAX_FILE_BYTES + 1), "larger than 1024 KiB"),
        ("missing.py", None, "No such file"),
        ("*.nothing", None, "No file matches"),
        ("src", None, "is a folder"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_a_sentence(name: str, content: bytes | None, words: str) -> None:
    if content is not None:
        Path(name).write_bytes(content)
    with pytest.raises(click.UsageError, match=words):
        sources.read_sources([name])


def test_all_files_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MAX_TOTAL_BYTES", 10)
    with pytest.raises(click.UsageError, match="name fewer"):
        sources.read_sources(["src/a.py", "src/deep/b.py"])
