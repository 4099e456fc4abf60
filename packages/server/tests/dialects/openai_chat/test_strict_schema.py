"""A schema is sent as a strict one only where a model can be held to it; else loosely, never refused."""

from dataclasses import replace
from typing import Any

import pytest

from monkey_coder_server.dialects.strict_schema import strict_schema
from monkey_coder_server.domain.conversation import OutputFormat, Tool
from packages.server.tests.dialects.openai_chat.asking import HELLO, written

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CLOSED_CITY = {**CITY, "additionalProperties": False}


def deep(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "array", "items": schema}
    return {"type": "object", "properties": {"a": schema}, "required": ["a"]}


def test_open_objects_are_closed_at_every_depth() -> None:
    inner = {"anyOf": [CITY, {"type": "null"}], "description": "where"}
    schema = {
        "type": "object",
        "properties": {"places": {"type": "array", "items": inner}, "one": {"$ref": "#/$defs/city"}},
        "required": ["places", "one"],
        "$defs": {"city": CITY},
    }
    closed = strict_schema(schema)
    assert closed is not None
    assert closed["additionalProperties"] is False
    assert closed["properties"]["places"]["items"]["anyOf"][0] == CLOSED_CITY
    assert closed["$defs"]["city"] == CLOSED_CITY
    assert schema["$defs"]["city"] == CITY
    assert strict_schema(closed) == closed


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "string"},
        {**CITY, "anyOf": []},
        {**CITY, "required": []},
        {**CITY, "required": None},
        {**CITY, "additionalProperties": True},
        {**CITY, "additionalProperties": {"type": "string"}},
        {**CITY, "patternProperties": {}},
        {**CITY, "properties": []},
        {**CITY, "properties": {"city": {"type": "string", "default": "Oslo"}}},
        {**CITY, "properties": {"city": True}},
        {**CITY, "properties": {"city": {"anyOf": {}}}},
        {**CITY, "properties": {"city": {"type": ["object", "null"], "properties": {"a": {}}}}},
        deep(5_000),
    ],
)
def test_a_schema_no_model_can_be_held_to_is_told_apart(schema: dict[str, Any]) -> None:
    assert strict_schema(schema) is None


@pytest.mark.parametrize(
    ("schema", "sent"),
    [
        (CITY, {"parameters": CLOSED_CITY, "strict": True}),
        ({"type": "object", "properties": {"a": {}}}, {"strict": False}),
    ],
)
def test_a_strict_tool_is_strict_where_it_can_be(schema: dict[str, Any], sent: dict[str, Any]) -> None:
    (tool,) = written(replace(HELLO, tools=(Tool("f", schema=schema, strict=True),)))["tools"]
    assert tool["function"] == {"name": "f", "parameters": schema, **sent}


@pytest.mark.parametrize(
    ("dialect", "strict", "sent"),
    [
        ("anthropic", None, {"schema": CLOSED_CITY, "strict": True}),
        ("gemini", None, {"schema": CLOSED_CITY, "strict": True}),
        ("openai-responses", None, {}),
        (None, None, {}),
        ("openai-responses", True, {"schema": CLOSED_CITY, "strict": True}),
        ("openai-responses", False, {"strict": False}),
    ],
)
def test_an_answer_is_held_to_its_schema_where_its_dialect_always_does(
    dialect: str | None, strict: bool | None, sent: dict[str, Any]
) -> None:
    asked = replace(HELLO, dialect=dialect, output=OutputFormat("json_schema", CITY, name="place", strict=strict))
    assert written(asked)["response_format"]["json_schema"] == {"name": "place", "schema": CITY, **sent}
