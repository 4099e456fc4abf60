"""Thought signatures on the Gemini wire, which are base64 there: official SDKs decode and encode them again.

A signature of Google's own goes out and comes back bare. What another provider must get back before a call it made,
its thoughts and their proofs, travels sealed in the signature of that call, the one thing Gemini's agents keep.
"""

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Sequence
from typing import Final

from monkey_coder_server.dialects.seals import seal, unseal
from monkey_coder_server.dialects.wire import as_list, as_object, as_text, parse_json, write_json
from monkey_coder_server.domain.conversation import Json, Thinking

HOME: Final = "google"
NO_SIGNATURE: Final = "skip_thought_signature_validator"
"""What Google documents for a call that another model made (ai.google.dev, thought signatures)."""
SEALED: Final = "bWsxL"
"""How every sealed signature begins: `seals`' mark in base64."""

_MEANS_NOTHING = frozenset({NO_SIGNATURE, "context_engineering_is_the_way_to_go"})
"""Both words Google tolerates in place of a signature; SDKs that know bytes only send them in base64."""
_NOT_URL_SAFE = str.maketrans("+/", "-_")


def is_sealed(signature: Json) -> bool:
    """Whether this proves the thoughts of another provider than Google."""
    return isinstance(signature, str) and signature.startswith(SEALED)


def seal_thoughts(thoughts: Sequence[Thinking], provider: str) -> str:
    """Thoughts with their proofs, as the signature of what follows them."""
    said = [_record(thought) for thought in thoughts]
    return b64encode(seal(write_json(said).decode(), origin=provider, home="").encode()).decode()


def read_signature(given: str) -> tuple[str | None, tuple[Thinking, ...]]:
    """Google's own signature, or another provider's thoughts; neither for a word that means nothing."""
    if is_sealed(given):
        return None, _opened(given)
    return (None if _means_nothing(given) else given), ()


def _record(thought: Thinking) -> dict[str, Json]:
    fields = {"text": thought.text or None, "signature": thought.signature, "redacted": thought.redacted}
    return {name: value for name, value in fields.items() if value is not None}


def _opened(given: str) -> tuple[Thinking, ...]:
    origin, said = unseal(_decoded(given), home="")
    return tuple(
        Thinking(as_text(each.get("text")) or "", as_text(each.get("signature")), as_text(each.get("redacted")), origin)
        for each in map(as_object, as_list(parse_json(said)))
    )


def _means_nothing(given: str) -> bool:
    return not given or given in _MEANS_NOTHING or _decoded(given) in _MEANS_NOTHING


def _decoded(given: str) -> str:
    """The text behind base64 of either alphabet, with or without its padding; empty where there is none."""
    bare = given.translate(_NOT_URL_SAFE).rstrip("=")
    try:
        return b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True).decode()
    except (NotBase64, ValueError):
        return ""
