"""Proofs of thought in the words of Responses: the `encrypted_content` of reasoning items.

OpenAI's own goes out and comes back as it is. Another provider's is marked with its origin, and with what it is:
redacted data in place of text, or the signature of the tool call that follows (Gemini's), for which a call has no
field.
"""

from typing import Final, NamedTuple

from monkey_coder_server.dialects import seals
from monkey_coder_server.dialects.openai_responses.names import HOME

_REDACTED: Final = "redacted."
_NEXT: Final = "next."


class Proof(NamedTuple):
    """What a caller gave back. One of `signature` and `redacted`, or neither; `of_call`: of the call that follows."""

    origin: str
    signature: str | None = None
    redacted: str | None = None
    of_call: bool = False


def seal_thought(*, signature: str | None, redacted: str | None, origin: str) -> str | None:
    """The proof of a reasoning item: of OpenAI's own if there is one, of any other at least its origin."""
    if origin == HOME:
        return signature or redacted
    marked = f"{_REDACTED}{redacted}" if redacted else signature or ""
    return seals.seal(marked, origin=origin, home=HOME)


def seal_call(signature: str, origin: str) -> str:
    """The proof of the reasoning item before a call whose signature it is."""
    return seals.seal(f"{_NEXT}{signature}", origin=origin, home=HOME)


def unseal(given: str) -> Proof:
    """Where a proof came from, and what it proves."""
    origin, content = seals.unseal(given, home=HOME)
    if origin == HOME:
        return Proof(origin, signature=content)
    if content.startswith(_NEXT):
        return Proof(origin, signature=content.removeprefix(_NEXT), of_call=True)
    if content.startswith(_REDACTED):
        return Proof(origin, redacted=content.removeprefix(_REDACTED))
    return Proof(origin, signature=content or None)
