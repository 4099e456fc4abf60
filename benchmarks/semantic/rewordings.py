"""The same request in other words, by chance. Half of its phrases are none that the gateway knows."""

import re
from collections.abc import Callable
from random import Random

_BEFORE = (
    "Please {}",
    "Could you {}",
    "Can you please {}",
    "Hi, {}",
    "Hello! Could you {}",
    "I was wondering if you could {}",
    "I need you to {}",
    "I'd like you to {}",
    "Help me {}",
    "It would be great if you could {}",
    "Pls {}",
    "Kindly {}",
    "Your task: {}",
)
_BEFORE_A_QUESTION = (
    "Please, {}",
    "Hi! {}",
    "Hello, {}",
    "Hey there. {}",
    "Good morning! {}",
    "Quick question: {}",
    "Please answer: {}",
    "Please help me with this: {}",
    "Can you help me with this? {}",
)
_BEHIND = ("Thanks!", "Thank you.", "Please.", "Many thanks in advance.", "Much appreciated!", "Thx", "Cheers")
_MAKES = ("Implement", "Create", "Develop", "Give me", "I need", "Code up", "Come up with", "Put together", "Build")
_SYNONYMS = {
    "find": ("compute", "determine", "calculate", "get"),
    "check": ("verify", "test", "determine"),
    "whether": ("if",),
    "if": ("whether",),
    "remove": ("delete", "strip"),
    "count": ("tally", "determine"),
    "largest": ("biggest",),
    "smallest": ("lowest",),
    "maximum": ("largest",),
    "given": ("provided", "specified"),
    "list": ("array",),
    "using": ("by using", "with"),
    "elements": ("items",),
    "total": ("overall",),
    "buys": ("purchases",),
    "gets": ("receives",),
    "kids": ("children",),
    "until": ("till",),
}
_ARTICLES = {"the given": ("a given ", "the ", "given "), "a given": ("the given ", "a "), "the": ("",)}
_PROGRAM = re.compile(r"Write a (python )?function (?:to|that) (\w+)")


def reworded(text: str, steps: int, chance: Random) -> str:
    """After so many different changes; one that finds nothing to change leaves the text as it is."""
    for change in chance.sample(_CHANGES, len(_CHANGES)):
        after = change(text, chance)
        if after != text:
            text, steps = after, steps - 1
        if not steps:
            break
    return text


def _courtesy(text: str, chance: Random) -> str:
    if not _PROGRAM.match(text):
        return chance.choice(_BEFORE_A_QUESTION).format(text)
    return chance.choice(_BEFORE).format(text[0].lower() + text[1:])


def _thanks(text: str, chance: Random) -> str:
    return f"{text.rstrip()} {chance.choice(_BEHIND)}"


def _opening(text: str, chance: Random) -> str:
    """`Implement a function that finds` for `Write a function to find`."""

    def other(found: re.Match[str]) -> str:
        language, verb = found.groups(default="")
        finds = f"{verb}es" if re.search(r"(?:s|x|z|ch|sh)$", verb) else f"{verb}s"
        link = chance.choice((f"to {verb}", f"that {finds}", f"which {finds}"))
        return f"{chance.choice(_MAKES)} a {language}function {link}"

    return _PROGRAM.sub(other, text, count=1)


def _synonym(text: str, chance: Random) -> str:
    found = [word for word in _SYNONYMS if re.search(rf"\b{word}\b", text)]
    if not found:
        return text
    word = chance.choice(found)
    return re.sub(rf"\b{word}\b", chance.choice(_SYNONYMS[word]), text, count=1)


def _article(text: str, chance: Random) -> str:
    """`A given` for `the given`, or no article."""
    found = list(re.finditer(r"\b(the given|a given|the) ", text))[1:]
    if not found:
        return text
    place = chance.choice(found)
    other = chance.choice(_ARTICLES[place[1]])
    return text[: place.start()] + other + text[place.end() :]


def _stop(text: str, chance: Random) -> str:
    bare = text.rstrip(" .!?")
    return bare + ("?" if text.endswith("?") and chance.random() < 0.5 else "")


def _contraction(text: str, _chance: Random) -> str:
    for long, short in (("does not", "doesn't"), ("is not", "isn't"), ("do not", "don't"), ("What is", "What's")):
        if long in text:
            return text.replace(long, short, 1)
    return text


_CHANGES: tuple[Callable[[str, Random], str], ...] = (
    _courtesy,
    _thanks,
    _opening,
    _synonym,
    _article,
    _stop,
    _contraction,
)
