"""Names the decoding parameters a caller gave and a model of another dialect is not told."""

from collections.abc import Container, Mapping
from types import MappingProxyType
from typing import Final

from monkey_coder_server.domain.conversation import Json, Sampling

DEFAULTS: Final[Mapping[str, Json]] = MappingProxyType(
    {"temperature": 1, "top_p": 1, "presence_penalty": 0, "frequency_penalty": 0}
)
"""What everyone gets who asks for nothing: leaving these out changes nothing."""
_NAMES = ("temperature", "top_p", "top_k", "seed", "stop", "presence_penalty", "frequency_penalty")


def left_out(sampling: Sampling, words: Mapping[str, str], written: Container[str]) -> tuple[str, ...]:
    """The names of what was asked for and is not `written`. `words` says by which field the dialect says it."""
    asked = ((name, getattr(sampling, name)) for name in _NAMES)
    given = [name for name, value in asked if value not in {None, ()} and value != DEFAULTS.get(name)]
    return tuple(name for name in given if words.get(name, "") not in written)
