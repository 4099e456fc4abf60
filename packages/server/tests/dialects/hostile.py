"""Answers no provider should send: strategies that bend true records out of shape."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from monkey_coder_server.domain.stream_events import Answer, Event, Failed, Finished
from monkey_coder_server.ports.provider import Dialect
from packages.server.tests.dialects.conversations import json_values


def bent(record: Any) -> st.SearchStrategy[Any]:
    """The record with any of its values, at any depth, replaced by another JSON value or left out."""
    if isinstance(record, dict):
        inner = st.fixed_dictionaries({}, optional={name: bent(value) for name, value in record.items()})
        return inner | st.just(record) | json_values
    if isinstance(record, list):
        return st.tuples(*(bent(value) for value in record)).map(list) | st.just(record) | json_values
    return st.just(record) | json_values


def read(dialect: Dialect, pieces: Sequence[bytes]) -> list[Event]:
    decoder = dialect.decoder()
    events = [event for piece in pieces for event in decoder.feed(piece)]
    return [*events, *decoder.finish()]


def fold(events: Sequence[Event]) -> Answer:
    answer = Answer()
    for event in events:
        answer.apply(event)
    return answer


def ends_once(events: Sequence[Event]) -> bool:
    ends = [index for index, event in enumerate(events) if isinstance(event, Finished | Failed)]
    return ends == [len(events) - 1]
