"""Google's Gemini API (`generateContent` and `streamGenerateContent`, v1beta), as its official SDKs speak it."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from monkey_coder_server.dialects.gemini.embeddings import GeminiEmbeddings
from monkey_coder_server.dialects.gemini.errors import read_error
from monkey_coder_server.dialects.gemini.names import DIALECT
from monkey_coder_server.dialects.gemini.request import write_request
from monkey_coder_server.dialects.gemini.response import read_answer
from monkey_coder_server.dialects.gemini.stream import AnswerStream
from monkey_coder_server.dialects.gemini.traits import ModelTraits
from monkey_coder_server.domain.catalog import ModelCard
from monkey_coder_server.domain.conversation import ModelRequest
from monkey_coder_server.domain.errors import ProviderFailure
from monkey_coder_server.domain.stream_events import Event
from monkey_coder_server.ports.provider import StreamDecoder, WireRequest

__all__ = ["Gemini", "GeminiEmbeddings", "ModelTraits"]


class Gemini:
    """The dialect of one provider that speaks it; `traits` says what each model accepts, by model id."""

    name = DIALECT

    def __init__(self, provider: str, *, traits: Mapping[str, ModelTraits] = MappingProxyType({})) -> None:
        self._provider = provider
        self._traits = traits

    def encode(self, request: ModelRequest, *, card: ModelCard, key: str, stream: bool) -> WireRequest:
        """Write the request for this model; raises `InvalidRequest` for what the format cannot say."""
        traits = self._traits.get(card.model, ModelTraits())
        return write_request(request, card=card, traits=traits, key=key, stream=stream)

    def decode(self, body: bytes) -> Sequence[Event]:
        """Read a whole answer of status 200."""
        return read_answer(body, provider=self._provider)

    def decoder(self, *, relay: bool = False) -> StreamDecoder:
        """A reader for one streamed answer."""
        return AnswerStream(provider=self._provider, relay=relay)

    def decode_error(self, status: int, headers: Mapping[str, str], body: bytes) -> ProviderFailure:
        """Read an error answer; header names are lower case."""
        return read_error(status, headers, body, provider=self._provider)
