"""Values against schemas: what fails fails by any validator, what is unknown is passed over."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.domain.verification.json_schema import DEPTH, STEPS, Undecided, mismatch

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string", "minLength": 1}, "age": {"type": ["integer", "null"]}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
TREE = {
    "$ref": "#/$defs/node~1a",
    "$defs": {"node/a": {"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}}}},
}
FITS: list[tuple[Any, Any]] = [
    ({"name": "Ada", "age": 36}, PERSON),
    ({"name": "Ada", "age": None}, PERSON),
    (1.0, {"type": "integer"}),
    (1, {"type": "number"}),
    ([1, "a"], {"prefixItems": [{"type": "integer"}], "items": {"type": "string"}}),
    ([1], {"items": [{"type": "string"}]}),
    ({"x": 1}, {"patternProperties": {"x": {}}, "additionalProperties": False}),
    ({"x": 1}, {"additionalProperties": {"type": "integer"}}),
    ("a", {"enum": ["a", 1]}),
    ("a", {"const": "a"}),
    (5, {"minimum": 5, "maximum": 5, "exclusiveMinimum": 4, "exclusiveMaximum": 6}),
    (1, {"oneOf": [{"type": "integer"}, {"type": "number"}]}),
    ({"next": {"next": None}}, TREE),
    ("aaa", {"pattern": "(a+)+b", "not": {}, "type": "text"}),
    (True, True),
    (3, {"allOf": [{"minimum": 1}, {"maximum": 4}]}),
    ("x", {"minLength": "1", "minimum": 9}),
]
FAILS: list[tuple[Any, Any, str]] = [
    ({"name": "Ada"}, PERSON, "$ lacks age."),
    ({"name": "", "age": 1}, PERSON, "$.name has fewer than 1 characters."),
    ({"name": "Ada", "age": 1.5}, PERSON, "$.age is no integer or null."),
    ({"name": "Ada", "age": 1, "x": 1}, PERSON, "$ has x, which is not declared."),
    (True, {"type": "integer"}, "$ is no integer."),
    (1, {"const": True}, "$ is not the one value allowed."),
    ("c", {"enum": ["a", "b"]}, "$ is none of the values allowed."),
    ([1, 2], {"maxItems": 1}, "$ has more than 1 items."),
    ({}, {"minProperties": 1}, "$ has fewer than 1 properties."),
    (["a", 2], {"items": {"type": "string"}}, "$[1] is no string."),
    (["a"], {"prefixItems": [{"type": "integer"}]}, "$[0] is no integer."),
    (1, {"minimum": 2}, "$ is less than 2."),
    (1, {"maximum": 0}, "$ is more than 0."),
    (1, {"exclusiveMinimum": 1}, "$ is not more than 1."),
    (1, {"exclusiveMaximum": 1}, "$ is not less than 1."),
    (1, {"anyOf": [{"type": "string"}, {"type": "null"}]}, "$ fits none of its 2 alternatives."),
    ({"next": {"next": 1}}, TREE, "$.next fits none of its 2 alternatives."),
    ({"x": 1}, {"properties": {"x": False}}, "$.x is not allowed."),
    (3, {"allOf": [{"minimum": 4}]}, "$ is less than 4."),
]
UNDECIDED: list[tuple[Any, Any]] = [
    (1, {"$ref": "https://example.com/schema"}),
    (1, {"$ref": "#/nowhere"}),
    (1, {"$ref": "#"}),
    (1, {"allOf": [1]}),
    (1, {"allOf": {}}),
    ({}, {"properties": []}),
    ({}, {"required": [[]]}),
    ([0] * (STEPS + 1), {"items": {}}),
]


@pytest.mark.parametrize(("value", "schema"), FITS)
def test_what_fits_has_no_mismatch(value: Any, schema: Any) -> None:
    assert mismatch(value, schema) is None


@pytest.mark.parametrize(("value", "schema", "said"), FAILS)
def test_what_does_not_fit_is_told_with_its_place(value: Any, schema: Any, said: str) -> None:
    assert mismatch(value, schema) == said


@pytest.mark.parametrize(("value", "schema"), UNDECIDED)
def test_what_is_no_schema_or_too_much_is_left_undecided(value: Any, schema: Any) -> None:
    with pytest.raises(Undecided):
        mismatch(value, schema)


def test_schemas_that_branch_at_every_level_are_given_up() -> None:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(DEPTH - 2):
        schema = {"anyOf": [schema, schema]}
    with pytest.raises(Undecided):
        mismatch(1, schema)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=20,
)
WORDS = st.sampled_from(["type", "properties", "items", "anyOf", "required", "$ref", "enum", "minimum", "maxLength"])


@given(JSON, st.dictionaries(WORDS, JSON, max_size=5))
def test_any_value_against_any_schema_ends(value: Any, schema: Any) -> None:
    try:
        said = mismatch(value, schema)
    except Undecided:
        return
    assert said is None or said.startswith("$")
