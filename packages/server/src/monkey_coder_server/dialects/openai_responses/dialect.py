"""OpenAI Responses as we speak it to a provider."""

from collections.abc import Mapping, Sequence

from monkey_coder_server.dialects.openai_errors import decode_error
from monkey_coder_server.dialects.openai_responses.names import DIALECT
from monkey_coder_server.dialects.openai_responses.passing_on import pass_on
from monkey_coder_server.dialects.openai_responses.quirks import Quirks
from monkey_coder_server.dialects.openai_responses.request import write_body
from monkey_coder_server.dialects.openai_responses.response import decode_answer
from monkey_coder_server.dialects.openai_responses.stream import ResponseStream
from monkey_coder_server.domain.catalog import ModelCard
from monkey_coder_server.domain.conversation import ModelRequest
from monkey_coder_server.domain.errors import ProviderFailure
from monkey_coder_server.domain.stream_events import Event
from monkey_coder_server.ports.provider import StreamDecoder, WireRequest


class OpenAIResponses:
    """Implements `ports.provider.Dialect` for one provider's quirks."""

    __slots__ = ("name", "quirks")

    def __init__(self, quirks: Quirks) -> None:
        self.name = DIALECT
        self.quirks = quirks

    def encode(self, request: ModelRequest, *, card: ModelCard, key: str, stream: bool) -> WireRequest:
        """Write the request. Raises `InvalidRequest` for what this provider's format cannot say."""
        headers = {
            "authorization": f"Bearer {key}",
            "content-type": "application/json",
            "accept": "text/event-stream" if stream else "application/json",
        }
        source = request.source
        if source is None or source.dialect != DIALECT:
            body, dropped = write_body(request, card=card, quirks=self.quirks, stream=stream)
            return WireRequest("/responses", headers, body, dropped)
        passed = pass_on(request, source, card=card, quirks=self.quirks, stream=stream)
        return WireRequest("/responses", {**source.headers, **headers}, passed.body, passed.dropped, anew=passed.anew)

    def decode(self, body: bytes) -> Sequence[Event]:
        """Read a whole answer of status 200."""
        return decode_answer(body, self.quirks.provider)

    def decoder(self, *, relay: bool = False) -> StreamDecoder:
        """A reader for one streamed answer."""
        return ResponseStream(self.quirks.provider, relay=relay)

    def decode_error(self, status: int, headers: Mapping[str, str], body: bytes) -> ProviderFailure:
        """Read an error answer."""
        return decode_error(self.quirks.provider, status, headers, body)
