"""One text for each meaning of a JSON document: how it was typed does not count, everything it says does."""

import json
from typing import NoReturn

from monkey_coder_server.domain.receipts import canonical_json


def canonical_text(document: bytes) -> str:
    """The canonical text of a JSON document; the order of fields, white space and escapes do not count.

    Raises `ValueError` for what is none, or has several meanings: a name that stands twice, a number beyond all bounds.
    """
    try:
        said = json.loads(document.decode("utf-8"), object_pairs_hook=_once, parse_constant=_refuse)
        return canonical_json(said)
    except RecursionError as deep:
        message = "the document is nested too deeply"
        raise ValueError(message) from deep


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return fields


def _refuse(constant: str) -> NoReturn:
    message = f"{constant} is no number of JSON"
    raise ValueError(message)
