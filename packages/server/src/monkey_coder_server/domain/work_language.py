"""The programming language a text is about, by cheap signs: fences, file names, its name, then its keywords."""

import re
from collections.abc import Mapping
from types import MappingProxyType

READ_FIRST, READ_LAST = 500, 300
"""Characters that are looked at."""

_ENDINGS: Mapping[str, str] = MappingProxyType(
    {
        ending: language
        for language, endings in {
            "python": "py pyi ipynb python",
            "typescript": "ts tsx typescript",
            "javascript": "js jsx mjs cjs javascript",
            "java": "java",
            "kotlin": "kt kts kotlin",
            "go": "go golang",
            "rust": "rs rust",
            "c": "c h",
            "cpp": "cpp cc cxx hpp hh",
            "csharp": "cs csharp",
            "ruby": "rb ruby",
            "php": "php",
            "swift": "swift",
            "scala": "scala",
            "shell": "sh bash zsh shell",
            "sql": "sql",
            "html": "html htm",
            "css": "css scss",
        }.items()
        for ending in endings.split()
    }
)
_NAMES = (
    "python",
    "typescript",
    "javascript",
    "kotlin",
    "golang",
    "rust",
    "ruby",
    "php",
    "swift",
    "scala",
    "java",
    "bash",
)
_SIGNS: tuple[tuple[str, str], ...] = (
    *((name, _ENDINGS[name]) for name in _NAMES),
    ("\ndef ", "python"),
    ("import numpy", "python"),
    ("fn main(", "rust"),
    ("func ", "go"),
    ("#include", "cpp"),
    ("public class ", "java"),
    ("const ", "javascript"),
    ("function ", "javascript"),
    ("select ", "sql"),
)
_FOUND = re.compile(r"[.`]([a-z]{1,10})\b")


def language_of(said: str) -> str:
    """The language most files and fences of a text are in, else the one it names or looks like; empty for none."""
    if len(said) > READ_FIRST + READ_LAST:
        said = f"{said[:READ_FIRST]} {said[-READ_LAST:]}"
    said = said.lower()
    languages: dict[str, int] = {}
    for ending in _FOUND.findall(said):
        language = _ENDINGS.get(ending)
        if language is not None:
            languages[language] = languages.get(language, 0) + 1
    if languages:
        return min(languages, key=lambda language: (-languages[language], language))
    for sign, language in _SIGNS:
        if sign in said:
            return language
    return ""
