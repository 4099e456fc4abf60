"""Files in an answer: how a model is asked to write them, and how they are read back, as the answer arrives."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

FILE_TASKS = frozenset({"code_generation", "testing", "refactoring", "debugging", "documentation"})
"""Task types whose answers are files: also a block without a path is taken for one."""
CONVENTION_TASKS = FILE_TASKS | {"custom"}
"""Task types told how files are written: a published client builds whole projects with `custom`."""

CONVENTION = (
    "Write every file you create or change in full, as one fenced block whose opening line names its language and its "
    "relative path, like this:\n"
    "```python path=src/app.py\n"
    "print('hello')\n"
    "```\n"
    'Quote a path that contains spaces: path="my app/main.py". When a file itself contains fences of three backticks, '
    "open and close its block with four or more. Use plain fences without path= for commands and examples that are not "
    "files."
)

LONGEST_PATH = 512
LONGEST_SEGMENT = 200

_FENCE = re.compile(r"^(?P<indent>[ \t]{0,8})(?P<fence>`{3,}|~{3,})(?P<info>[^\n]*)$")
_BACKTICKS = re.compile("```")
_EITHER_MARK = re.compile("```|~~~")
_PATH = re.compile(
    r"""(?:^|\s)(?:path|file|filename|title)=(?:"(?P<double>[^"]+)"|'(?P<single>[^']+)'|(?P<bare>\S+))"""
)
_COLON_PATH = re.compile(r"^[A-Za-z0-9_+#-]+:(?P<bare>[^\s:]+)$")
_LANGUAGE = re.compile(r"^[A-Za-z0-9_+#.-]+")
_DRIVE = re.compile(r"^[A-Za-z]:")
_RESERVED = re.compile(r"^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?$", re.IGNORECASE)
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"|?*\ud800-\udfff]')
_NAME = r"[\w.-]+(?:/[\w.-]+)*\.\w{1,8}"
_NAMED_BY_COMMENT = re.compile(
    rf"^\s*(?:#|//|--|;|%|/\*|<!--)\s*(?:file(?:name)?\s*:\s*)?(?P<name>{_NAME})\s*(?:\*/|-->)?\s*$", re.IGNORECASE
)
_NAMED_BEFORE = re.compile(
    rf"^[#*\s-]*(?:[0-9]+[.)]\s*)?(?:file(?:name)?:?\s*)?[`*]*(?P<name>{_NAME})[`*:\s]*$", re.IGNORECASE
)

_EXTENSIONS = {
    "bash": "sh", "c": "c", "c++": "cpp", "cpp": "cpp", "c#": "cs", "csharp": "cs", "css": "css", "dart": "dart",
    "go": "go", "golang": "go", "html": "html", "java": "java", "javascript": "js", "js": "js", "json": "json",
    "jsx": "jsx", "kotlin": "kt", "lua": "lua", "markdown": "md", "md": "md", "php": "php", "py": "py", "python": "py",
    "python3": "py", "r": "r", "rb": "rb", "ruby": "rb", "rs": "rs", "rust": "rs", "scala": "scala", "scss": "scss",
    "sh": "sh", "sql": "sql", "swift": "swift", "toml": "toml", "ts": "ts", "tsx": "tsx", "typescript": "ts",
    "vue": "vue", "xml": "xml", "yaml": "yaml", "yml": "yaml",
}  # fmt: skip
_LANGUAGE_OF = {"py": "python", "js": "javascript", "ts": "typescript", "rs": "rust", "rb": "ruby", "md": "markdown",
                "yml": "yaml", "kt": "kotlin", "cs": "csharp"}  # fmt: skip
_WHOLE_NAMES = {"dockerfile": "Dockerfile", "makefile": "Makefile"}
_NOT_FILES = frozenset({"bash", "sh", "json", "markdown", "md"})
"""Without a name, fences of these are commands, sample output or prose rather than files."""


