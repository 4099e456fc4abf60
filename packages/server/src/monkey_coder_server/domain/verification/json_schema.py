"""Check a JSON value against the part of JSON Schema that structured output uses. What fails here fails everywhere.

Keywords that are not known can only refuse more, so they are passed over; `not`, `if` and `pattern` are among them:
a pattern of the caller's could take for ever to match. `oneOf` asks for one at least.
"""

from collections.abc import Callable, Iterator, Mapping
from operator import ge, gt, le, lt
from typing import Any, Final

STEPS = 20_000
"""Places of a value that are held against a schema before it is given up."""
DEPTH = 64
"""Schemas inside schemas at one place before it is given up."""
Json = Any


class Undecided(Exception):
    """The value or the schema is too large, too deep or no schema at all; whether it fits is not known."""


def mismatch(value: Json, schema: Mapping[str, Json]) -> str | None:
    """Where and why a value does not fit, in one sentence; None when it does. Raises `Undecided`."""
    return _Validation(schema).problem(value, schema, "$", 0)


class _Validation:
    """One value being checked; counts its steps."""

    def __init__(self, root: Json) -> None:
        self._root: Final = root
        self._left = STEPS

    def problem(self, value: Json, schema: Json, place: str, depth: int) -> str | None:
        """The first mismatch at a place or below it."""
        self._left -= 1
        if self._left < 0 or depth > DEPTH:
            raise Undecided
        if isinstance(schema, bool):
            return None if schema else f"{place} is not allowed."
        if not isinstance(schema, Mapping):
            raise Undecided
        checks = (_type, _choice, _size, _range)
        found = next((said for check in checks if (said := check(value, schema, place))), None)
        return found or next(filter(None, self._below(value, schema, place, depth)), None)

    def _below(self, value: Json, schema: Mapping[str, Json], place: str, depth: int) -> Iterator[str | None]:
        if (reference := schema.get("$ref")) is not None:
            yield self.problem(value, self._named(reference), place, depth + 1)
        for part in _listed(schema, "allOf"):
            yield self.problem(value, part, place, depth + 1)
        for word in ("anyOf", "oneOf"):
            if choices := _listed(schema, word):
                yield self._none_of(value, choices, place, depth)
        if isinstance(value, dict):
            yield from self._properties(value, schema, place, depth)
        if isinstance(value, list):
            yield from self._items(value, schema, place, depth)

    def _none_of(self, value: Json, choices: list[Json], place: str, depth: int) -> str | None:
        fits = any(self.problem(value, choice, place, depth + 1) is None for choice in choices)
        return None if fits else f"{place} fits none of its {len(choices)} alternatives."

    def _properties(
        self, value: dict[str, Json], schema: Mapping[str, Json], place: str, depth: int
    ) -> Iterator[str | None]:
        for name in _listed(schema, "required"):
            if not isinstance(name, str):
                raise Undecided
            if name not in value:
                yield f"{place} lacks {_shown(name)}."
        declared = schema.get("properties", {})
        if not isinstance(declared, Mapping):
            raise Undecided
        others = True if "patternProperties" in schema else schema.get("additionalProperties", True)
        for name, held in value.items():
            if name in declared:
                yield self.problem(held, declared[name], f"{place}.{_shown(name)}", depth + 1)
            elif others is False:
                yield f"{place} has {_shown(name)}, which is not declared."
            else:
                yield self.problem(held, others, f"{place}.{_shown(name)}", depth + 1)

    def _items(self, value: list[Json], schema: Mapping[str, Json], place: str, depth: int) -> Iterator[str | None]:
        first = _listed(schema, "prefixItems")
        for index, (held, wanted) in enumerate(zip(value, first, strict=False)):
            yield self.problem(held, wanted, f"{place}[{index}]", depth + 1)
        rest = schema.get("items", True)
        if not isinstance(rest, list):
            for index, held in enumerate(value[len(first) :], len(first)):
                yield self.problem(held, rest, f"{place}[{index}]", depth + 1)

    def _named(self, reference: Json) -> Json:
        """What a reference within the document points to."""
        if not isinstance(reference, str) or not reference.startswith("#"):
            raise Undecided
        target = self._root
        for step in reference.removeprefix("#").split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            if not isinstance(target, Mapping) or name not in target:
                raise Undecided
            target = target[name]
        return target


def _listed(schema: Mapping[str, Json], word: str) -> list[Json]:
    found = schema.get(word, [])
    if not isinstance(found, list):
        raise Undecided
    return found


def _is_number(value: Json) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_TYPES: Mapping[str, Callable[[Json], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": _is_number,
    "integer": lambda value: _is_number(value) and (isinstance(value, int) or value.is_integer()),
}


def _type(value: Json, schema: Mapping[str, Json], place: str) -> str | None:
    said = schema.get("type")
    wanted = [said] if isinstance(said, str) else _listed(schema, "type")
    if not wanted or any(not isinstance(name, str) or name not in _TYPES or _TYPES[name](value) for name in wanted):
        return None
    return f"{place} is no {' or '.join(wanted)}."


def _choice(value: Json, schema: Mapping[str, Json], place: str) -> str | None:
    if "const" in schema and not _same(value, schema["const"]):
        return f"{place} is not the one value allowed."
    if "enum" in schema and not any(_same(value, each) for each in _listed(schema, "enum")):
        return f"{place} is none of the values allowed."
    return None


def _same(one: Json, other: Json) -> bool:
    """Equal as JSON: true is not 1. Inside of lists and objects that difference is not looked for."""
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


_SIZES = (
    ("minLength", "maxLength", str, "characters"),
    ("minItems", "maxItems", list, "items"),
    ("minProperties", "maxProperties", dict, "properties"),
)


def _size(value: Json, schema: Mapping[str, Json], place: str) -> str | None:
    for least, most, kind, unit in _SIZES:
        if isinstance(value, kind):
            if (low := _bound(schema, least)) is not None and len(value) < low:
                return f"{place} has fewer than {low} {unit}."
            if (high := _bound(schema, most)) is not None and len(value) > high:
                return f"{place} has more than {high} {unit}."
    return None


_BOUNDS: tuple[tuple[str, Callable[[float, float], bool], str], ...] = (
    ("minimum", lt, "less than"),
    ("maximum", gt, "more than"),
    ("exclusiveMinimum", le, "not more than"),
    ("exclusiveMaximum", ge, "not less than"),
)


def _range(value: Json, schema: Mapping[str, Json], place: str) -> str | None:
    if not _is_number(value):
        return None
    for word, beyond, said in _BOUNDS:
        if (bound := _bound(schema, word)) is not None and beyond(value, bound):
            return f"{place} is {said} {bound}."
    return None


def _bound(schema: Mapping[str, Json], word: str) -> float | None:
    bound = schema.get(word)
    return bound if _is_number(bound) else None


def _shown(name: Json) -> str:
    return str(name)[:80]
