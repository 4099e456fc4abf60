"""The neutral conversation is frozen and shares no mutable default."""

from dataclasses import FrozenInstanceError, fields, is_dataclass, replace

import pytest

from monkey_coder_server.domain import conversation
from monkey_coder_server.domain.conversation import EMPTY, Message, ModelRequest, Role, Source, Text

RECORDS = [each for each in vars(conversation).values() if is_dataclass(each) and isinstance(each, type)]


@pytest.mark.parametrize("record", RECORDS)
def test_records_are_frozen_and_slotted(record: type) -> None:
    assert record.__dataclass_params__.frozen  # type: ignore[attr-defined] # what the decorator leaves behind
    assert set(record.__slots__) == {each.name for each in fields(record)}  # type: ignore[attr-defined] # as above


def test_a_part_cannot_be_changed() -> None:
    part = Text("hello")
    with pytest.raises(FrozenInstanceError):
        part.text = "other"  # type: ignore[misc] # the refusal is the case


def test_the_empty_default_cannot_be_written_to() -> None:
    request = ModelRequest((Message(Role.USER, (Text("hi"),)),))
    assert request.extra is request.messages[0].extra is EMPTY
    with pytest.raises(TypeError):
        request.extra["x"] = 1  # type: ignore[index] # the refusal is the case


def test_a_request_knows_the_dialect_of_its_caller() -> None:
    request = ModelRequest((Message(Role.USER, (Text("hi"),)),))
    assert request.spoken is None
    assert replace(request, source=Source("gemini", b"{}")).spoken == "gemini"
