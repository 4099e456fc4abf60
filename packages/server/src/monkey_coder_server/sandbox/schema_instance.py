"""Make an instance of a JSON schema, deterministically: for structured answers and tool arguments."""

from dataclasses import dataclass
from random import Random
from typing import Any

_WORDS = ("alpha", "harbor", "maple", "quartz", "river", "signal", "tundra", "velvet", "willow", "zephyr")
_TYPES = frozenset({"object", "array", "string", "integer", "number", "boolean", "null"})
_DEPTH = 12
"""Below this depth only what is required is filled in, so that recursive schemas end."""
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


def instance(schema: dict[str, Any], random: Random) -> Any:
    """A value the schema accepts. Understands the parts providers accept in strict mode, and Gemini's type names."""
    return _Maker(schema, random).make(schema, "value", 0)


@dataclass(frozen=True, slots=True)
class _Maker:
    root: dict[str, Any]
    random: Random

    def make(self, schema: Any, name: str, depth: int) -> Any:
        """A value for one place of the schema; `name` is the property it fills."""
        if not isinstance(schema, dict):
            return None
        schema = self._resolved(schema)
        for key in ("const", "default"):
            if key in schema:
                return schema[key]
        if schema.get("enum"):
            return self.random.choice(schema["enum"])
        for key in ("anyOf", "oneOf"):
            if schema.get(key):
                return self.make(schema[key][-1 if depth > _DEPTH else 0], name, depth + 1)
        if schema.get("allOf"):
            merged = {key: value for key, value in schema.items() if key != "allOf"}
            for part in schema["allOf"]:
                merged |= self._resolved(part)
            return self.make(merged, name, depth + 1)
        return self._of_type(schema, name, depth)

    def _of_type(self, schema: dict[str, Any], name: str, depth: int) -> Any:
        made: Any = None
        match _type_of(schema):
            case "object":
                made = self._object(schema, depth)
            case "array":
                made = self._array(schema, name, depth)
            case "integer":
                made = _bounded(schema, self.random.randint(1, 40))
            case "number":
                whole = _bounded(schema, self.random.randint(1, 40))
                made = whole if _BOUNDS & schema.keys() else whole + 0.5
            case "boolean":
                made = self.random.random() < 0.5
            case "string":
                made = self._string(schema, name)
        return made

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        reference = schema.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#"):
            return schema
        target: Any = self.root
        for step in reference.lstrip("#/").split("/") if reference != "#" else ():
            target = target.get(step, {}) if isinstance(target, dict) else {}
        return target if isinstance(target, dict) else {}

    def _object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        properties = schema.get("properties")
        properties = properties if isinstance(properties, dict) else {}
        required = schema.get("required") or []
        wanted = required if depth > _DEPTH else [*properties, *(key for key in required if key not in properties)]
        return {key: self.make(properties.get(key, {}), key, depth + 1) for key in wanted}

    def _array(self, schema: dict[str, Any], name: str, depth: int) -> list[Any]:
        length = int(schema.get("minItems", 0 if depth > _DEPTH else 2))
        length = max(min(length, int(schema.get("maxItems", length))), 0)
        return [self.make(schema.get("items", {}), name, depth + 1) for _ in range(length)]

    def _string(self, schema: dict[str, Any], name: str) -> str:
        if schema.get("format") in _FORMATS:
            return _FORMATS[schema["format"]]
        lowered = name.lower()
        if "path" in lowered or lowered in {"file", "filename", "file_name"}:
            text = f"{self.random.choice(_WORDS)}.py"
        elif "command" in lowered:
            text = "python -m compileall ."
        else:
            text = f"{self.random.choice(_WORDS)} {lowered.replace('_', ' ')}"
        text = text.ljust(int(schema.get("minLength", 0)), "x")
        return text[: int(schema.get("maxLength", len(text)))]


_BOUNDS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"})


def _type_of(schema: dict[str, Any]) -> str:
    declared = schema.get("type")
    if isinstance(declared, list):
        declared = next((kind for kind in declared if kind != "null"), "null")
    if isinstance(declared, str) and declared.lower() in _TYPES:
        return declared.lower()
    return "object" if "properties" in schema else "string"


def _bounded(schema: dict[str, Any], value: int) -> int:
    low = schema.get("minimum")
    if "exclusiveMinimum" in schema:
        low = schema["exclusiveMinimum"] + 1
    high = schema.get("maximum")
    if "exclusiveMaximum" in schema:
        high = schema["exclusiveMaximum"] - 1
    if low is not None and value < low:
        value = -int(-low // 1)
    if high is not None and value > high:
        value = int(high // 1)
    step = schema.get("multipleOf")
    return value - value % int(step) if isinstance(step, int) and step > 0 and low is None else value
