"""Edits of files in an answer: search-and-replace blocks and unified diffs, read line by line."""

import re
from dataclasses import dataclass, field

_SEARCH = re.compile(r"<{5,9} SEARCH>?\s*$")
_DIVIDER = re.compile(r"={5,9}\s*$")
_REPLACE = re.compile(r">{5,9} REPLACE\s*$")
_HUNK = re.compile(r"@@ -(\d{1,9})(?:,\d{1,9})? \+\d{1,9}(?:,\d{1,9})? @@")
_FENCE = re.compile(r"\s{0,8}(?:`{3,}|~{3,}|<(?:source|code|pre|codeblock|sourcecode)>)")
_STATED = re.compile(r"(?:path|file|filename)=[\"']?([^\s\"']+)|^\w+:(\S+)$")
_LONGEST_NAME = 512
_LINES_ABOVE = 3
"""How far above a block its file's name may stand."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Lines `before` become `after` in a file. Lines keep no ends; no lines before: a new file, or lines added.

    `near` is the line, from 0, where a diff says they stand; None where nothing is said.
    """

    path: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    near: int | None = None


@dataclass(frozen=True, slots=True)
class Edits:
    """All edits of an answer, in order. `unfinished`: the last block has no end."""

    found: tuple[Edit, ...] = ()
    unfinished: bool = False


def read_edits(text: str) -> Edits:
    """The edits of an answer; most answers have none and cost a look for two marks."""
    blocks, hunks = " SEARCH" in text, "@@ -" in text
    if not blocks and not hunks:
        return Edits()
    reader = _Reader()
    for line in text.split("\n"):
        reader.line(line.removesuffix("\r"))
    return reader.finish()


@dataclass(slots=True)
class _Reader:
    """What is open: a block's two halves, or a diff's hunk."""

    found: list[Edit] = field(default_factory=list)
    above: list[str] = field(default_factory=list)
    path: str = ""
    half: str = ""
    """`search`, `replace`, `hunk`, or nothing."""
    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    near: int | None = None
    old_name: str = ""

    def line(self, line: str) -> None:
        if self.half == "hunk" and self._in_hunk(line):
            return
        if self.half == "search":
            self._in_search(line)
        elif self.half == "replace":
            self._in_replace(line)
        else:
            self._outside(line)

    def finish(self) -> Edits:
        unfinished = self.half in {"search", "replace"}
        if self.half == "hunk":
            self._keep()
        return Edits(tuple(self.found), unfinished)

    def _in_search(self, line: str) -> None:
        if _DIVIDER.match(line):
            self.half = "replace"
        else:
            self.before.append(line)

    def _in_replace(self, line: str) -> None:
        if _REPLACE.match(line):
            self._keep()
        else:
            self.after.append(line)

    def _in_hunk(self, line: str) -> bool:
        """Take a line of a hunk; False when the hunk is over and the line means something else."""
        mark, rest = line[:1], line[1:]
        if mark == "-" and not (line.startswith("--- ") and self._complete()):
            self.before.append(rest)
        elif mark == "+":
            self.after.append(rest)
        elif mark == " " or (not line and not self._complete()):
            self.before.append(rest)
            self.after.append(rest)
        elif mark != "\\":
            self._keep()
            return False
        return True

    def _complete(self) -> bool:
        """Whether the hunk has as many old lines as its head said, or more."""
        return len(self.before) >= self._due

    _due: int = 0

    def _outside(self, line: str) -> None:
        if _SEARCH.match(line):
            self.path, self.half = self._name() or self.path, "search"
        elif line.startswith("--- "):
            self.old_name = _diff_name(line)
        elif line.startswith("+++ "):
            name = _diff_name(line)
            self.path = self.old_name if name == "/dev/null" else name
        elif (head := _HUNK.match(line)) is not None and self.path:
            self.half, self.near = "hunk", max(0, int(head[1]) - 1)
            self._due = _old_lines(head[0])
        if line.strip():
            self.above = [*self.above[1 - _LINES_ABOVE :], line]

    def _keep(self) -> None:
        self.found.append(Edit(self.path, tuple(self.before), tuple(self.after), self.near))
        self.half, self.near = "", None
        self.before, self.after, self.above = [], [], []

    def _name(self) -> str:
        """The file's name from the lines above a block: on the fence's own line, or before the fence."""
        for line in reversed(self.above):
            if _FENCE.match(line):
                stated = _STATED.search(line.strip().lstrip("`~").strip())
                if stated is not None:
                    return stated[1] or stated[2]
                continue
            name = line.strip().strip("*`#: ").removesuffix(":")
            return name if name and len(name) <= _LONGEST_NAME and " " not in name else ""
        return ""


def _diff_name(line: str) -> str:
    name = line[4:].partition("\t")[0].strip()[:_LONGEST_NAME]
    return name[2:] if name.startswith(("a/", "b/")) else name


def _old_lines(head: str) -> int:
    """How many lines a hunk's head says it changes."""
    _, _, count = head.split()[1].partition(",")
    return int(count) if count else 1
