"""The streaming half of formats that have none: no request of theirs is read, or written, as one for a stream."""

from monkey_coder_server.ports.front import AnswerWriter, Inbound, Told
from monkey_coder_server.ports.provider import StreamDecoder

_NONE = "this format does not stream"


class UnstreamedFront:
    """The rest of `ports.front.Front` for a front that always reads `stream=False`."""

    keep_alive: bytes | None = None

    def content_type(self, _inbound: Inbound) -> bytes:
        """Of every answer."""
        return b"application/json"

    def writer(self, _inbound: Inbound, _told: Told, *, relayed: bool) -> AnswerWriter:  # noqa: ARG002 - the port's name
        """Nobody asks for one."""
        raise TypeError(_NONE)


class UnstreamedDialect:
    """The rest of `ports.provider.Dialect` for such a front's provider."""

    def decoder(self, *, relay: bool = False) -> StreamDecoder:  # noqa: ARG002 - the port's name
        """Nobody asks for one."""
        raise TypeError(_NONE)
