"""Apply edits to the files they name, as careful tools do: exactly, else with other blanks, never by likeness."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from monkey_coder_server.domain.verification.edits import Edit

COMPARISONS = 200_000
"""Lines compared for one answer before it is given up."""
CHARACTERS = 2_000_000
"""Of files that edits are looked for in, each edit anew, before an answer is given up."""
_PATH_CHARACTERS = 20
"""What looking for one file's path counts as."""


class Undecided(Exception):
    """Comparing took too long; whether the edits apply is not known."""


class Unmatched(NamedTuple):
    """An edit that does not apply: its number from 1, and its file."""

    number: int
    path: str


@dataclass(slots=True)
class Applied:
    """The files after all edits. Paths of `files` are the caller's, of new files the answer's."""

    files: dict[str, str]
    changed: set[str] = field(default_factory=set)
    unknown: list[str] = field(default_factory=list)
    """Paths that name no file that was sent, and make none."""
    unmatched: list[Unmatched] = field(default_factory=list)


def apply_edits(edits: Sequence[Edit], files: Mapping[str, str]) -> Applied:
    """Apply one after the other; what does not apply is passed over and told. Raises `Undecided`."""
    result = Applied(dict(files))
    left, characters = COMPARISONS, CHARACTERS
    for number, edit in enumerate(edits, 1):
        path = known_path(edit.path, result.files)
        characters -= _PATH_CHARACTERS * len(result.files) + len(result.files.get(path or "", ""))
        if characters < 0:
            raise Undecided
        if path is None:
            if any(edit.before):
                result.unknown.append(edit.path)
                continue
            path = edit.path
        text, left = _applied(edit, result.files.get(path, ""), left)
        if text is None:
            result.unmatched.append(Unmatched(number, path))
        else:
            result.files[path] = text
            result.changed.add(path)
    return result


def known_path(path: str, files: Mapping[str, str]) -> str | None:
    """The file that a path names: itself, or the only one that ends with it or that it ends with."""
    plain = path.replace("\\", "/").removeprefix("./")
    if plain in files:
        return plain
    ends = [each for each in files if each.endswith(f"/{plain}") or plain.endswith(f"/{each}")]
    return ends[0] if plain and len(ends) == 1 else None


def _applied(edit: Edit, text: str, left: int) -> tuple[str | None, int]:
    """The text with the edit in it, None where it does not apply; comparisons left."""
    if not any(line.strip() for line in edit.before):
        return _added(edit, text), left
    if edit.near is None and (plain := _plainly(edit, text)) is not None:
        return plain, left
    crlf = "\r\n" in text
    lines = (text.replace("\r\n", "\n") if crlf else text).split("\n")
    before, after = list(edit.before), list(edit.after)
    found, left = _place(before, lines, edit.near, left)
    if found is None:
        before, after = _without_blank_ends(before, after)
        found, left = _place(before, lines, edit.near, left)
    if found is None:
        found, shift, left = _shifted_place(before, lines, left)
        if found is None:
            return None, left
        after = [shift + line if line.strip() else line for line in _dedented(after, before)]
    lines[found : found + len(before)] = after
    return ("\r\n" if crlf else "\n").join(lines), left


def _plainly(edit: Edit, text: str) -> str | None:
    """The text with the edit where exactly its lines stand first: the usual case, at once."""
    framed = f"\n{text}\n"
    wanted = "\n{}\n".format("\n".join(edit.before))
    at = framed.find(wanted)
    if at < 0:
        return None
    put = "\n".join(("", *edit.after, ""))
    return (framed[:at] + put + framed[at + len(wanted) :])[1:-1]


def _added(edit: Edit, text: str) -> str:
    """A new file, or lines put where a diff says, else at the end."""
    added = "\n".join(edit.after) + ("\n" if edit.after else "")
    if not text:
        return added
    if edit.near is None:
        return text + ("" if text.endswith("\n") else "\n") + added
    lines = text.split("\n")
    lines[edit.near : edit.near + len(edit.before)] = edit.after
    return "\n".join(lines)


def _place(before: Sequence[str], lines: Sequence[str], near: int | None, left: int) -> tuple[int | None, int]:
    """Where the lines stand, blanks at their ends aside; the place nearest to what a diff says, else the first."""
    wanted = [line.rstrip() for line in before]
    held = [line.rstrip() for line in lines]
    places, left = _places(wanted, held, left)
    if not places:
        return None, left
    exact = [at for at in places if list(lines[at : at + len(before)]) == list(before)]
    places = exact or places
    return (places[0] if near is None else min(places, key=lambda at: abs(at - near))), left


def _shifted_place(before: Sequence[str], lines: Sequence[str], left: int) -> tuple[int | None, str, int]:
    """Where the lines stand with all of them indented more, or less, by the same; and the indentation there."""
    wanted = [line.strip() for line in before]
    places, left = _places(wanted, [line.strip() for line in lines], left)
    own = [_margin(line) for line in before if line.strip()]
    for at in places:
        there = [_margin(line) for line in lines[at : at + len(before)] if line.strip()]
        base, other = min(there, key=len), min(own, key=len)
        if all(t[len(base) :] == o[len(other) :] for t, o in zip(there, own, strict=True)):
            return at, base, left
    return None, "", left


def _places(wanted: Sequence[str], held: Sequence[str], left: int) -> tuple[list[int], int]:
    size, places = len(wanted), []
    rarest = max(range(size), key=lambda index: len(wanted[index]))
    left -= len(held)
    for at in range(len(held) - size + 1):
        if held[at + rarest] == wanted[rarest]:
            left -= size
            if left < 0:
                raise Undecided
            if held[at : at + size] == wanted:
                places.append(at)
    return places, left


def _without_blank_ends(before: Sequence[str], after: Sequence[str]) -> tuple[list[str], list[str]]:
    """Without the blank lines that models put at the ends of both."""
    start, stop = 0, len(before)
    while not before[start].strip():
        start += 1
    while not before[stop - 1].strip():
        stop -= 1
    first = min(start, _blank_at_start(after))
    last = min(len(before) - stop, _blank_at_start(after[::-1][: len(after) - first]))
    return list(before[start:stop]), list(after[first : len(after) - last])


def _blank_at_start(lines: Sequence[str]) -> int:
    return next((index for index, line in enumerate(lines) if line.strip()), len(lines))


def _dedented(lines: Sequence[str], measure: Sequence[str]) -> list[str]:
    """Lines without the margin that the lines searched for have in common."""
    margin = len(min((_margin(line) for line in measure if line.strip()), key=len))
    return [line[min(margin, len(_margin(line))) :] for line in lines]


def _margin(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]
