"""The usual request, whose messages are nothing but words, read at a glance: one decoding tells that it is one."""

from functools import lru_cache
from typing import Annotated, Literal

import msgspec

from monkey_coder_server.dialects.openai_chat.messages import DIALECT
from monkey_coder_server.domain.conversation import Message, ModelRequest, Role, Sampling, Source, Text

_ROLES = {"system": Role.SYSTEM, "user": Role.USER, "assistant": Role.ASSISTANT}
_Most = Annotated[int, msgspec.Meta(ge=1)]


class _Said(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """Somebody's words, as every provider takes them."""

    role: Literal["system", "user", "assistant"]
    content: Annotated[str, msgspec.Meta(min_length=1)]


class Usual(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """What most requests hold no more than: no tools, no form of the answer, no thinking, nothing unknown."""

    messages: Annotated[list[_Said], msgspec.Meta(min_length=1)]
    model: str | None = None
    stream: bool | None = None
    user: str | None = None
    max_completion_tokens: _Most | None = None
    max_tokens: _Most | None = None
    temperature: int | float | None = None
    top_p: int | float | None = None
    top_k: int | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    presence_penalty: int | float | None = None
    frequency_penalty: int | float | None = None

    def request(self, body: bytes) -> ModelRequest:
        """What is asked; `body` is its text."""
        return ModelRequest(
            messages=tuple([Message(_ROLES[said.role], (Text(said.content),)) for said in self.messages]),
            sampling=self._sampling(),
            user=self.user,
            dialect=DIALECT,
            source=Source(DIALECT, body, words_only=True),
        )

    def _sampling(self) -> Sampling:
        stop = self.stop
        make = _alike if stop is None else Sampling
        return make(
            self.max_tokens if self.max_completion_tokens is None else self.max_completion_tokens,
            self.temperature,
            self.top_p,
            self.top_k,
            self.seed,
            () if stop is None else (stop,) if isinstance(stop, str) else tuple(stop),
            self.presence_penalty,
            self.frequency_penalty,
        )


_alike = lru_cache(maxsize=1024, typed=True)(Sampling)
"""A caller's requests mostly have the same, but for what they are to stop at, which may be long."""
_usual = msgspec.json.Decoder(Usual)


def glance(body: bytes) -> Usual | None:
    """A usual request; None for one that has to be read thoroughly, be it right or wrong."""
    try:
        return _usual.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
