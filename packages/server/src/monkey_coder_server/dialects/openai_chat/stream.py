"""A streamed answer: server-sent events in pieces cut anywhere."""

from monkey_coder_protocol.sse import SseEvent
from monkey_coder_server.dialects.openai_chat.assembly import Assembly
from monkey_coder_server.dialects.openai_chat.chunks import json_of, read_frame
from monkey_coder_server.dialects.openai_chat.skim import Skimmer
from monkey_coder_server.dialects.openai_errors import failure_in_answer
from monkey_coder_server.dialects.openai_stream import EventStream
from monkey_coder_server.dialects.wire import parse_json
from monkey_coder_server.domain.stream_events import Event, Frame


class ChatStream(EventStream):
    """The end is `[DONE]` or, where a provider sends none, the close."""

    __slots__ = ("_assembly", "_provider", "_relay", "_skimmer")

    def __init__(self, provider: str, *, relay: bool = False) -> None:
        self._provider = provider
        self._relay = relay
        self._skimmer = Skimmer()
        self._assembly = Assembly(provider)
        super().__init__(self._assembly)

    def _take(self, event: SseEvent, out: list[Event]) -> bool:
        """Read one event; False when it is not JSON."""
        data = event.data
        if data.startswith("[DONE]"):
            self._pass_on(event, out)
            self._assembly.end(out)
            return True
        if self._relay and (skimmed := self._skimmer.piece(data)):
            out.append(Frame(event.event, data, skimmed))
            return True
        frame = read_frame(data)
        if frame is None:
            return False
        if frame.error and json_of(frame.error):
            failure = failure_in_answer(self._provider, parse_json(data))
            if failure is not None:
                self._assembly.fail_with(failure, out)
                return True
        self._pass_on(event, out)
        self._assembly.take(frame, out)
        if self._relay and self._assembly.speaks:
            self._skimmer.learn(data)
        return True

    def _close(self, out: list[Event]) -> None:
        if self._assembly.finished:
            self._assembly.end(out)
        else:
            super()._close(out)

    def _pass_on(self, event: SseEvent, out: list[Event]) -> None:
        if self._relay:
            out.append(Frame(event.event, event.data))
