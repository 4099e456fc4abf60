"""One text for each meaning of a JSON document: how it was typed does not count, everything it says does."""

import json
from typing import NoReturn

from monkey_coder_server.domain.receipts import canonical_json

_TOO_DEEP = "the document is nested too deeply"


def canonical_text(document: bytes) -> str:
    """The canonical text of a JSON document; the order of fields, white space and escapes do not count.

    Raises `ValueError` for what is none, or has several meanings: a name that stands twice, a number beyond all bounds.
    """
    try:
        return canonical_json(_read(document))
    except RecursionError as deep:
        raise ValueError(_TOO_DEEP) from deep


def canonical_beside(document: bytes, text: str) -> str:
    """The same with nothing in place of the one value that is that text.

    Raises `ValueError` also where no value is, or several are.
    """
    try:
        said, times = _without(_read(document), text)
        if times != 1:
            message = f"the text stands {times} times"
            raise ValueError(message)
        return canonical_json(said)
    except RecursionError as deep:
        raise ValueError(_TOO_DEEP) from deep


def _read(document: bytes) -> object:
    said: object = json.loads(document.decode("utf-8"), object_pairs_hook=_once, parse_constant=_refuse)
    return said


def _without(value: object, text: str) -> tuple[object, int]:
    """The value with nothing in place of the text, and how often it stood there."""
    if value == text:
        return None, 1
    if isinstance(value, dict):
        fields = {name: _without(each, text) for name, each in value.items()}
        return {name: each for name, (each, _) in fields.items()}, sum(times for _, times in fields.values())
    if isinstance(value, list):
        parts = [_without(each, text) for each in value]
        return [each for each, _ in parts], sum(times for _, times in parts)
    return value, 0


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return fields


def _refuse(constant: str) -> NoReturn:
    message = f"{constant} is no number of JSON"
    raise ValueError(message)