@dataclass(frozen=True, slots=True)
class ArtifactFile:
    """One file of an answer: `path` is relative, with forward slashes; `name` its last part."""

    path: str
    content: str
    language: str | None = None

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """A file that is not handed on, and why, in one sentence."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Artifacts:
    """The files of a whole answer. A path written twice counts once, with its last content."""

    files: tuple[ArtifactFile, ...] = ()
    refused: tuple[RefusedFile, ...] = ()
    unfinished: str | None = None
    """The path of a last file whose fence was never closed: the answer was cut."""


def parse(answer: str, task_type: str = "code_generation") -> Artifacts:
    """The files of a whole answer."""
    reader = ArtifactReader(task_type)
    reader.feed(answer)
    return reader.finish()


def render(files: Iterable[ArtifactFile]) -> str:
    """Files written by the convention, with fences longer than any inside them."""
    return "\n\n".join(_block(each) for each in files)


def safe_path(path: str) -> tuple[str | None, str]:
    """The path made relative and plain, or None and the reason it cannot be."""
    plain = path.strip().replace("\\", "/")
    segments = [segment for segment in plain.split("/") if segment not in ("", ".")]
    refusals = (
        (plain.startswith(("/", "~")) or _DRIVE.match(plain), "The path is not relative."),
        (_FORBIDDEN.search(plain), "The path contains characters a file name cannot have."),
        (not segments or plain.endswith("/"), "The path names no file."),
        (".." in segments, "The path leaves its folder."),
        (len(plain) > LONGEST_PATH or max(map(len, segments), default=0) > LONGEST_SEGMENT, "The path is too long."),
        (any(segment.casefold() == ".git" for segment in segments), "The path lies inside a repository's own folder."),
        (any(map(_unstorable, segments)), "The path has a name some systems cannot store."),
    )
    for refused, reason in refusals:
        if refused:
            return None, reason
    return "/".join(segments), ""


def _unstorable(segment: str) -> bool:
    return bool(_RESERVED.match(segment)) or segment != segment.rstrip(" .").lstrip()


@dataclass(slots=True)
class _Block:
    """A fence that is open: its mark, its info string and the text so far, one or more whole lines a piece.

    `depth` counts fences opened inside it.
    """

    mark: str
    indent: int
    info: str
    before: str
    pieces: list[str] = field(default_factory=list)
    depth: int = 0

    def minds(self, fence: re.Match[str]) -> bool:
        """Whether a fence line inside is of this block's own kind; others, and deeply indented ones, are content."""
        own_kind = fence["fence"][0] == self.mark[0] and len(fence["fence"]) >= len(self.mark)
        return own_kind and len(fence["indent"]) <= self.indent + 3


