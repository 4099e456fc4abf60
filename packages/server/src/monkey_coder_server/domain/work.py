"""What kind of work a request is: its task, its language and its size, as names of classes; no word of it is kept.

Callers of the native API say the kind of task. For all others the caller's last words tell: the first verb that names
a kind of work does, a verb of making by what is made. The rules are a table anyone can read, not a fitted model.
"""

import re
from collections.abc import Mapping
from itertools import islice
from types import MappingProxyType
from typing import NamedTuple

from monkey_coder_server.domain.conversation import ModelRequest, Role, Text
from monkey_coder_server.domain.work_language import language_of

KIND_OF_TASK: Mapping[str, str] = MappingProxyType(
    {
        "code_generation": "implement",
        "debugging": "fix",
        "testing": "test",
        "code_analysis": "explain",
        "code_review": "review",
        "refactoring": "refactor",
        "documentation": "document",
    }
)
"""Kinds of work by the task types that say them; `custom` and `chat` say none."""
CHAT = "chat"
"""Words that name no kind of work."""
EXTRACT = "extract"
"""An answer in a form for programs, and no tools to work with."""
READ_FIRST, READ_LAST = 300, 300
"""Characters of the caller's words looked at: instructions open or close a text, what lies between is matter."""
MADE_WITHIN = 8
"""Words after a verb of making among which what is made is looked for."""

_ACTIONS: Mapping[str, str] = MappingProxyType(
    {
        word: kind
        for kind, words in {
            "fix": "fix fixes fixing debug bug bugs resolve repair broken crash crashes crashed fails failing",
            "review": "review reviewing audit critique vulnerabilities",
            "refactor": "refactor rename restructure simplify optimize optimise modernize modernise migrate reorganize",
            "explain": "explain describe why analyze analyse understand",
            "document": "document",
            "summarise": "summarize summarise",
        }.items()
        for word in words.split()
    }
)
_MAKING_WORDS = "write add create generate implement build make develop update improve extend port introduce support"
_MAKING = frozenset(_MAKING_WORDS.split())
_MADE: Mapping[str, str] = MappingProxyType(
    {
        word: kind
        for kind, words in {
            "test": "test tests testcase testcases",
            "document": "docs doc documentation docstring docstrings readme comments changelog",
            "summarise": "title summary commit",
        }.items()
        for word in words.split()
    }
)
_ASKING = frozenset({"what", "how", "where", "which", "who", "when", "is", "are", "does", "do"})
"""As the first word: a question."""
_WORD = re.compile(r"[a-z]+")
_COMMIT = "# diffs:"
"""How aider asks for the message of a commit."""
_new = tuple.__new__
"""Makes a named tuple in half the time its class takes."""
_SIZES = ((2_000, "small"), (16_000, "medium"), (128_000, "large"))


class Work(NamedTuple):
    """The class a request belongs to. `language` is empty where no sign of one was seen."""

    kind: str
    language: str
    size: str


def work_of(task_type: str, request: ModelRequest, tokens: int) -> Work:
    """The kind of work of a request of about so many prompt tokens."""
    said = last_words(request)
    kind = KIND_OF_TASK.get(task_type)
    if kind is None:
        kind = EXTRACT if request.output is not None and not request.tools else kind_of(said)
    return _new(Work, (kind, language_of(said), size_of(tokens)))


def kind_of(said: str) -> str:
    """The kind of work that a caller's words name."""
    if len(said) > READ_FIRST + READ_LAST:
        said = f"{said[:READ_FIRST]} {said[-READ_LAST:]}"
    said = said.lower()
    if _COMMIT in said:
        return "summarise"
    words, first = _WORD.finditer(said), ""
    for found in words:
        word = found[0]
        first = first or word
        kind = _ACTIONS.get(word)
        if kind is not None:
            return kind
        if word in _MAKING:
            for made in islice(words, MADE_WITHIN):
                if (kind := _MADE.get(made[0])) is not None:
                    return kind
            return "implement"
    return "explain" if first in _ASKING else CHAT


def size_of(tokens: int) -> str:
    """The size class of a prompt."""
    for most, name in _SIZES:
        if tokens < most:
            return name
    return "huge"


def last_words(request: ModelRequest) -> str:
    """What the user said last: agents put their reminders before the user's own words."""
    for message in reversed(request.messages):
        if message.role is Role.USER:
            for part in reversed(message.parts):
                if isinstance(part, Text) and part.text:
                    return part.text
    return ""
