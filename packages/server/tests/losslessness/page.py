"""Writes docs/reference/losslessness.md from round trips through every format."""

import gzip
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from monkey_coder_server.domain.errors import InvalidRequest
from packages.server.tests.losslessness import answers, features, requests
from packages.server.tests.losslessness.dialects import SPOKEN, Spoken

ROOT = Path(__file__).resolve().parents[4]
TARGET = ROOT / "docs" / "reference" / "losslessness.md"
_RECORDED = Path(__file__).resolve().parents[1] / "recordings" / "requests"
_FILES = {"chat": "chat", "responses": "responses", "messages": "anthropic", "gemini": "gemini"}
_INTRODUCTION = """# What is lost between the dialects

Written by `packages/server/tests/losslessness` from round trips through the codecs; a test holds this page to them, and
`LOSSLESSNESS_WRITE=1 pytest packages/server/tests/losslessness` writes it. Where caller and provider speak the same
dialect nothing is translated and nothing is lost: the bytes are passed on. ✓ means that the dialect says all of it; a
number is a note below the table. What a single model cannot do beyond that is told in [matrix.md](matrix.md) and,
request by request, in the header `x-monkey-dropped`."""
_REQUESTS = """## On the way to a provider

Each row is one thing a request can hold. It is written in the dialect of the column for a model that can do all the
dialect can say, and read again as a request of that dialect."""
_ANSWERS = """## On the way back to a caller

Each row is one thing an answer can hold. It is written for a caller of the dialect in the column and read again as that
dialect is read from a provider; thoughts and signatures are looked for where the caller hands the answer back for the
next turn. They come from a provider at home in none of the four, calls with a signature from Google."""
_OWN = """## What only a provider of the caller's own dialect is told

Fields and blocks of recorded requests that the neutral conversation has no place for. They are passed on where the
provider speaks the caller's dialect, and named in `x-monkey-dropped` where it does not."""


def page() -> str:
    """The whole page."""
    asked = _table(
        features.FEATURES, lambda name, spoken: requests.difference(features.FEATURES[name](spoken.home), spoken)
    )
    told = _table(answers.FEATURES, answers.difference)
    own = "\n".join(f"* {SPOKEN[name].title}: {', '.join(_own(name))}." for name in SPOKEN)
    return "\n\n".join([_INTRODUCTION, _REQUESTS, *asked, _ANSWERS, *told, _OWN, own]) + "\n"


def _asked(name: str, spoken: Spoken) -> str:
    return requests.difference(features.FEATURES[name](spoken.home), spoken)


def _table(names: Iterable[str], difference: Callable[[str, Spoken], str]) -> Iterator[str]:
    """The table and its notes."""
    notes: dict[str, int] = {}
    lines = ["| | " + " | ".join(spoken.title for spoken in SPOKEN.values()) + " |", "|---" * (len(SPOKEN) + 1) + "|"]
    for name in names:
        cells = []
        for spoken in SPOKEN.values():
            found = difference(name, spoken)
            cells.append(str(notes.setdefault(found, len(notes) + 1)) if found else "✓")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    yield "\n".join(lines)
    yield "\n".join(f"{number}. {note}" for note, number in notes.items())


def _own(name: str) -> list[str]:
    """What a front names as lost over all recorded requests of its dialect."""
    spoken, found = SPOKEN[name], set[str]()
    with gzip.open(_RECORDED / f"{_FILES[name]}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for record in map(json.loads, lines):
            try:
                found |= set(spoken.front.read(json.dumps(record["body"]).encode(), spoken.envelope).lost)
            except InvalidRequest:
                continue  # token counts without a limit, and names of caches at Google
    return [f"`{each}`" for each in sorted(found)]
