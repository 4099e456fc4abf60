"""OpenAI chat completions as we speak it to a provider."""

from collections.abc import Mapping, Sequence

from monkey_coder_server.dialects.openai_chat.quirks import Quirks
from monkey_coder_server.dialects.openai_chat.relaying import relay_body
from monkey_coder_server.dialects.openai_chat.request import encode_body
from monkey_coder_server.dialects.openai_chat.response import decode_answer
from monkey_coder_server.dialects.openai_chat.stream import ChatStream
from monkey_coder_server.dialects.openai_errors import decode_error
from monkey_coder_server.domain.catalog import ModelCard
from monkey_coder_server.domain.conversation import ModelRequest
from monkey_coder_server.domain.errors import ProviderFailure
from monkey_coder_server.domain.stream_events import Event
from monkey_coder_server.ports.provider import StreamDecoder, WireRequest


class OpenAIChat:
    """Implements `ports.provider.Dialect` for one provider's quirks."""

    __slots__ = ("name", "quirks")

    def __init__(self, quirks: Quirks) -> None:
        self.name = "openai-chat"
        self.quirks = quirks

    def encode(self, request: ModelRequest, *, card: ModelCard, key: str, stream: bool) -> WireRequest:
        """Write the request. Raises `InvalidRequest` for what this provider's format cannot say."""
        headers = {
            "authorization": f"Bearer {key}",
            "content-type": "application/json",
            "accept": "text/event-stream" if stream else "application/json",
        }
        session = "" if request.prompt_cache is None else request.prompt_cache.session
        if session and self.quirks.session_header is not None:
            headers[self.quirks.session_header] = session
        source = request.source
        if source is not None and source.dialect == self.name:
            body, dropped = relay_body(request, source.body, card=card, quirks=self.quirks, stream=stream)
        else:
            body, dropped = encode_body(request, card=card, quirks=self.quirks, stream=stream)
        return WireRequest("/chat/completions", headers, body, dropped)

    def decode(self, body: bytes) -> Sequence[Event]:
        """Read a whole answer of status 200."""
        return decode_answer(body, self.quirks.provider)

    def decoder(self, *, relay: bool = False) -> StreamDecoder:
        """A reader for one streamed answer."""
        return ChatStream(self.quirks.provider, relay=relay)

    def decode_error(self, status: int, headers: Mapping[str, str], body: bytes) -> ProviderFailure:
        """Read an error answer."""
        return decode_error(self.quirks.provider, status, headers, body)
