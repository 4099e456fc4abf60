"""What a guesser who knows lists of leaked passwords would try early: forms of a password to be looked up in them."""

import re
import unicodedata
from collections.abc import Iterable
from itertools import pairwise

PRODUCT_WORDS = ("monkeycoder", "monkey", "coder")
SHORTEST_WORD = 4
"""Characters: shorter words are in no list, and part of everything."""
LONGEST_AFFIX = 8
"""Characters before and after a common word that make it no uncommon one."""
FEWEST_DIFFERENT = 5
FEWEST_OWN_LETTERS = 6
_LEET = str.maketrans("4@3€106!|5$7+", "aaeeiogiisstt")
_AROUND = re.compile(r"^[\W\d_]*|[\W\d_]*$")
_NO_LETTER = re.compile(r"[\W\d_]+")


def folded(text: str) -> str:
    """Upper and lower case, and the ways Unicode writes one character, as one."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def forms(password: str) -> tuple[str, ...]:
    """What to look up: the password, its repeated part, its core without digits around, each with leet undone too."""
    whole = folded(password)
    unit = _repeated_part(whole)
    found = {form: None for each in (whole, unit) for form in (each, each.translate(_LEET), *_cores(each))}
    return tuple(form for form in found if len(form) >= SHORTEST_WORD)


def easy(password: str, personal: Iterable[str]) -> bool:
    """Whether it can be guessed without a list: of few characters, one step after the other, or of known words only.

    `personal` are words about the person: address and name. With those and the product's taken out, too few letters
    are left.
    """
    whole = folded(password)
    if len(set(whole)) < FEWEST_DIFFERENT or _steps(whole):
        return True
    letters = _NO_LETTER.sub("", whole)
    words = [*PRODUCT_WORDS, *(part for text in personal for part in _words(text))]
    left = letters
    for word in sorted(words, key=len, reverse=True):
        left = left.replace(word, "")
    return left != letters and len(left) < FEWEST_OWN_LETTERS


def _words(text: str) -> list[str]:
    lowered = folded(text)
    return [word for word in (*_NO_LETTER.split(lowered), _NO_LETTER.sub("", lowered)) if len(word) >= SHORTEST_WORD]


def _repeated_part(text: str) -> str:
    """`abcabc` is `abc`."""
    size = (text + text).find(text, 1)
    return text[:size]


def _cores(text: str) -> tuple[str, ...]:
    """What stands between digits and signs, as it is and with leet undone."""
    core = _AROUND.sub("", text)
    if len(text) - len(core) > LONGEST_AFFIX:
        return ()
    return core, core.translate(_LEET)


def _steps(text: str) -> bool:
    """`abcdefgh` and `98765432`: each character next to the one before."""
    return {ord(after) - ord(before) for before, after in pairwise(text)} <= {1, -1, -9, 9}
