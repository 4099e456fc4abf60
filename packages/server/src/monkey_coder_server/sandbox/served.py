"""One served request on its way into a wire format."""

from collections.abc import Iterator
from dataclasses import dataclass

from monkey_coder_server.sandbox import tokens
from monkey_coder_server.sandbox.catalog import Card
from monkey_coder_server.sandbox.exchange import Ask, Reply, Usage
from monkey_coder_server.sandbox.pricing import Bill


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Everything a wire format needs to write an answer."""

    ask: Ask
    reply: Reply
    card: Card
    usage: Usage
    """What is billed."""
    reported: Usage | None
    """What the answer claims; differs from `usage` only under a fault, None when usage is missing."""
    bill: Bill
    number: int
    """A fresh random number: the ids of the answer are cut from it."""
    created: int
    chunk: int
    """Characters a stream event carries."""

    def cuts(self, text: str, before: int = 0) -> Iterator[tuple[str, int]]:
        """The text in pieces of the chunk size, each with the tokens generated once it is out."""
        for start in range(0, len(text), self.chunk):
            piece = text[start : start + self.chunk]
            yield piece, before + tokens.count(text[: start + len(piece)])
