"""Files named on the command line become context: text only, and not more than a gateway would take."""

import glob
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from monkey_coder_protocol.execute import FileData

MAX_FILE_BYTES = 1024 * 1024
MAX_TOTAL_BYTES = 4 * 1024 * 1024
STDIN = "-"
_KINDS = {
    ".py": "python",
    ".js": "javascript",
    ".ts": "typescript",
    ".tsx": "typescript",
    ".go": "go",
    ".rs": "rust",
    ".java": "java",
    ".c": "c",
    ".h": "c",
    ".cpp": "cpp",
    ".cs": "csharp",
    ".rb": "ruby",
    ".php": "php",
    ".sh": "shell",
    ".sql": "sql",
    ".html": "html",
    ".css": "css",
    ".json": "json",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".toml": "toml",
    ".md": "markdown",
}


def read_sources(names: Sequence[str]) -> list[FileData]:
    """Read files, globs (`src/**/*.py`) and `-` for stdin, each once. Raises `click.UsageError`."""
    files: dict[str, FileData] = {}
    total = 0
    for name in names:
        for path, content in _contents(name):
            if path in files:
                continue
            total += len(content)
            if total > MAX_TOTAL_BYTES:
                message = f"The files are larger than {MAX_TOTAL_BYTES // 1024} KiB together; name fewer of them."
                raise click.UsageError(message)
            files[path] = FileData(path, _text(path, content), _KINDS.get(Path(path).suffix.lower()))
    return list(files.values())


def read_stdin() -> str:
    """All of stdin as text. Raises `click.UsageError` where a person would have to type it unasked."""
    if sys.stdin.isatty():
        message = "Nothing is piped in; `-` reads stdin."
        raise click.UsageError(message)
    content = sys.stdin.buffer.read(MAX_TOTAL_BYTES + 1)
    if len(content) > MAX_TOTAL_BYTES:
        message = f"More than {MAX_TOTAL_BYTES // 1024} KiB came on stdin; pipe in less."
        raise click.UsageError(message)
    return _text("stdin", content)


def _contents(name: str) -> Iterator[tuple[str, bytes]]:
    if name == STDIN:
        yield "stdin", read_stdin().encode()
        return
    for path in _expanded(name):
        if path.is_dir():
            message = f"{path} is a folder; name its files, for example '{path}/**/*.py'."
            raise click.UsageError(message)
        yield _shown(path), _bytes(path)


def _expanded(name: str) -> list[Path]:
    if Path(name).exists() or not glob.has_magic(name):
        return [Path(name)]
    found = sorted(path for match in glob.glob(name, recursive=True) if (path := Path(match)).is_file())  # noqa: PTH207  # Path.glob takes no absolute pattern
    if not found:
        message = f"No file matches {name!r}."
        raise click.UsageError(message)
    return found


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        message = f"Cannot read {path}: {error.strerror}."
        raise click.UsageError(message) from error
    if len(content) > MAX_FILE_BYTES:
        message = f"{path} is larger than {MAX_FILE_BYTES // 1024} KiB; name a smaller file."
        raise click.UsageError(message)
    return content


def _text(path: str, content: bytes) -> str:
    try:
        if b"\0" not in content:
            return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    message = f"{path} is not UTF-8 text; leave binary files out."
    raise click.UsageError(message)


def _shown(path: Path) -> str:
    """Relative to the working folder where it lies below it: the gateway need not know where you live."""
    try:
        return path.resolve().relative_to(Path.cwd().resolve()).as_posix()
    except ValueError:
        return path.name
