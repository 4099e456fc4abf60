"""A streamed answer: server-sent events in pieces cut anywhere."""

from monkey_coder_protocol.sse import SseEvent
from monkey_coder_server.dialects.openai_responses.assembly import Assembly
from monkey_coder_server.dialects.openai_responses.ending import failure_of
from monkey_coder_server.dialects.openai_responses.events import Said, json_of, read_event
from monkey_coder_server.dialects.openai_responses.skim import Skimmer
from monkey_coder_server.dialects.openai_stream import EventStream
from monkey_coder_server.dialects.wire import as_object, parse_json
from monkey_coder_server.domain.stream_events import Event, Frame


class ResponseStream(EventStream):
    """Whatever follows the terminal event is ignored."""

    __slots__ = ("_assembly", "_provider", "_relay", "_skimmer")

    def __init__(self, provider: str, *, relay: bool = False) -> None:
        self._provider = provider
        self._relay = relay
        self._skimmer = Skimmer()
        self._assembly = Assembly(provider)
        super().__init__(self._assembly)

    def _take(self, event: SseEvent, out: list[Event]) -> bool:
        """Read one event; False when it is not JSON."""
        name, data = event.event, event.data
        if self._relay and (skimmed := self._skimmer.piece(name, data)):
            out.append(Frame(name, data, skimmed))
            return True
        said = read_event(data)
        if said is None:
            return data.startswith("[DONE]")  # some servers say it here, too
        if name == "error" or said.type == "error" or (said.type is None and json_of(said.error)):
            self._assembly.fail_with(failure_of(self._provider, as_object(parse_json(data))), out)
            return True
        if self._relay and said.type != "response.failed":
            out.append(Frame(name, data))
        self._read(name, said, out)
        return True

    def _read(self, name: str, said: Said, out: list[Event]) -> None:
        before = len(out)
        self._assembly.take(said, out)
        if self._relay and said.delta and len(out) > before:
            self._skimmer.learn(name)
