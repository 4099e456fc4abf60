"""How much of what was written before a turn is told, so that the most its prompt can be is known beforehand.

A turn's prompt is that of the request, instructions, and texts of earlier turns, each cut to a size that is fixed
before anything is asked. No provider counts more tokens than there are bytes.
"""

from typing import NamedTuple

from monkey_coder_server.domain.teamwork.turns import Turn

BYTES_PER_TOKEN = 6
"""What is told of an answer for each token it may have: more than answers have on average in any language measured."""
INSTRUCTIONS = 1_536
"""The most bytes of instructions."""
AROUND = 768
"""The most bytes around a text: who wrote it, and what checks found."""
LEAST = 1_024
"""Telling less than so many bytes of a text is of no use."""

GAP = "\n[…]\n"


class Room(NamedTuple):
    """Bytes of one answer and of one note that are told in a turn, and the most tokens of its whole prompt."""

    answer: int
    note: int
    prompt: int


def room(turn: Turn, *, base: int, window: int, answer: int, note: int) -> Room | None:
    """What may be told in a turn; None where the model's window has no place for it.

    `base` is the most prompt tokens of the request itself, `window` the most the model takes, `answer` and `note` the
    tokens that may be written in answers and notes.
    """
    texts = turn.answers + turn.notes
    share = (window - base - INSTRUCTIONS - texts * AROUND) // max(1, texts)
    if texts and share < LEAST:
        return None
    of_answer, of_note = min(share, answer * BYTES_PER_TOKEN), min(share, note * BYTES_PER_TOKEN)
    prompt = base + INSTRUCTIONS + texts * AROUND + turn.answers * of_answer + turn.notes * of_note
    return Room(of_answer, of_note, prompt)


def cut(text: str, size: int) -> str:
    """The text within so many bytes of UTF-8: of one that is longer, beginning and end."""
    written = text.encode("utf-8", "surrogatepass")
    if len(written) <= size:
        return text
    kept = size - len(GAP.encode())
    if kept <= 0:
        return written[:size].decode("utf-8", "ignore")
    head, tail = written[: kept - kept // 4], written[len(written) - kept // 4 :]
    return f"{head.decode('utf-8', 'ignore')}{GAP}{tail.decode('utf-8', 'ignore')}"
