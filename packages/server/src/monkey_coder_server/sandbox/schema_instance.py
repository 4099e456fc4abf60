"""Make an instance of a JSON schema, deterministically: for structured answers and tool arguments."""

from collections.abc import Callable
from random import Random
from typing import Any

_WORDS = ("alpha", "harbor", "maple", "quartz", "river", "signal", "tundra", "velvet", "willow", "zephyr")
_DEPTH = 12
_FORMATS = {
    "date-time": "2026-03-14T09:26:53Z",
    "date": "2026-03-14",
    "time": "09:26:53Z",
    "email": "ada@example.com",
    "uri": "https://example.com/resource",
    "uuid": "6f1f8a52-3f6a-4c1e-9c55-0d9f5c1b7a11",
    "ipv4": "192.0.2.10",
    "hostname": "example.com",
}

type_names = ("object", "array", "string", "integer", "number", "boolean", "null")


def instance(schema: dict[str, Any], random: Random) -> Any:
    """A value the schema accepts. Understands the parts providers accept in strict mode, and Gemini's type names."""
    return _make(schema, random, schema, "value", 0)


def _make(schema: Any, random: Random, root: dict[str, Any], name: str, depth: int) -> Any:
    if not isinstance(schema, dict):
        return None
    schema = _resolved(schema, root)
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    if schema.get("enum"):
        return random.choice(schema["enum"])
    for key in ("anyOf", "oneOf"):
        if schema.get(key):
            options = schema[key]
            return _make(options[-1] if depth > _DEPTH else options[0], random, root, name, depth + 1)
    if schema.get("allOf"):
        merged: dict[str, Any] = {}
        for part in schema["allOf"]:
            merged |= _resolved(part, root)
        return _make(merged | {k: v for k, v in schema.items() if k != "allOf"}, random, root, name, depth + 1)
    return _MAKERS[_type_of(schema)](schema, random, root, name, depth)


def _resolved(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    if not isinstance(reference, str) or not reference.startswith("#"):
        return schema
    target: Any = root
    for step in reference.lstrip("#/").split("/") if reference != "#" else ():
        target = target.get(step, {}) if isinstance(target, dict) else {}
    return target if isinstance(target, dict) else {}


def _type_of(schema: dict[str, Any]) -> str:
    declared = schema.get("type")
    if isinstance(declared, list):
        declared = next((kind for kind in declared if kind != "null"), "null")
    if isinstance(declared, str) and declared.lower() in type_names:
        return declared.lower()
    return "object" if "properties" in schema else "string"


def _object(schema: dict[str, Any], random: Random, root: dict[str, Any], name: str, depth: int) -> dict[str, Any]:
    properties = schema.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    required = schema.get("required") or []
    wanted = required if depth > _DEPTH else [*properties, *(key for key in required if key not in properties)]
    return {key: _make(properties.get(key, {}), random, root, key, depth + 1) for key in wanted}


def _array(schema: dict[str, Any], random: Random, root: dict[str, Any], name: str, depth: int) -> list[Any]:
    length = int(schema.get("minItems", 0 if depth > _DEPTH else 2))
    length = max(min(length, int(schema.get("maxItems", length))), 0)
    return [_make(schema.get("items", {}), random, root, name, depth + 1) for _ in range(length)]


def _string(schema: dict[str, Any], random: Random, root: dict[str, Any], name: str, depth: int) -> str:
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    lowered = name.lower()
    if "path" in lowered or lowered in {"file", "filename", "file_name"}:
        text = f"{random.choice(_WORDS)}.py"
    elif "command" in lowered:
        text = "python -m compileall ."
    else:
        text = f"{random.choice(_WORDS)} {lowered.replace('_', ' ')}"
    text = text.ljust(int(schema.get("minLength", 0)), "x")
    return text[: int(schema.get("maxLength", len(text)))]


def _bounded(schema: dict[str, Any], value: int) -> int:
    low = schema.get("minimum", schema.get("exclusiveMinimum", value - 1) + 1 if "exclusiveMinimum" in schema else None)
    high = schema.get("maximum", schema.get("exclusiveMaximum", 0) - 1 if "exclusiveMaximum" in schema else None)
    if low is not None and value < low:
        value = -int(-low // 1)
    if high is not None and value > high:
        value = int(high // 1)
    step = schema.get("multipleOf")
    return value - value % int(step) if isinstance(step, int) and step > 0 and low is None else value


def _integer(schema: dict[str, Any], random: Random, root: dict[str, Any], name: str, depth: int) -> int:
    return _bounded(schema, random.randint(1, 40))


def _number(schema: dict[str, Any], random: Random, root: dict[str, Any], name: str, depth: int) -> int | float:
    whole = _bounded(schema, random.randint(1, 40))
    return whole if {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"} & schema.keys() else whole + 0.5


def _boolean(schema: dict[str, Any], random: Random, root: dict[str, Any], name: str, depth: int) -> bool:
    return random.random() < 0.5


def _null(schema: dict[str, Any], random: Random, root: dict[str, Any], name: str, depth: int) -> None:
    return None


_MAKERS: dict[str, Callable[[dict[str, Any], Random, dict[str, Any], str, int], Any]] = {
    "object": _object,
    "array": _array,
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "null": _null,
}
