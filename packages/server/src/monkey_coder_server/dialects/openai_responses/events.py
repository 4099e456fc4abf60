"""A streamed answer's events, typed for speed: what we never read is skipped without being built.

An event whose fields have unexpected types is read again piece by piece, keeping what is well formed.
"""

from msgspec import DecodeError, Raw, Struct, ValidationError, json

from monkey_coder_server.dialects.wire import UNREADABLE, as_count, as_object, as_text, parse_json
from monkey_coder_server.domain.conversation import Json

NOTHING = Raw()


class Said(Struct, gc=False):
    """One event. `output_index` numbers the items of an answer; `delta` is a piece of whatever the type says."""

    type: str | None = None
    output_index: int | None = None
    delta: str | None = None
    item: Raw = NOTHING
    response: Raw = NOTHING
    annotation: Raw = NOTHING
    error: Raw = NOTHING


_said = json.Decoder(Said)


def read_event(data: str) -> Said | None:
    """The event; None when it is not JSON."""
    try:
        return _said.decode(data)
    except ValidationError:
        value = parse_json(data)
    except (DecodeError, UnicodeError, RecursionError):
        return None
    return None if value is UNREADABLE else _salvage(as_object(value))


def json_of(raw: Raw) -> Json:
    """The value of a raw piece; None when it is absent."""
    value = parse_json(bytes(raw)) if raw else None
    return None if value is UNREADABLE else value


def _salvage(event: dict[str, Json]) -> Said:
    return Said(
        type=as_text(event.get("type")),
        output_index=as_count(event.get("output_index")),
        delta=as_text(event.get("delta")),
        item=_raw(event, "item"),
        response=_raw(event, "response"),
        annotation=_raw(event, "annotation"),
        error=_raw(event, "error"),
    )


def _raw(owner: dict[str, Json], name: str) -> Raw:
    return Raw(json.encode(owner[name])) if name in owner else NOTHING
