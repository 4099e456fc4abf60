"""Short, relevant prose: reviews, explanations and chat that name the files and identifiers of the prompt."""

import re
from random import Random

from monkey_coder_server.sandbox.tokens import CHARACTERS_PER_TOKEN

_FILE = re.compile(r"\b[\w./-]+\.(?:py|js|ts|tsx|jsx|go|rs|java|sql|md|toml|yaml|yml|json|rb|c|h|cpp)\b")
_DEFINITION = re.compile(r"\b(?:def|class|function|func|fn|interface)\s+(\w+)")
_FENCE = re.compile(r"```.*?```", re.DOTALL)

_FINDINGS = (
    "Input is trusted where it enters; validate it there, once, and keep the inner functions simple.",
    "Errors are swallowed in one place. Let them rise to a boundary that logs and counts them.",
    "The happy path is clear. The edge cases (empty input, duplicates, very large values) have no test yet.",
    "Two functions know the same rule. Give it one home so that a change cannot be half made.",
    "A resource is opened without a context manager; an exception in between would leak it.",
    "Names say what a value is made of, not what it is for. Renaming three of them would remove two comments.",
    "The loop does work of quadratic order; a dictionary built once makes it linear.",
    "Time and randomness are read inside the logic. Pass them in and the tests become exact.",
)
_EXPLANATIONS = (
    "It reads its input, keeps only what it needs, and hands a plain value to the next step.",
    "State lives in one object; every method either answers a question about it or makes one change.",
    "The public functions are thin: they check arguments and call the pure part, which is easy to test.",
    "Failure is a value until it reaches the edge, where it becomes a message for the user.",
)
_CHAT = (
    "Start with the smallest version that works from end to end, then widen it one case at a time.",
    "I would write the failing test first; it settles what the function should be called and what it returns.",
    "Measure before changing anything: the slow part is usually not the one that looks slow.",
    "Both ways work. The first is easier to delete later, which is why I would choose it here.",
    "Keep the data in one place and derive the rest; most of the difficulty disappears.",
)
_THOUGHTS = (
    "Let me restate the task: {topic}.",
    "The result has to run as it is, so I will keep to the standard library.",
    "What could go wrong? Empty input, repeated keys and values out of range come to mind first.",
    "A small number of clear functions is better than one class that does everything.",
    "I should name the pieces after the domain, not after the technique.",
    "Checking the order of operations once more: validate, compute, then store.",
    "The tests should fail if the behaviour breaks, so each one asserts a single fact.",
    "That looks complete. I will write it down with a short note on how to run it.",
)


def topic_of(prompt: str, words: int = 12) -> str:
    """The first words of a prompt, without code, as a phrase to quote."""
    plain = " ".join(_FENCE.sub(" ", prompt).split())
    return " ".join(plain.split(" ")[:words]).strip(" .:") or "the request"


def answer(prompt: str, request: str, random: Random) -> str:
    """A review, an explanation or a chat reply, whichever the request asks for, about what the prompt holds."""
    lowered = request.lower()
    subjects = list(dict.fromkeys([*_FILE.findall(prompt), *_DEFINITION.findall(prompt)]))[:6]
    if re.search(r"\b(review|analy[sz]e|audit|critique|find (?:bugs|problems))\b", lowered):
        return _review(prompt, subjects, random)
    if re.search(r"\b(explain|describe|document|summari[sz]e|what does|how does|walk me)\b", lowered):
        return _explanation(prompt, subjects, random)
    opening = random.choice(("On", "About", "As to", "Regarding"))
    return f"{opening} “{topic_of(request)}”: {' '.join(random.sample(_CHAT, 2))}"


def _review(prompt: str, subjects: list[str], random: Random) -> str:
    findings = random.sample(_FINDINGS, random.randint(3, 5))
    lines = []
    for number, finding in enumerate(findings, start=1):
        place = f"`{subjects[(number - 1) % len(subjects)]}`: " if subjects else ""
        lines.append(f"{number}. {place}{finding}")
    verdict = random.choice(("Sound, with small repairs.", "Good base; fix point 1 first.", "Ready after the tests."))
    return (
        f"## Review of {', '.join(f'`{s}`' for s in subjects) or topic_of(prompt)}\n\n"
        + "\n".join(lines)
        + f"\n\n{verdict}"
    )


def _explanation(prompt: str, subjects: list[str], random: Random) -> str:
    sentences = random.sample(_EXPLANATIONS, 3)
    about = f"`{subjects[0]}`" if subjects else f"“{topic_of(prompt)}”"
    others = "".join(f"\n- `{subject}` {random.choice(_EXPLANATIONS).lower()}" for subject in subjects[1:])
    return f"{about} in short. {' '.join(sentences)}{others}"


def thoughts(prompt: str, tokens: int, random: Random) -> str:
    """A passage of reasoning about as long as asked for."""
    characters = tokens * CHARACTERS_PER_TOKEN
    start = random.randrange(len(_THOUGHTS))
    sentences = [_THOUGHTS[0].format(topic=topic_of(prompt))]
    length = len(sentences[0])
    while length < characters:
        sentence = _THOUGHTS[1 + (start + len(sentences)) % (len(_THOUGHTS) - 1)]
        sentences.append(sentence)
        length += len(sentence) + 1
    return " ".join(sentences)[:characters]
