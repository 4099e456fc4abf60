"""Whether files parse, by the parsers that come with Python: Python, JSON, TOML. Of other languages nothing is said."""

import ast
import re
import tomllib
import warnings
from collections.abc import Callable, Mapping

from monkey_coder_server.domain.verification.json_schema import Undecided
from monkey_coder_server.domain.verification.structure import read_json

MOST_PYTHON = 32_000
"""Characters of one file that are parsed; they take some 10 ms."""
MOST_TOML = 20_000
_TEMPLATE = ("{{", "{%", "<%")
_NEWER = re.compile(
    r"\s*type\s+\w+|\s*(?:async\s+)?(?:def|class)\s+\w+\s*\[|.*\b[fFtT][rR]?[\"']|\s*except\*?\s+[\w.]+\s*,"
)
_COMMENTED_JSON = re.compile(r"(?:^|/)(?:[tj]sconfig[\w.-]*|\.[\w-]+rc|devcontainer|\.vscode/[\w-]+)(?:\.json)?$")


def syntax_problem(path: str, content: str) -> str | None:
    """Where a file does not parse, in one sentence; None when it does.

    Raises `Undecided` for other languages, templates, pieces of files, and what is too large to parse.
    """
    if any(mark in content for mark in _TEMPLATE):
        raise Undecided
    parser = _PARSERS.get(path.rpartition(".")[2].casefold())
    if parser is None or _COMMENTED_JSON.search(path):
        raise Undecided
    problem = parser(content)
    return f"{path} {problem}" if problem else None


def _python(content: str) -> str | None:
    if len(content) > MOST_PYTHON or content.lstrip().startswith((">>>", "$ ", "%", "!")):
        raise Undecided
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a warning would print a line of the answer
            ast.parse(content)
    except SyntaxError as error:
        if _piece(content) or _newer(content, error.lineno):
            raise Undecided from None
        return f"does not parse: {error.msg} in line {error.lineno or 1}."
    except (RecursionError, MemoryError, ValueError):  # nested too deep, or null bytes in older versions
        raise Undecided from None
    return None


def _piece(content: str) -> bool:
    """Whether the text is a part of a file: its first line is indented."""
    first = next((line for line in content.split("\n") if line.strip()), "")
    return first[:1].isspace()


def _newer(content: str, line: int | None) -> bool:
    """Whether the line at fault could be of a Python that is newer than the parser."""
    lines = content.split("\n")
    return line is not None and 0 < line <= len(lines) and _NEWER.match(lines[line - 1][:2_000]) is not None


def _json(content: str) -> str | None:
    if not content.strip():
        raise Undecided
    try:
        read_json(content)
    except ValueError as error:
        return f"is not JSON: {error}."
    return None


def _toml(content: str) -> str | None:
    if len(content) > MOST_TOML or content.count("[") + content.count("{") + content.count(".") > MOST_TOML // 10:
        raise Undecided
    try:
        tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        return f"is not TOML: {error}."
    except (RecursionError, ValueError):
        raise Undecided from None
    return None


_PARSERS: Mapping[str, Callable[[str], str | None]] = {"py": _python, "pyi": _python, "json": _json, "toml": _toml}
