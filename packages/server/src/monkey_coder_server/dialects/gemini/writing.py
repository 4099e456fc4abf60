"""Writes a streamed answer of another provider, record by record."""

from collections.abc import Sequence
from json.encoder import encode_basestring_ascii

from monkey_coder_server.dialects.gemini.composing import Composer, answer_record, usage_record
from monkey_coder_server.dialects.gemini.framing import Framing
from monkey_coder_server.dialects.gemini.refusals import error_body
from monkey_coder_server.dialects.wire import write_json
from monkey_coder_server.domain.stream_events import Event, TextDelta
from monkey_coder_server.ports.front import Bill, Problem, Told


class WrittenAnswer:
    """Every record has Gemini's form. The last says why the answer ended, what was used and what it cost."""

    __slots__ = ("_after", "_before", "_composer", "_framing", "_told")

    def __init__(self, framing: Framing, told: Told, *, thoughts: bool) -> None:
        self._framing = framing
        self._told = told
        self._composer = Composer(told.provider, thoughts=thoughts)
        names = write_json({"modelVersion": told.model, "responseId": told.request_id})
        self._before = b'{"candidates":[{"content":{"parts":'
        self._after = b',"role":"model"},"index":0}],' + names[1:]

    def begin(self) -> bytes:
        """The array's bracket; nothing before the first event."""
        return self._framing.opening

    def write(self, events: Sequence[Event]) -> bytes:
        """One record with all these events say."""
        if len(events) == 1 and type(event := events[0]) is TextDelta and event.text:
            said = f'[{{"text":{encode_basestring_ascii(event.text)}}}]'.encode()
        elif parts := self._composer.take(events):
            said = write_json(parts)
        else:
            return b""
        return self._framing.record(self._before + said + self._after)

    def end(self, bill: Bill) -> bytes:
        """The last record, also of an answer that was cut off: Gemini's clients fail on a stream without one."""
        end = {"finish": self._composer.ending(bill), "usage": usage_record(bill)}
        return self._framing.record(answer_record(self._told, (), end)) + self._framing.closing

    def fail(self, problem: Problem) -> bytes:
        """An end that is none of the model's, and the error, which some clients look at and others pass over."""
        end = {"finish": {"finishReason": "OTHER", "finishMessage": problem.message}, "usage": {}}
        last = self._framing.record(answer_record(self._told, (), end))
        return last + self._framing.record(error_body(problem)) + self._framing.closing
