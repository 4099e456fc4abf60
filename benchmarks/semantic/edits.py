"""Edits as small as can be after which a request asks something else, by chance."""

import re
from collections.abc import Iterator
from random import Random

_OPPOSITES = (
    "ascending descending|increasing decreasing|minimum maximum|smallest largest|smaller larger|shortest longest|"
    "lowest highest|first last|odd even|before after|more fewer|more less|less greater|left right|upper lower|"
    "uppercase lowercase|row column|rows columns|prefix suffix|sum product|sum difference|positive negative|"
    "add subtract|add remove|start end|all any|and or|with without|prime composite|vowels consonants|"
    "letters digits|string integer|list tuple|array matrix|square cube|cube sphere|area volume|perimeter area|"
    "minutes hours|days weeks|twice thrice|half double|each total|buys sells|gains loses|inner outer|nth first|"
    "print return|find print|intersection union|front rear|binary octal|octal decimal|hexadecimal binary"
)
_SWAPS = {one: other for pair in _OPPOSITES.split("|") for one, other in (pair.split(), pair.split()[::-1])}
_NUMBERS = {"two": "three", "three": "four", "four": "five", "five": "six", "second": "third", "third": "fourth"}
_SMALL = frozenset({"a", "an", "the", "given", "of", "to", "in", "is", "are", "for", "and", "or", "by", "from", "with"})
_FREE = r"(?:a |the |given )*"
_TURNED = "convert|find|subtract|remove|merge|divide|append"
_BETWEEN = re.compile(rf"\b({_TURNED}) {_FREE}(\w+) (to|from|by|into) {_FREE}(\w+)")


def changed(text: str, chance: Random) -> Iterator[tuple[str, str]]:
    """Each kind of edit that finds something to change, with what comes of it."""
    made = {
        "opposite": _swapped(text, chance),
        "number": _renumbered(text, chance),
        "language": text.replace("a python function", "a javascript function"),
        "negated": re.sub(r"\b(is|are|does|do|that|can|will) ", lambda found: f"{found[0]}not ", text, count=1),
        "turned round": _turned(text),
        "word left out": _shortened(text, chance),
    }
    for kind, other in made.items():
        if other != text:
            yield kind, other


def _swapped(text: str, chance: Random) -> str:
    found = [each for each in re.finditer(r"[a-z]+", text) if each[0] in _SWAPS]
    if not found:
        return text
    place = chance.choice(found)
    return text[: place.start()] + _SWAPS[place[0]] + text[place.end() :]


def _renumbered(text: str, chance: Random) -> str:
    found = [each for each in re.finditer(r"\d+|\b[a-z]+\b", text) if each[0].isdigit() or each[0] in _NUMBERS]
    if not found:
        return text
    place = chance.choice(found)
    other = str(int(place[0]) + chance.randint(1, 3)) if place[0].isdigit() else _NUMBERS[place[0]]
    return text[: place.start()] + other + text[place.end() :]


def _turned(text: str) -> str:
    """`Convert x to y` as `convert y to x`."""
    return _BETWEEN.sub(r"\1 \4 \3 \2", text, count=1)


def _shortened(text: str, chance: Random) -> str:
    """Without one of the words in its middle that carry meaning."""
    words = text.split(" ")
    places = [at for at in range(4, len(words) - 1) if words[at].isalpha() and words[at].lower() not in _SMALL]
    if not places:
        return text
    at = chance.choice(places)
    return " ".join(words[:at] + words[at + 1 :])
