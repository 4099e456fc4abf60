"""Typed access to what a caller wrote; what is wrong is refused with the name of its field. Null counts as absent."""

from collections.abc import Iterator
from typing import NoReturn, Self

from monkey_coder_server.dialects.wire import UNREADABLE, parse_json
from monkey_coder_server.domain.conversation import Json
from monkey_coder_server.domain.errors import InvalidRequest


class Fields:
    """One object of a request. `place` says where it stands (`input[2].content[0]`), empty for the body itself."""

    __slots__ = ("place", "raw")
    ITEM = "[{}]"
    """How a place names the item of an array."""

    def __init__(self, raw: Json, place: str = "") -> None:
        if not isinstance(raw, dict):
            refuse(place or "body", "must be a JSON object")
        self.place = place
        self.raw: dict[str, Json] = raw

    def text(self, name: str) -> str | None:
        """A string, None where it is absent."""
        value = self.raw.get(name)
        if value is not None and not isinstance(value, str):
            self.refuse(name, "must be a string")
        return value

    def needed_text(self, name: str) -> str:
        """A string that must be there."""
        value = self.text(name)
        if value is None:
            self.refuse(name, "is missing")
        return value

    def flag(self, name: str) -> bool | None:
        """True or false, None where it is absent."""
        value = self.raw.get(name)
        if value is not None and not isinstance(value, bool):
            self.refuse(name, "must be true or false")
        return value

    def number(self, name: str) -> float | None:
        """A number, None where it is absent."""
        value = self.raw.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            self.refuse(name, "must be a number")
        return value

    def count(self, name: str) -> int | None:
        """A whole number from 1 up, None where it is absent."""
        return self.whole(name, least=1)

    def whole(self, name: str, *, least: int | None = None) -> int | None:
        """A whole number, from `least` up where that is given; None where it is absent."""
        value = self.number(name)
        if value is None:
            return None
        if value != int(value) or (least is not None and value < least):
            self.refuse(name, "must be a whole number" if least is None else f"must be a whole number from {least} up")
        return int(value)

    def object(self, name: str) -> Self | None:
        """A nested object, None where it is absent."""
        value = self.raw.get(name)
        return None if value is None else type(self)(value, self.path(name))

    def needed_object(self, name: str) -> Self:
        """A nested object that must be there."""
        value = self.object(name)
        if value is None:
            self.refuse(name, "is missing")
        return value

    def items(self, name: str) -> list[Json]:
        """An array; empty where it is absent."""
        value = self.raw.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            self.refuse(name, "must be an array")
        return value

    def objects(self, name: str) -> Iterator[Self]:
        """The objects of an array; none where it is absent."""
        for number, item in enumerate(self.items(name)):
            yield type(self)(item, self.path(name) + self.ITEM.format(number))

    def texts(self, name: str) -> tuple[str, ...]:
        """A string or an array of strings; empty where it is absent."""
        value = self.raw.get(name)
        if value is None:
            return ()
        values = value if isinstance(value, list) else [value]
        if not all(isinstance(each, str) for each in values):
            self.refuse(name, "must be a string or an array of strings")
        return tuple(values)

    def path(self, name: str) -> str:
        """A field's full name."""
        return f"{self.place}.{name}" if self.place else name

    def refuse(self, name: str, why: str) -> NoReturn:
        """Raise `InvalidRequest` about a field."""
        refuse(self.path(name), why)


def body_fields(body: bytes) -> Fields:
    """The fields of a request's body. Raises `InvalidRequest` when it is no JSON object."""
    parsed = parse_json(body)
    if parsed is UNREADABLE:
        refuse("body", "is not JSON")
    return Fields(parsed)


def refuse(field: str, why: str) -> NoReturn:
    """Raise `InvalidRequest`: which field, and what is wrong with it."""
    message = f"The field `{field}` {why}."
    raise InvalidRequest(message, facts={"param": field})
