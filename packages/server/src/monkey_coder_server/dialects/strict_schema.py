"""Schemas a strict tool or answer may have (developers.openai.com, guide "Structured outputs", supported schemas).

Every object is closed and requires all of its properties, and only some keywords are understood. A schema of another
kind is sent as one the model is not held to, rather than refused.
"""

from collections.abc import Mapping

from monkey_coder_server.domain.conversation import Json

_UNDERSTOOD = frozenset(
    {
        "$defs",
        "$ref",
        "$schema",
        "additionalProperties",
        "anyOf",
        "const",
        "definitions",
        "description",
        "enum",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "format",
        "items",
        "maxItems",
        "maximum",
        "minItems",
        "minimum",
        "multipleOf",
        "pattern",
        "properties",
        "required",
        "title",
        "type",
    }
)
_OF_SCHEMAS = ("properties", "$defs", "definitions")


class _Loose(Exception):
    """The schema cannot be strict."""


def strict_schema(schema: Mapping[str, Json]) -> Mapping[str, Json] | None:
    """The schema with its objects closed where it leaves that open; None when no model can be held to it."""
    if schema.get("type") != "object" or "anyOf" in schema:
        return None
    try:
        return _closed(schema)
    except (_Loose, RecursionError):
        return None


def held_to(schema: Mapping[str, Json] | None, name: str, *, strict: bool) -> dict[str, Json]:
    """The schema under its name, and whether the model is held to it: only to one that can be held to."""
    closed = strict_schema(schema) if strict and schema is not None else None
    return {"strict": False} if closed is None else {name: closed, "strict": True}


def _closed(schema: Json) -> dict[str, Json]:
    if not isinstance(schema, Mapping) or not schema.keys() <= _UNDERSTOOD:
        raise _Loose
    written = dict(schema)
    for name in _OF_SCHEMAS:
        if name in written:
            if not isinstance(written[name], Mapping):
                raise _Loose
            written[name] = {key: _closed(value) for key, value in written[name].items()}
    if "items" in written:
        written["items"] = _closed(written["items"])
    if "anyOf" in written:
        if not isinstance(written["anyOf"], list):
            raise _Loose
        written["anyOf"] = [_closed(each) for each in written["anyOf"]]
    kind = written.get("type")
    if kind == "object" or (isinstance(kind, list) and "object" in kind) or "properties" in written:
        _close(written)
    return written


def _close(written: dict[str, Json]) -> None:
    required = written.setdefault("required", [])
    written.setdefault("additionalProperties", False)
    complete = isinstance(required, list) and set(written.get("properties", ())) <= {str(name) for name in required}
    if written["additionalProperties"] is not False or not complete:
        raise _Loose
