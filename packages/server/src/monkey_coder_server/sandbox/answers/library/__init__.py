"""The template library: small working programs, one text file each, varied in names, wording and structure.

A template file starts with `key: value` lines (`title`, `language`, `keywords`), then sections:
`=== path/of/file`, `=== optional path/of/file` (left out of every other answer) and `=== closing` (the last
sentence). In the text `<%name:a|b|c%>` picks one alternative and keeps it under that name for the whole answer,
`<%name%>` repeats it. Known from the start: `item`, `items`, `Item` (the noun of the prompt) and `port`.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from random import Random

_FOLDER = Path(__file__).parent
_HOLE = re.compile(r"<%(\w+)(?::([^%]*))?%>")
_GIVEN = re.compile(r"<%(item|items|Item|port)%>")
_WORD = re.compile(r"[a-z][a-z0-9+#-]*")
_NOUNS = (
    "task", "book", "order", "note", "recipe", "ticket", "invoice", "device", "user", "product", "customer", "post",
    "message", "event", "contact", "song", "movie", "student", "employee", "vehicle", "payment", "booking", "article",
    "comment", "project", "item", "todo", "account", "document", "course",
)  # fmt: skip
_TOLD_LANGUAGE = re.compile(r"\b(?:in|use|language:?)\s+(?:type|java)script\b|\blanguage:?\s+\w+")
"""A system prompt decides the language only where it says so; it may well mention others."""
_LANGUAGES = {
    "typescript": re.compile(r"\btypescript\b|\bts\b|\.tsx?\b"),
    "javascript": re.compile(r"\bjavascript\b|\bjs\b|\bnode(?:\.?js)?\b|\bexpress\b|\.jsx?\b"),
    "dockerfile": re.compile(r"\bdockerfile\b|\bdocker\b|\bcontaineri[sz]e\b"),
    "sql": re.compile(r"\bsql schema\b|\bsql\b(?!ite|alchemy)|\bcreate table\b|\bdatabase schema\b"),
}


@dataclass(frozen=True, slots=True)
class Template:
    """One program of the library."""

    name: str
    title: str
    language: str
    keywords: frozenset[str]
    sections: tuple[tuple[str, bool, str], ...]
    """Path, whether optional, text."""
    closing: str


@dataclass(frozen=True, slots=True)
class Program:
    """A template filled in for one prompt."""

    name: str
    title: str
    files: dict[str, str]
    closing: str


@lru_cache(maxsize=1)
def templates() -> tuple[Template, ...]:
    """Every template of the library, by name."""
    return tuple(_read(path) for path in sorted(_FOLDER.glob("*.txt")))


def _read(path: Path) -> Template:
    head, *parts = re.split(r"^=== (.+)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    settings = dict(line.split(": ", 1) for line in head.strip().splitlines())
    sections = []
    closing = ""
    for heading, text in zip(parts[::2], parts[1::2], strict=True):
        if heading == "closing":
            closing = text.strip()
        else:
            sections.append((heading.removeprefix("optional "), heading.startswith("optional "), text))
    return Template(
        name=path.stem,
        title=settings["title"],
        language=settings["language"],
        keywords=frozenset(settings["keywords"].split(", ")),
        sections=tuple(sections),
        closing=closing,
    )


def program(prompt: str, system: str, random: Random) -> Program:
    """The template that fits the prompt best, filled in; equal fits are drawn."""
    lowered = prompt.lower()
    told = " ".join(match[0] for match in _TOLD_LANGUAGE.finditer(system.lower()))
    language = _language(lowered) or _language(told) or "python"
    words = set(_WORD.findall(lowered))
    words |= {word.removesuffix("s") for word in words}
    candidates = [entry for entry in templates() if entry.language == language]
    fits = [_fit(entry, lowered, words) for entry in candidates]
    best = max(fits)
    chosen = random.choice([entry for entry, fit in zip(candidates, fits, strict=True) if fit == best])
    return fill(chosen, lowered, random)


def _language(text: str) -> str:
    return next((language for language, pattern in _LANGUAGES.items() if pattern.search(text)), "")


def _fit(template: Template, prompt: str, words: set[str]) -> int:
    return sum(
        2 if " " in word else 1 for word in template.keywords if word in words or (" " in word and word in prompt)
    )


def fill(template: Template, prompt: str, random: Random) -> Program:
    """A template with its alternatives drawn and its noun taken from the prompt."""
    item = _noun(prompt) or random.choice(_NOUNS[:12])
    chosen = {
        "item": item,
        "items": item[:-1] + "ies" if item.endswith("y") else item + "s",
        "Item": item.capitalize(),
        "port": str(random.randrange(8_100, 8_900)),
    }

    given = dict(chosen)

    def hole(match: re.Match[str]) -> str:
        name, alternatives = str(match[1]), str(match[2])
        if name not in chosen:
            chosen[name] = random.choice(alternatives.split("|"))
        return chosen[name]

    def filled(text: str) -> str:
        return _HOLE.sub(hole, _GIVEN.sub(lambda match: given[str(match[1])], text))

    files = {
        filled(path): filled(text)
        for path, optional, text in template.sections
        if not optional or random.random() < 0.5
    }
    return Program(template.name, filled(template.title), files, filled(template.closing))


def _noun(prompt: str) -> str:
    for word in map(str, _WORD.findall(prompt)):
        for candidate in (word, word.removesuffix("s"), word[:-3] + "y" if word.endswith("ies") else word):
            if candidate in _NOUNS:
                return candidate
    return ""
