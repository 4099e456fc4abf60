"""OpenAI's embeddings as we speak them to a provider."""

from collections.abc import Mapping, Sequence

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

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


class OpenAIEmbeddings(UnstreamedDialect):
    """Implements `ports.provider.Dialect`. `fixed_length`: models that take no `dimensions`.

    `int8`: Perplexity's way, which gives vectors of signed bytes and takes texts alone. OpenAI's clients would read
    those bytes as floats, so it is a dialect of its own and never relayed to them.
    """

    def __init__(
        self,
        provider: str,
        *,
        path: str = "/embeddings",
        fixed_length: frozenset[str] = frozenset(),
        int8: bool = False,
    ) -> None:
        self.name = f"{provider}-embeddings" if int8 else DIALECT
        self._provider = provider
        self._path = path
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
            return WireRequest(self._path, headers, write_json(written))
        dropped = ("user",) if self._int8 and request.user is not None else ()
        return WireRequest(self._path, headers, write_json(self._translated(request, card)), dropped)

    def decode(self, body: bytes) -> Sequence[Event]:
        """Read an answer of status 200."""
        return decode_answer(body, self._provider, int8=self._int8)

    def decode_error(self, status: int, headers: Mapping[str, str], body: bytes) -> ProviderFailure:
        """Read an error answer."""
        return decode_error(self._provider, status, headers, body)

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
