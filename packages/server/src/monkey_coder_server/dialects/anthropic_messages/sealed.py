"""Proofs of thought in Anthropic's words: signatures of thinking blocks, data of redacted ones.

A signature that belongs to a tool call (Gemini's) has no place in a `tool_use` block; it travels as a redacted
thinking block right before the call.
"""

from collections.abc import Mapping
from typing import Final

from monkey_coder_server.dialects import seals
from monkey_coder_server.domain.conversation import Json

HOME: Final = "anthropic"
"""The provider whose signatures callers see as they are."""
MARK: Final = b'"mk1.'
"""What a sealed proof begins with in a request's JSON."""
_NEXT = "next."


def seal(signature: str, origin: str) -> str:
    """A signature or redacted data as the caller is given it."""
    return seals.seal(signature, origin=origin, home=HOME)


def seal_call(signature: str, origin: str) -> str:
    """The data of the block before a call whose signature it is."""
    return seal(_NEXT + signature, origin)


def unseal(given: str) -> tuple[str, str]:
    """Origin and signature of what a caller gave back."""
    return seals.unseal(given, home=HOME)


def unseal_data(given: str) -> tuple[str, str, bool]:
    """Origin and content of redacted data, and whether it is the signature of the call that follows."""
    origin, data = unseal(given)
    if origin != HOME and data.startswith(_NEXT):
        return origin, data.removeprefix(_NEXT), True
    return origin, data, False


def is_foreign(block: Mapping[str, Json]) -> bool:
    """Whether a content block is a thought of another provider, which Anthropic would refuse."""
    proof = {"thinking": block.get("signature"), "redacted_thinking": block.get("data")}.get(str(block.get("type")))
    return isinstance(proof, str) and unseal(proof)[0] != HOME
