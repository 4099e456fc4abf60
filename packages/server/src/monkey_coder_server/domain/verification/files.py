"""Checks of the files and edits in an answer: they name files there are, they apply, and what comes of them parses."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from monkey_coder_server.domain import artifacts
from monkey_coder_server.domain.verification import application
from monkey_coder_server.domain.verification.application import Applied, apply_edits
from monkey_coder_server.domain.verification.edits import Edits, read_edits
from monkey_coder_server.domain.verification.json_schema import Undecided
from monkey_coder_server.domain.verification.syntax import syntax_problem
from monkey_coder_server.domain.verification.verdict import Check, Finding, failed, not_applicable, passed

MOST_PARSED = 64_000
"""Characters that are parsed of one answer."""
_MARKS = ("<<<<<<< SEARCH", ">>>>>>> REPLACE")


class Tree(NamedTuple):
    """Two contents of every file: as sent, and as the answer leaves it."""

    before: Mapping[str, str]
    after: Mapping[str, str]


def file_findings(text: str, files: Mapping[str, str], task_type: str) -> tuple[Finding, Finding, Finding]:
    """`known_files`, `patch_applies` and `syntax` of an answer's text. `files` are those sent, by path."""
    edits = read_edits(text)
    written = _whole_files(text, task_type)
    try:
        applied = apply_edits(edits.found, files) if edits.found and files else None
    except application.Undecided:
        unsure = not_applicable(Check.PATCH_APPLIES, "Comparing the edits with their files took too long.")
        known = not_applicable(Check.KNOWN_FILES, "The edits were not applied.")
        return known, unsure, _syntax(Tree(files, written))
    changed = {path: applied.files[path] for path in applied.changed} if applied else {}
    return _known(applied), _applies(edits, applied), _syntax(Tree(files, {**changed, **written}))


def _whole_files(text: str, task_type: str) -> dict[str, str]:
    """Files that the answer holds in full; blocks that hold edits are none."""
    if "```" not in text and "~~~" not in text:
        return {}
    found = artifacts.parse(text, task_type)
    return {
        file.path: file.content
        for file in found.files
        if file.path != found.unfinished and not any(mark in file.content for mark in _MARKS)
    }


def _known(applied: Applied | None) -> Finding:
    if applied is None:
        return not_applicable(Check.KNOWN_FILES, "No files were sent, or none is edited.")
    if applied.unknown:
        return failed(Check.KNOWN_FILES, f"{_shown(applied.unknown[0])} is edited, but no such file was sent.")
    return passed(Check.KNOWN_FILES, "Every edited file is there.")


def _applies(edits: Edits, applied: Applied | None) -> Finding:
    if edits.unfinished:
        return failed(Check.PATCH_APPLIES, "The last edit has no end.")
    if applied is None:
        return not_applicable(Check.PATCH_APPLIES, "No files were sent, or none is edited.")
    if applied.unmatched:
        number, path = applied.unmatched[0]
        return failed(Check.PATCH_APPLIES, f"Edit {number} does not match {_shown(path)}.")
    if not applied.changed:
        return not_applicable(Check.PATCH_APPLIES, "No edit names a file that was sent.")
    return passed(Check.PATCH_APPLIES, "Every edit matches its file.")


def _syntax(tree: Tree) -> Finding:
    read, left = 0, MOST_PARSED
    for path, content in tree.after.items():
        left -= len(content)
        if left < 0:
            break
        for problem in _problem(path, content):
            if problem is None:
                read += 1
            elif not _was_broken(path, tree.before):
                return failed(Check.SYNTAX, problem)
    if not read:
        return not_applicable(Check.SYNTAX, "No file is of a language that is parsed.")
    return passed(Check.SYNTAX, f"{read} {'file parses' if read == 1 else 'files parse'}.")


def _problem(path: str, content: str) -> Iterator[str | None]:
    """What is wrong with a file, once; nothing where that cannot be told."""
    try:
        yield syntax_problem(path, content)
    except Undecided:
        return


def _was_broken(path: str, before: Mapping[str, str]) -> bool:
    """Whether the file did not parse before the answer either, so that the answer cannot be blamed."""
    return path in before and any(_problem(path, before[path]))


def _shown(path: str) -> str:
    return path[:80] or "A file without a name"
