"""English words that say the same in a request, and words that ask nicely and say nothing.

Nothing stands here that could change what is asked for: no number, negation, direction, comparison or quantity. `find`
and `return` are two things, as `print` is, and a script is no function.
"""

from collections.abc import Mapping
from types import MappingProxyType

Phrase = tuple[str, ...]
MOST_WORDS = 8
"""Of a phrase."""


def _phrases(said: str) -> tuple[Phrase, ...]:
    """Those between commas, the longest first."""
    return tuple(sorted((tuple(each.split()) for each in said.split(",")), key=len, reverse=True))


def _words(said: str) -> frozenset[str]:
    return frozenset(said.split())


def _pairs(said: str) -> Mapping[str, str]:
    """`one: other, …`."""
    return MappingProxyType(dict(each.strip().split(": ") for each in said.split(",")))


GREETINGS = _phrases(
    "hi, hi there, hello, hello there, hey, hey there, good morning, good afternoon, good evening, please, kindly"
)
"""What may stand at the beginning, before a pause or what is asked for."""
ASKING = _phrases(
    "could you, can you, would you, will you, could you please, can you please, would you please, will you please, "
    "i want you to, i need you to, i would like you to, i need, i want, i would like, help me, help me to, "
    "your task is to"
)
"""The same, only before what is asked for: there `can you` never asks whether it is possible."""
REQUESTED = _words(
    "write implement create develop code make build define produce explain describe summarize translate convert list "
    "show tell give find compute calculate determine compare name suggest help provide design fix solve sort reverse "
    "count check remove rewrite refactor debug answer generate draft outline review improve shorten correct"
)
THANKS = _phrases(
    "thank you very much, thanks a lot, many thanks, thanks in advance, thank you in advance, "
    "many thanks in advance, thank you, thanks, please"
)
"""What may stand at the end behind a pause; those of `PLEASE` also without one, but not behind `JOINING`."""
PLEASE = frozenset({"please"})
ABOUT_WORDS = _words(
    "say says saying said word words sentence sentences phrase phrases text letter letters syllable syllables mean "
    "means meaning meanings spell spelling grammar grammatical grammatically pronounce pronunciation translate "
    "translates translation correct proofread rewrite rephrase paraphrase reword quote repeat complete classify "
    "sentiment article articles noun verb pronoun rhyme rhymes synonym synonyms antonym antonyms poem lyrics title "
    "reformulate wording polite politely formal formally passive tense shorten"
)
"""Where one of these stands outside of what a program is to do, the words themselves may be what is asked about."""
ARTICLES = _words("a an the")
EMPTY = ARTICLES | {"given"}
"""Left out in front of a word of prose that is not of `JOINING`: before those `a` is a name."""
JOINING = _words(
    "a and or is are was to from in into with without by then than of as at for if on equals plus minus times over "
    "not be between name names"
)
"""`Names` because given ones are not any."""
SOME = _phrases("few, little, number of")
"""With `a` in front of them they are another quantity."""
SAME = _pairs(
    "till: until, uppercase: upper case, lowercase: lower case, upper-case: upper case, lower-case: lower case, "
    "n-th: nth, nonempty: non-empty, colour: color, colours: colors, grey: gray, behaviour: behavior, "
    "neighbour: neighbor, neighbours: neighbors, centre: center, normalise: normalize, initialise: initialize, "
    "optimise: optimize, analyse: analyze, summarise: summarize, whilst: while, amongst: among, utilise: use, "
    "utilize: use, biggest: largest, whether: if, cannot: can not, can't: can not, won't: will not, "
    "shan't: shall not, what's: what is, that's: that is, it's: it is, there's: there is, where's: where is, "
    "who's: who is, how's: how is, i'd: i would, i'm: i am, i've: i have, i'll: i will, you're: you are, "
    "we're: we are, they're: they are"
)
"""Spellings, contractions beside those in `n't`, and words with one meaning."""
MAKE = _phrases(
    "write, implement, create, develop, code, code up, make, build, produce, give me, provide, "
    "provide me with, write me, make me, show me, come up with"
)
"""What is said in front of a program that is asked for; nothing is the same."""
PROGRAMS = _words("function program script method class")
LINKS = _words("to that which")
"""Between a program and what it does; `MODAL` may follow."""
MODAL = _words("can will should")
WORK_OUT = _words("find compute calculate determine")
"""What a program does, directly behind its name."""
NAMES = _words("python javascript typescript java sql json html css xml yaml csv http regex")
"""Names that are written in any case and are no other word."""
LANGUAGES = _words("python javascript typescript java sql")
