"""Whether two requests ask the same in other words: what must agree to the letter, and how alike the rest has to be.

Vectors of texts lie near each other for `the first odd number` and `the first even number`, and nearest for a tuple
made a string and a string made a tuple. So the words that carry meaning must be the same in the same order, with every
number, negation, name, quotation and line of code as it was typed (`kernel`); only courtesies, articles and a short
list of words with one meaning are free. What is left to the vectors is a second opinion.
"""

import re
from collections.abc import Iterator, Sequence
from operator import mul

from monkey_coder_server.domain.conversation import ModelRequest, Role, Text
from monkey_coder_server.domain.interchangeable_words import (
    ABOUT_WORDS,
    ARTICLES,
    ASKING,
    EMPTY,
    GREETINGS,
    JOINING,
    LANGUAGES,
    LINKS,
    MAKE,
    MODAL,
    MOST_WORDS,
    NAMES,
    PLEASE,
    PROGRAMS,
    REQUESTED,
    SAME,
    SOME,
    THANKS,
    WORK_OUT,
    Phrase,
)

LEAST_SIMILARITY = 0.91
"""Cosine of two vectors below which two wordings are not taken for one; how it was found: decision 0074."""
LONGEST = 2_000
"""Characters of a text that is compared at all."""
FEWEST = 3
"""Parts of a kernel; fewer hang too much on what was said before."""
_MOST_COURTESIES = 8
_PIECE = re.compile(r"""`[^`]*`|"[^"]*"|“[^”]*”|(?<!\w)'[^']*'(?!\w)|[^\s`"“]+|\S""")
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_COLON = re.compile(r":(?=\s|\Z)")
_PAUSE, _STOP = ",", "."
_PAUSES = frozenset({_PAUSE, _STOP})


def words_asked(request: ModelRequest) -> str | None:
    """The last turn's words, where they may be put otherwise: plain talk, no tools, no files, no prescribed form."""
    source, messages = request.source, request.messages
    if request.tools or request.tool_choice or request.output or (source is not None and source.server_tools):
        return None
    if not messages or messages[-1].role is not Role.USER or len(messages[-1].parts) != 1:
        return None
    if not all(isinstance(part, Text) for message in messages for part in message.parts):
        return None
    said = messages[-1].parts[0]
    return said.text if isinstance(said, Text) and len(said.text) <= LONGEST else None


def kernel(text: str) -> tuple[str, ...] | None:
    """What two wordings of one request have in common; None for a text that has to stay as it is.

    Only the first line is prose, as far as its first colon; all else counts as it was typed.
    """
    first, *lines = text.strip().splitlines() or [""]
    prose, colon, rest = _prose(first)
    typed = [*([colon + rest] if colon else ()), *(line.rstrip() for line in lines)]
    said = list(_pieces(prose))
    asked = _asked(said if typed else _without_end(said))
    if not ABOUT_WORDS.isdisjoint(asked) and not (asked[0] == "write" and _named(asked[1:])):
        return None
    found = (*asked, *typed)
    return found if len(found) >= FEWEST else None


def similarity(one: Sequence[float], other: Sequence[float]) -> float:
    """The cosine of two vectors of length 1."""
    cosine: float = sum(map(mul, one, other))
    return max(-1.0, min(1.0, cosine))


def _prose(line: str) -> tuple[str, str, str]:
    """What stands in front of the first colon that ends a word, the colon, and what stands behind it."""
    found = _COLON.search(line)
    return (line, "", "") if found is None else (line[: found.start()], ":", line[found.end() :])


def _pieces(line: str) -> Iterator[str]:
    """Words in one spelling, ends of clauses, and everything else as it was typed."""
    begins = True
    for typed in _PIECE.findall(line):
        core = typed.rstrip(".,!?")
        word = _WORD.fullmatch(core)
        if word is None or (len(core) == 1 and "!" in typed):  # the factorial of n
            core = typed.rstrip(".,")
        if core:
            yield from _spelled(core, begins=begins) if word else (core,)
        begins = typed.endswith((".", "!", "?"))
        if begins or typed.endswith(","):
            yield _STOP if begins else _PAUSE


def _spelled(word: str, *, begins: bool) -> Sequence[str]:
    """A capital inside of a sentence makes a name, which is left as it is."""
    word = word.replace("\u2019", "'")
    lower = word.lower()
    capital = word != lower and not (begins and word[1:] == lower[1:])
    if capital and lower not in NAMES and not lower.startswith("i'"):
        return (word,)
    if lower in SAME:
        return SAME[lower].split()
    return (lower[:-3], "not") if lower.endswith("n't") else (lower,)


