"""Fields of a request are what they should be, or a sentence names the one that is not; null is as good as absent."""

from collections.abc import Callable
from typing import Any

import pytest

from monkey_coder_server.dialects.fields import Fields, body_fields
from monkey_coder_server.domain.errors import InvalidRequest

GOOD = Fields({"text": "a", "flag": False, "number": 0.5, "count": 3.0, "object": {"x": 1}, "list": [{"y": 2}]})


def test_every_kind_of_field() -> None:
    assert (GOOD.text("text"), GOOD.needed_text("text"), GOOD.flag("flag")) == ("a", "a", False)
    assert (GOOD.number("number"), GOOD.count("count")) == (0.5, 3)
    inner = GOOD.object("object")
    assert inner is not None
    assert (inner.raw, inner.place) == ({"x": 1}, "object")
    assert [(each.raw, each.place) for each in GOOD.objects("list")] == [({"y": 2}, "list[0]")]
    assert GOOD.needed_object("object").raw == {"x": 1}
    assert GOOD.items("list") == [{"y": 2}]
    assert Fields({"a": -7.0}).whole("a") == -7
    assert (Fields({"a": "x"}).texts("a"), Fields({"a": ["x", "y"]}).texts("a")) == (("x",), ("x", "y"))


def test_null_and_absent_are_the_same() -> None:
    for fields in (Fields({}), Fields(dict.fromkeys(("a",)))):
        read: list[Callable[[str], Any]] = [fields.text, fields.flag, fields.number, fields.count, fields.object]
        assert [each("a") for each in read] == [None] * 5
        assert (list(fields.objects("a")), fields.items("a"), fields.texts("a")) == ([], [], ())


@pytest.mark.parametrize(
    ("read", "raw"),
    [
        (lambda fields: fields.text("a"), {"a": 1}),
        (lambda fields: fields.needed_text("a"), {}),
        (lambda fields: fields.flag("a"), {"a": "yes"}),
        (lambda fields: fields.number("a"), {"a": "1"}),
        (lambda fields: fields.number("a"), {"a": True}),
        (lambda fields: fields.count("a"), {"a": 0}),
        (lambda fields: fields.count("a"), {"a": 1.5}),
        (lambda fields: fields.whole("a"), {"a": 0.5}),
        (lambda fields: fields.object("a"), {"a": []}),
        (lambda fields: fields.needed_object("a"), {"a": None}),
        (lambda fields: fields.texts("a"), {"a": ["x", 1]}),
        (lambda fields: list(fields.objects("a")), {"a": {}}),
        (lambda fields: list(fields.objects("a")), {"a": ["x"]}),
    ],
)
def test_what_is_wrong_is_named(read: Callable[[Fields], Any], raw: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match=r"`outer\.a(\[0\])?`") as refused:
        read(Fields(raw, "outer"))
    assert refused.value.message.endswith(".")


def test_a_body_is_a_json_object() -> None:
    assert body_fields(b'{"a":1}').raw == {"a": 1}
    for body in (b"", b"[]", b"{"):
        with pytest.raises(InvalidRequest, match="body"):
            body_fields(body)
