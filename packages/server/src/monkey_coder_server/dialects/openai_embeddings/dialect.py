"""OpenAI's embeddings as we speak them to a provider."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import msgspec

from monkey_coder_server.dialects.embedding_inputs import fits, texts
from monkey_coder_server.dialects.openai_embeddings.answer import decode_answer
from monkey_coder_server.dialects.openai_embeddings.names import DIALECT
from monkey_coder_server.dialects.openai_errors import decode_error
from monkey_coder_server.dialects.unstreamed import UnstreamedDialect
from monkey_coder_server.dialects.wire import write_json
from monkey_coder_server.domain.catalog import ModelCard
from monkey_coder_server.domain.conversation import Json, ModelRequest
from monkey_coder_server.domain.errors import InvalidRequest, ProviderFailure
from monkey_coder_server.domain.stream_events import Event
from monkey_coder_server.ports.provider import WireRequest

LARGEST = 31 * 1024 * 1024
"""Bytes of an answer: the gateway reads 32 MiB at most, and a provider bills also what nobody could read."""
DECIMAL, PACKED = 32.0, 16 / 3
"""Bytes a number takes at most: written out and indented, or in base64."""

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_NO_LENGTHS: Mapping[str, int] = MappingProxyType({})


class OpenAIEmbeddings(UnstreamedDialect):
    """Implements `ports.provider.Dialect`. `lengths`: the numbers of each model's vectors, unless fewer are asked for.

    `fixed_length`: models that take no `dimensions`.

    `int8`: Perplexity's way, which gives vectors of signed bytes and takes texts alone. OpenAI's clients would read
    those bytes as floats, so it is a dialect of its own and never relayed to them.
    """

    def __init__(
        self,
        provider: str,
        *,
        path: str = "/embeddings",
        lengths: Mapping[str, int] = _NO_LENGTHS,
        fixed_length: frozenset[str] = frozenset(),
        int8: bool = False,
    ) -> None:
        self.name = f"{provider}-embeddings" if int8 else DIALECT
        self._provider = provider
        self._path = path
        self._lengths = lengths
        self._fixed_length = fixed_length
        self._int8 = int8

    def encode(self, request: ModelRequest, *, card: ModelCard, key: str, stream: bool) -> WireRequest:  # noqa: ARG002 - never a stream
        """Write the request. Raises `InvalidRequest` for what the model does not take."""
        fits(request, card)
        if request.dimensions is not None and card.model in self._fixed_length:
            message = f"{card.name} makes vectors of one length only; leave `dimensions` out."
            raise InvalidRequest(message)
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json", "accept": "application/json"}
        source = request.source
        if source is not None and source.dialect == self.name:
            written = {**_fields.decode(source.body), "model": msgspec.Raw(write_json(card.model))}
            packed = bytes(written.get("encoding_format", b"")) == b'"base64"'
            self._bound(request, card, PACKED if packed else DECIMAL)
            return WireRequest(self._path, headers, write_json(written))
        self._bound(request, card, PACKED)
        dropped = ("user",) if self._int8 and request.user is not None else ()
        return WireRequest(self._path, headers, write_json(self._translated(request, card)), dropped)

    def decode(self, body: bytes) -> Sequence[Event]:
        """Read an answer of status 200."""
        return decode_answer(body, self._provider, int8=self._int8)

    def decode_error(self, status: int, headers: Mapping[str, str], body: bytes) -> ProviderFailure:
        """Read an error answer."""
        return decode_error(self._provider, status, headers, body)

    def _bound(self, request: ModelRequest, card: ModelCard, bytes_a_number: float) -> None:
        """Raise `InvalidRequest` for an answer that would be too large to be read."""
        inputs, length = len(request.messages), request.dimensions or self._lengths.get(card.model, 0)
        if inputs * length * bytes_a_number > LARGEST:
            hint = ", or ask for `encoding_format` base64" if bytes_a_number == DECIMAL else ""
            message = f"{inputs} vectors of {length} numbers are more than an answer may hold; send fewer inputs{hint}."
            raise InvalidRequest(message)

    def _translated(self, request: ModelRequest, card: ModelCard) -> dict[str, Json]:
        """Vectors come packed: a quarter of the bytes of decimal numbers, and exact."""
        fields: dict[str, Json] = {
            "model": card.model,
            "input": texts(request, card),
            "encoding_format": "base64_int8" if self._int8 else "base64",
        }
        if request.dimensions is not None:
            fields["dimensions"] = request.dimensions
        if request.user is not None and not self._int8:
            fields["user"] = request.user
        return fields
