"""Reads a whole (not streamed) answer."""

from collections.abc import Sequence

from monkey_coder_server.dialects.gemini.candidate import AnswerReader
from monkey_coder_server.dialects.wire import UNREADABLE, excerpt, parse_json
from monkey_coder_server.domain.errors import FailureKind
from monkey_coder_server.domain.stream_events import Event

_ANSWER_FIELDS = frozenset({"candidates", "promptFeedback", "usageMetadata", "error"})


def read_answer(body: bytes, *, provider: str) -> Sequence[Event]:
    """Decode a body of status 200; ends in `Finished` or `Failed`. A list of records is read as one answer."""
    reader = AnswerReader(provider=provider)
    events: list[Event] = []
    document = parse_json(body)
    records = document if isinstance(document, list) else [document]
    if document is UNREADABLE or not any(isinstance(each, dict) and each.keys() & _ANSWER_FIELDS for each in records):
        reader.fail(FailureKind.MALFORMED, f"the answer is not Gemini's: {excerpt(body)[:200]}", events)
        return events
    for record in records:
        reader.take(record, events)
    reader.close(events, unfinished=FailureKind.MALFORMED)
    return events
