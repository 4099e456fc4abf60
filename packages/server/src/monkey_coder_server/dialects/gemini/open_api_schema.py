"""Google's `Schema` records, a part of OpenAPI 3.0, as the JSON Schema that every other provider reads."""

from collections.abc import Mapping
from typing import Final

from monkey_coder_server.domain.conversation import Json
from monkey_coder_server.domain.errors import InvalidRequest

_DEEPEST: Final = 64
"""Levels of a schema that are followed; real ones have a handful."""
_TYPES: Final = frozenset({"STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL"})
_LEFT_OUT: Final = frozenset({"nullable", "propertyOrdering", "property_ordering", "example", "type"})
_COUNTS: Final = frozenset({"minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"})
_OTHER_SPELLINGS: Final[Mapping[str, str]] = {
    "any_of": "anyOf",
    "max_items": "maxItems",
    "min_items": "minItems",
    "max_length": "maxLength",
    "min_length": "minLength",
    "max_properties": "maxProperties",
    "min_properties": "minProperties",
    "additional_properties": "additionalProperties",
    "defs": "$defs",
    "ref": "$ref",
}
_OF_SCHEMAS: Final = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
_NAMED_SCHEMAS: Final = frozenset({"properties", "$defs", "definitions", "patternProperties"})
_ONE_SCHEMA: Final = frozenset({"items", "additionalProperties", "not"})


def json_schema(schema: Json, path: str, depth: int = 0) -> Json:
    """The schema with JSON Schema's words. Raises `InvalidRequest` for one nested without end.

    `type` in lower case, `nullable` as a second type, counts as numbers; the order of properties and examples, which
    JSON Schema has no place for, are left out. What is JSON Schema already stays as it is.
    """
    if depth > _DEEPEST:
        message = f"The schema in `{path}` is nested more than {_DEEPEST} levels deep."
        raise InvalidRequest(message)
    if not isinstance(schema, dict):
        return schema
    written: dict[str, Json] = {}
    if "type" in schema:
        written["type"] = _type(schema["type"])
    for name, value in schema.items():
        if name not in _LEFT_OUT:
            word: str = _OTHER_SPELLINGS.get(name, name)
            written[word] = _keyword(word, value, path, depth + 1)
    return _nullable(written) if schema.get("nullable") is True else written


def _keyword(word: str, value: Json, path: str, depth: int) -> Json:
    if word in _ONE_SCHEMA:
        return json_schema(value, path, depth)
    if word in _OF_SCHEMAS and isinstance(value, list):
        return [json_schema(each, path, depth) for each in value]
    if word in _NAMED_SCHEMAS and isinstance(value, Mapping):
        return {name: json_schema(each, path, depth) for name, each in value.items()}
    if word in _COUNTS and isinstance(value, str) and value.isascii() and value.isdecimal():
        return int(value[:18])
    return value


def _type(given: Json) -> Json:
    if isinstance(given, list):
        return [_type(each) for each in given]
    return given.lower() if isinstance(given, str) and given.upper() in _TYPES else given


def _nullable(written: dict[str, Json]) -> dict[str, Json]:
    kind = written.get("type")
    if isinstance(kind, str) and kind != "null":
        written["type"] = [kind, "null"]
    if isinstance(written.get("enum"), list) and None not in written["enum"]:
        written["enum"] = [*written["enum"], None]
    if isinstance(written.get("anyOf"), list):
        written["anyOf"] = [*written["anyOf"], {"type": "null"}]
    return written
