"""Reads the fields of Google's JSON: both spellings of a name, numbers as text, and a sentence for what is wrong.

Protocol buffers' JSON form accepts `maxOutputTokens` and `max_output_tokens` alike, and whole numbers as strings
(protobuf.dev, ProtoJSON). Only Google's own records are read so: the keys of a caller's arguments and schemas are data.
"""

import re
from collections.abc import Mapping
from typing import TypeAlias

from monkey_coder_server.domain.conversation import Json
from monkey_coder_server.domain.errors import InvalidRequest

Fields: TypeAlias = dict[str, Json]
"""A record of Google's with its names in the documented spelling."""

_UNDERSCORE = re.compile(r"(?<=[a-zA-Z0-9])_([a-zA-Z0-9])")
_WHOLE = re.compile(r"-?[0-9]{1,18}", re.ASCII)


def documented(name: str) -> str:
    """A field's name as Google documents it: `max_output_tokens` is `maxOutputTokens`."""
    return _UNDERSCORE.sub(lambda found: found[1].upper(), name) if "_" in name else name


def record(value: Json, path: str) -> Fields:
    """An object's fields; an empty one for null. Raises `InvalidRequest` naming `path`."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _wrong(path, "an object", value)
    if "_" not in "".join(value):
        return value
    fields = {documented(name): field for name, field in value.items()}
    if len(fields) < len(value):
        twice = next(name for name in value if documented(name) != name and documented(name) in value)
        message = f"The field `{path}` has `{documented(twice)}` twice, in both of its spellings; send it once."
        raise InvalidRequest(message)
    return fields


def records(value: Json, path: str) -> list[Json]:
    """A list; one object stands for a list of one, null for none. Raises `InvalidRequest`."""
    if value is None:
        return []
    if isinstance(value, dict):
        return [value]
    if not isinstance(value, list):
        raise _wrong(path, "a list", value)
    return value


def text(fields: Mapping[str, Json], name: str, path: str) -> str | None:
    """A string. Raises `InvalidRequest`."""
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise _wrong(path + name, "a string", value)
    return value


def number(fields: Mapping[str, Json], name: str, path: str) -> float | None:
    """A number. Raises `InvalidRequest`."""
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(path + name, "a number", value)
    return float(value)


def whole(fields: Mapping[str, Json], name: str, path: str, *, least: int) -> int | None:
    """A whole number, also one written as a string. Raises `InvalidRequest`, also for one below `least`."""
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong(path + name, "a whole number", value)
    if value < least:
        message = f"The field `{path}{name}` must be at least {least}, not {value}."
        raise InvalidRequest(message)
    return value


def flag(fields: Mapping[str, Json], name: str, path: str) -> bool:
    """True or false; false where it is left out. Raises `InvalidRequest`."""
    value = fields.get(name)
    if value is not None and not isinstance(value, bool):
        raise _wrong(path + name, "true or false", value)
    return bool(value)


def _wrong(path: str, wanted: str, value: Json) -> InvalidRequest:
    kinds = {dict: "an object", list: "a list", str: "a string", bool: "a boolean"}
    return InvalidRequest(f"The field `{path}` must be {wanted}, not {kinds.get(type(value), 'a number')}.")
