"""Google's schemas as JSON Schema."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_coder_server.dialects.gemini.open_api_schema import json_schema
from packages.server.tests.dialects.conversations import json_values


@pytest.mark.parametrize(
    ("google", "standard"),
    [
        ({"type": "STRING", "format": "date"}, {"type": "string", "format": "date"}),
        ({"type": "INTEGER", "nullable": True}, {"type": ["integer", "null"]}),
        (
            {"type": "STRING", "nullable": True, "enum": ["a"]},
            {"type": ["string", "null"], "enum": ["a", None]},
        ),
        ({"anyOf": [{"type": "STRING"}], "nullable": True}, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        ({"type": "NULL", "nullable": True}, {"type": "null"}),
        (
            {"type": "ARRAY", "minItems": "1", "max_items": 5, "items": {"type": "NUMBER"}},
            {"type": "array", "minItems": 1, "maxItems": 5, "items": {"type": "number"}},
        ),
        (
            {"type": "OBJECT", "propertyOrdering": ["a"], "example": 1, "properties": {"type": {"type": "BOOLEAN"}}},
            {"type": "object", "properties": {"type": {"type": "boolean"}}},
        ),
        (
            {"ref": "#/$defs/x", "defs": {"x": {"type": "STRING"}}, "additional_properties": False},
            {"$ref": "#/$defs/x", "$defs": {"x": {"type": "string"}}, "additionalProperties": False},
        ),
        ({"type": ["STRING", "null"], "enum": ["OBJECT"]}, {"type": ["string", "null"], "enum": ["OBJECT"]}),
        ({"type": "unheard-of"}, {"type": "unheard-of"}),
        (
            {"minLength": "many", "oneOf": "odd", "properties": []},
            {"minLength": "many", "oneOf": "odd", "properties": []},
        ),
        (True, True),
    ],
)
def test_words(google: Any, standard: Any) -> None:
    assert json_schema(google, "parameters") == standard


names = st.sampled_from(["city", "type", "items", "nullable"])
standard = st.recursive(
    st.fixed_dictionaries({"type": st.sampled_from(["string", "integer", "null"])}, optional={"default": json_values}),
    lambda inner: (
        st.fixed_dictionaries({"type": st.just("object"), "properties": st.dictionaries(names, inner, max_size=3)})
        | st.fixed_dictionaries({"type": st.just("array"), "items": inner, "minItems": st.integers(0, 3)})
        | st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=3)})
    ),
    max_leaves=8,
)


@given(schema=standard)
def test_json_schema_stays_as_it_is(schema: Any) -> None:
    assert json_schema(schema, "parameters") == schema


@given(value=json_values)
def test_nonsense_breaks_nothing(value: Any) -> None:
    json_schema(value, "parameters")