def _without_end(said: list[str]) -> list[str]:
    """Without thanks and the last full stop."""
    for _ in range(_MOST_COURTESIES):
        said = _before_pauses(said)
        thanks = _thanking(said)
        if not thanks:
            break
        said = said[:-thanks]
    return said


def _before_pauses(said: list[str]) -> list[str]:
    while said and said[-1] in _PAUSES:
        said = said[:-1]
    return said


def _thanking(said: Sequence[str]) -> int:
    """How many words at the end thank; 0 for none, and for those that are what is spoken of."""
    lower = tuple(each.lower() for each in said)
    for phrase in THANKS:
        before = lower[: -len(phrase)]
        if before and lower[-len(phrase) :] == phrase:
            unsaid = phrase[0] in PLEASE and before[-1] not in JOINING
            return len(phrase) if unsaid or before[-1] in _PAUSES else 0
    return 0


def _asked(said: list[str]) -> list[str]:
    """The request itself, a program that is asked for always in the same words, without what says nothing."""
    for _ in range(_MOST_COURTESIES):
        courtesy = _greeting(said) or _asking(said)
        if not courtesy:
            break
        said = said[courtesy:]
        while said and said[0] in _PAUSES:
            said = said[1:]
    if said and _WORD.fullmatch(said[0]):
        said = [*_spelled(said[0], begins=True), *said[1:]]
    said = _program(said)
    if said[-2:] == ["or", "not"] and "if" in said:
        said = said[:-2]
    return [each for at, each in enumerate(said) if not _says_nothing(each, said[at + 1 : at + 3])]


def _says_nothing(word: str, after: Sequence[str]) -> bool:
    """Whether it is left out in front of those two."""
    if word not in EMPTY or not after or not _WORD.fullmatch(after[0]) or after[0].lower() in JOINING:
        return False
    return not (word in ARTICLES and len(after[0]) == 1) and not (word == "a" and _begins(after, SOME))


def _begins(said: Sequence[str], phrases: Sequence[Phrase]) -> int:
    """How many words the phrase has with which it begins; 0 for none."""
    lower = tuple(each.lower() for each in said[:MOST_WORDS])
    return next((len(each) for each in phrases if lower[: len(each)] == each), 0)


def _greeting(said: Sequence[str]) -> int:
    """How many words greet before what is asked for; 0 for none."""
    greeting = _begins(said, GREETINGS)
    rest = said[greeting:]
    goes_on = bool(rest) and (rest[0] in _PAUSES or _wanted(rest) or _begins(rest, GREETINGS) or _asking(rest))
    return greeting if goes_on else 0


def _asking(said: Sequence[str]) -> int:
    """The same for what is no courtesy anywhere else."""
    asking = _begins(said, ASKING)
    return asking if _wanted(said[asking:]) else 0


def _wanted(said: Sequence[str]) -> bool:
    """Whether it begins with what is asked for."""
    return bool(said) and (said[0].lower() in REQUESTED or _named(said) > 0)


def _named(said: Sequence[str]) -> int:
    """How many words name a program at the beginning; 0 for none: `a python function`."""
    at = 1 if said and said[0] in ARTICLES else 0
    at += 1 if said[at : at + 1] and said[at] in LANGUAGES else 0
    return at + 1 if said[at : at + 1] and said[at] in PROGRAMS else 0


def _program(said: list[str]) -> list[str]:
    """`implement a function in Python that computes x` as `write python function to find x`."""
    made = _begins(said, MAKE)
    named = _named(said[made:])
    if not named:
        return said
    name, rest = [each for each in said[made : made + named] if each not in ARTICLES], said[made + named :]
    if len(rest) > 1 and rest[0] == "in" and rest[1] in LANGUAGES and len(name) == 1:
        name, rest = [rest[1], *name], rest[2:]
    if len(rest) > 1 and rest[0] in LINKS:
        link = 2 if rest[1] in MODAL and len(rest) > 2 else 1
        verb = _plain(rest[link]) if rest[0] != "to" else rest[link]
        rest = ["to", "find" if verb in WORK_OUT else verb, *rest[link + 1 :]]
    return ["write", *name, *rest]


def _plain(verb: str) -> str:
    """`finds` as `find`."""
    if verb.endswith("ies"):
        return f"{verb[:-3]}y"
    if re.search(r"(?:ss|x|ch|sh)es$", verb):
        return verb[:-2]
    return verb[:-1] if verb.endswith("s") and not verb.endswith("ss") else verb
