"""The query of an address as a struct, whose fields say in the OpenAPI document what may be asked."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, TypeVar

import msgspec

from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.web.decode import explain

T = TypeVar("T", bound=msgspec.Struct)


def read_query(kind: type[T], pairs: Iterable[tuple[str, str]]) -> T:
    """The struct of a query. Raises `InvalidRequest`.

    An empty value counts as none, of a repeated name the last does; a list takes all of them, parted by commas. Names
    in camelCase are read too; those that the struct does not know are passed over, as clients add their own.
    """
    schema = _schema(kind)
    told: dict[str, Any] = {}
    for spelt, value in pairs:
        name = spelt if spelt in schema else _snake(spelt)
        if name in schema and schema[name].get("type") == "array":
            told[name] = [*told.get(name, ()), *[part.strip() for part in value.split(",") if part.strip()]]
        elif name in schema and value.strip():
            told[name] = value.strip()
    try:
        return msgspec.convert({name: value for name, value in told.items() if value}, kind, strict=False)
    except msgspec.ValidationError as wrong:
        raise InvalidRequest(explain(str(wrong), kind, what="query parameter")) from wrong


def described(kind: type[msgspec.Struct]) -> list[dict[str, Any]]:
    """The parameters of a query, for the OpenAPI document; a list is written with commas or by repetition."""
    return [_parameter(name, dict(schema)) for name, schema in _schema(kind).items()]


def _parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    said = schema.pop("description", None)
    parameter = {"name": name, "in": "query", "required": False, "schema": schema}
    return parameter if said is None else {**parameter, "description": said}


@cache
def _schema(kind: type[msgspec.Struct]) -> Mapping[str, Any]:
    """What each parameter takes, by name."""
    (_,), components = msgspec.json.schema_components([kind])
    properties: Mapping[str, Any] = components[kind.__name__]["properties"]
    return properties


def _snake(name: str) -> str:
    return "".join([f"_{letter.lower()}" if letter.isupper() else letter for letter in name])
