"""The same meaning has one text, another meaning another one."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.canonical_json import canonical_beside, canonical_text

NUMBERS = st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


def shuffled(value: Any, draw: Any) -> Any:
    """The same with the fields of every object in another order."""
    if isinstance(value, dict):
        names = draw(st.permutations(list(value)))
        return {name: shuffled(value[name], draw) for name in names}
    return [shuffled(each, draw) for each in value] if isinstance(value, list) else value


def same(one: Any, other: Any) -> bool:
    """Whether two values mean the same: 1, 1.0 and true do not, nor do 0.0 and -0.0."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(repr(one) == repr(other))


@given(VALUES, st.data(), st.booleans(), st.sampled_from([None, 0, 3]))
def test_order_white_space_and_escapes_do_not_count(
    value: Any, data: Any, ascii_only: bool, indent: int | None
) -> None:
    other = json.dumps(shuffled(value, data.draw), ensure_ascii=ascii_only, indent=indent)
    assert canonical_text(other.encode("utf-8", "surrogatepass")) == canonical_text(json.dumps(value).encode())


@given(VALUES, VALUES)
def test_what_means_something_else_has_another_text(one: Any, other: Any) -> None:
    texts = [canonical_text(json.dumps(each).encode()) for each in (one, other)]
    assert (texts[0] == texts[1]) is same(one, other)


@given(st.dictionaries(st.text(max_size=6), VALUES, min_size=1, max_size=6), VALUES, st.data())
def test_every_field_counts_also_one_nobody_knows(fields: dict[str, Any], value: Any, data: Any) -> None:
    name = data.draw(st.sampled_from(sorted(fields)))
    text = canonical_text(json.dumps(fields).encode())
    without = {each: fields[each] for each in fields if each != name}
    assert canonical_text(json.dumps(without).encode()) != text
    if not same(fields[name], value):
        assert canonical_text(json.dumps({**fields, name: value}).encode()) != text


@pytest.mark.parametrize(
    "document",
    [
        b'{"a": 1, "a": 2}',
        b'[{"b": {"a": 1, "a": 1}}]',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": ' + b"1" * 5_000 + b"}",
        b"[" * 200_000,
        b'{"a": 1',
        b'{"a": "\xff"}',
        b'\xef\xbb\xbf{"a": 1}',
        '{"a": 1}'.encode("utf-16"),
        b"",
    ],
)
def test_what_has_several_meanings_or_none_has_no_text(document: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each for a reason of its own
        canonical_text(document)


def test_a_text_is_left_out_where_it_stands_once_and_all_else_counts() -> None:
    first, other = b'{"a": [1, {"b": "hi"}], "c": "x"}', b'{"c": "x", "a": [1, {"b": "hello"}]}'
    assert canonical_beside(first, "hi") == canonical_beside(other, "hello") == '{"a":[1,{"b":null}],"c":"x"}'
    assert canonical_beside(b'{"a": [1, {"b": "hi"}], "c": "y"}', "hi") != canonical_beside(first, "hi")
    assert canonical_beside(b'{"a": [1, {"d": "hi"}], "c": "x"}', "hi") != canonical_beside(first, "hi")


@pytest.mark.parametrize(
    "document",
    [
        b'{"a": "other"}',
        b'{"hi": 1}',
        b'{"a": "hi", "b": ["hi"]}',
        b'{"a": "hi", "a": "hi"}',
        b'{"a": 1e999, "b": "hi"}',
        b"[" * 200_000,
        b'["hi",' + b"[" * 2_000 + b"]" * 2_000 + b"]",
        b"hi",
    ],
)
def test_where_a_text_stands_not_at_all_or_twice_nothing_stands_beside_it(document: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each for a reason of its own
        canonical_beside(document, "hi")