@dataclass(slots=True)
class ArtifactReader:
    """Reads files out of an answer that arrives in pieces cut anywhere; memory is bounded by the answer."""

    task_type: str
    _tail: list[str] = field(default_factory=list)
    _block: _Block | None = None
    _before: str = ""
    _files: dict[str, ArtifactFile] = field(default_factory=dict)
    _refused: list[RefusedFile] = field(default_factory=list)
    _given: dict[str, int] = field(default_factory=dict)

    def feed(self, piece: str) -> None:
        """Take the next piece of the answer."""
        whole, newline, rest = piece.rpartition("\n")
        if newline:
            self._tail.append(whole)
            self._lines("".join(self._tail))
            self._tail.clear()
        if rest:
            self._tail.append(rest)

    def finish(self) -> Artifacts:
        """The answer is over: every file of it. A fence left open closes here."""
        if self._tail:
            self._line("".join(self._tail).removesuffix("\r"))
            self._tail.clear()
        unfinished = self._close() if self._block is not None else None
        return Artifacts(tuple(self._files.values()), tuple(self._refused), unfinished)

    def _lines(self, text: str) -> None:
        """Take whole lines: those with a fence's mark one by one, those between them at once."""
        marks = _EITHER_MARK if "~" in text else _BACKTICKS  # looking for one literal is several times as fast
        at = 0
        while (mark := marks.search(text, at)) is not None:
            start = max(at, text.rfind("\n", at, mark.start()) + 1)
            end = text.find("\n", mark.end())
            end = len(text) if end < 0 else end
            if start > at:
                self._plain(text[at : start - 1])
            self._line(text[start:end].removesuffix("\r"))
            at = end + 1
        if at <= len(text):
            self._plain(text[at:])

    def _plain(self, text: str) -> None:
        """Take whole lines without a fence among them."""
        if self._block is not None:
            self._block.pieces.append(text.replace("\r\n", "\n").removesuffix("\r") if "\r" in text else text)
        elif last := text.rstrip().rpartition("\n")[2]:
            self._before = last.strip() if len(last) <= LONGEST_PATH else ""

    def _line(self, line: str) -> None:
        """Take one line."""
        fence = _FENCE.match(line)
        block = self._block
        if block is None:
            if fence is not None and not (fence["fence"][0] == "`" and "`" in fence["info"]):
                self._open(fence)
            else:
                self._before = line.strip() if len(line) <= LONGEST_PATH else ""
            return
        if fence is None or not block.minds(fence):
            block.pieces.append(line)
        elif not fence["info"].strip():
            self._closing_line(block, line)
        elif _PATH.search(fence["info"]) and not block.depth:
            self._close()
            self._open(fence)
        else:
            block.depth += 1
            block.pieces.append(line)

    def _closing_line(self, block: _Block, line: str) -> None:
        if block.depth:
            block.depth -= 1
            block.pieces.append(line)
        else:
            self._close()

    def _open(self, fence: re.Match[str]) -> None:
        self._block = _Block(fence["fence"], len(fence["indent"]), fence["info"].strip(), self._before)
        self._before = ""

    def _close(self) -> str | None:
        """Keep or refuse the open block's file; the path it was kept under."""
        block, self._block = self._block, None
        return None if block is None else self._keep(block)

    def _keep(self, block: _Block) -> str | None:
        language = _language(block.info)
        content = "\n".join([*block.pieces, ""])
        stated = _stated_path(block.info)
        named = stated or (self._fallback_name(block, content, language) if self.task_type in FILE_TASKS else None)
        if named is None:
            return None
        path, reason = safe_path(named)
        if path is None:
            self._refused.append(RefusedFile(named[:LONGEST_PATH], reason))
            return None
        if block.indent:
            content = "\n".join(_unindented(line, block.indent) for line in content.split("\n"))
        self._files.pop(path, None)
        self._files[path] = ArtifactFile(path, content, language or _language_of(path))
        return path

    def _fallback_name(self, block: _Block, content: str, language: str | None) -> str | None:
        """A name for a fence without a path: from its first comment, from the line before it, or from its language."""
        first = content.lstrip()[:LONGEST_PATH].partition("\n")[0]
        named = _NAMED_BY_COMMENT.match(first) or _NAMED_BEFORE.match(block.before)
        if named is not None:
            return named["name"]
        if language is None or language in _NOT_FILES or not first:
            return None
        if language in _WHOLE_NAMES:
            return self._unused(_WHOLE_NAMES[language], ".", "")
        extension = _EXTENSIONS.get(language)
        if extension is None:
            return None
        return self._unused("main", "_", f".{extension}")

    def _unused(self, stem: str, mark: str, suffix: str) -> str:
        """The first free name, counted on from the last one given: no answer makes this slow."""
        name = stem + suffix
        count = self._given.get(name, 1)
        numbered = name if count == 1 else f"{stem}{mark}{count}{suffix}"
        while numbered in self._files:
            count += 1
            numbered = f"{stem}{mark}{count}{suffix}"
        self._given[name] = count
        return numbered


def _stated_path(info: str) -> str | None:
    """The path an info string names: by the convention, or as other tools teach models to (`python:src/app.py`)."""
    found = _PATH.search(info)
    if found is not None:
        return found["double"] or found["single"] or found["bare"]
    colon = _COLON_PATH.match(info)
    return colon["bare"] if colon else None


def _language(info: str) -> str | None:
    found = _LANGUAGE.match(info)
    if found is None or info.startswith("path="):
        return None
    return found[0].casefold()


def _language_of(path: str) -> str | None:
    extension = path.rpartition(".")[2].casefold()
    return _LANGUAGE_OF.get(extension, extension if extension in _EXTENSIONS else None)


def _unindented(line: str, indent: int) -> str:
    """The line without the indentation its fence had, where it has it."""
    blank = len(line) - len(line.lstrip(" \t"))
    return line[min(indent, blank) :]


def _block(file: ArtifactFile) -> str:
    longest = max((len(run) for run in re.findall(r"`+", file.content)), default=0)
    fence = "`" * max(3, longest + 1)
    path = f'"{file.path}"' if re.search(r"[\s']", file.path) else file.path
    info = " ".join(filter(None, (file.language, f"path={path}")))
    end = "" if not file.content or file.content.endswith("\n") else "\n"
    return f"{fence}{info}\n{file.content}{end}{fence}"
