"""What an answer votes for, so that answers that say the same in other words of no meaning vote alike.

Of an answer these count, the first that it has: the tools it calls with their arguments; the JSON object or list that
it is; the code in its fences; its last line, where that is marked as the answer or the whole is short; else all of it.
A last line that comes to a number votes for the number. Case, spacing and emphasis do not count, in code only spacing.
"""

import json
import re
from collections.abc import Iterator, Sequence

from monkey_coder_server.domain.verification.json_schema import Undecided
from monkey_coder_server.domain.verification.structure import read_json

SHORT = 400
"""Characters of an answer whose last line is what it comes to though it does not say so."""
Call = tuple[str, str]
"""A tool's name and its arguments as the model wrote them."""

_FENCE = re.compile(r"^[ \t]*(?P<mark>`{3,}|~{3,})(?P<info>[^`\n]*)$")
_MARKED = re.compile(r"^(?:####|.*\banswer\b(?:\s+is\b|\s*[:=])+|.*\\boxed\{(?=[^{}]*\}))\s*(?P<said>.+)$")
_NUMBER = re.compile(
    r"^(?:.*(?:\bis\b|[:=≈]))?\s*(?P<sign>[+-]?)\s*[$€£]?\s*"
    r"(?P<whole>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.(?P<part>[0-9]+))?\s*(?P<percent>%?)$"
)
_EMPHASIS = re.compile(r"(?<![\w*`])[*`]++(?=\S)|(?<=[^\s*`])[*`]++(?!\w)")
_BEFORE = " \t\"'$\\#>*"
_BEHIND = " \t\"'$\\.!;,}"


def ballot(text: str, calls: Sequence[Call] = ()) -> tuple[str, ...]:
    """What an answer votes for; answers vote alike exactly where this is equal."""
    if calls:
        return ("calls", *sorted(f"{name} {_canonical(arguments)}" for name, arguments in calls))
    blocks = list(_blocks(text))
    structured = _json(blocks[0] if len(blocks) == 1 else text)
    if structured is not None:
        return ("json", structured)
    if blocks:
        return ("code", *(line for block in blocks for line in _code_lines(block)))
    return ("text", _said(text))


def _canonical(arguments: str) -> str:
    found = _json(arguments)
    return arguments if found is None else found


def _json(text: str) -> str | None:
    """A JSON object or list in one spelling; None for anything else, and for what is too long or deep to be read."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return json.dumps(_plain(read_json(text)), sort_keys=True, separators=(",", ":"))
    except (ValueError, RecursionError, Undecided):
        return None


def _plain(value: object) -> object:
    """The value with whole numbers written alike: 1.0 as 1."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _blocks(text: str) -> Iterator[str]:
    """What stands in the fences of a text; the last may be open."""
    mark, inside = "", list[str]()
    for line in text.splitlines():
        fence = _FENCE.match(line)
        if not mark and fence is not None:
            mark, inside = fence["mark"], []
        elif mark and fence is not None and fence["mark"].startswith(mark) and not fence["info"].strip():
            yield "\n".join(inside)
            mark = ""
        elif mark:
            inside.append(line)
    if mark:
        yield "\n".join(inside)


def _code_lines(block: str) -> Iterator[str]:
    """Lines of code with their indentation; empty ones and other spacing do not count."""
    for line in block.splitlines():
        words = " ".join(line.split())
        if words:
            spread = line.expandtabs(4)
            yield " " * (len(spread) - len(spread.lstrip())) + words


def _said(text: str) -> str:
    """What a text without code comes to."""
    folded = _EMPHASIS.sub("", text).casefold()
    last = next((" ".join(line.split()) for line in reversed(folded.splitlines()) if line.strip()), "")
    marked = _MARKED.match(last) if len(last) <= SHORT else None
    if marked is None and len(text.strip()) > SHORT:
        return " ".join(folded.split())
    said = (last if marked is None else marked["said"]).lstrip(_BEFORE).rstrip(_BEHIND)
    number = _NUMBER.match(said)
    return said if number is None else _number(number)


def _number(found: re.Match[str]) -> str:
    """A number in one spelling, without thousands' commas and zeros that say nothing."""
    whole = found["whole"].replace(",", "").lstrip("0") or "0"
    part = (found["part"] or "").rstrip("0")
    size = f"{whole}.{part}" if part else whole
    sign = "-" if found["sign"] == "-" and size != "0" else ""
    return f"{sign}{size}{found['percent']}"
