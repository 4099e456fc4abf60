"""Takes the text of a free-form tool out of the JSON in which a model without such tools wrote it, as it streams."""

import json
import re
from typing import Final

from monkey_coder_server.dialects.wire import as_object, parse_json

_BEGINNING: Final = '{"input":"'
_LONGEST_BEGINNING = 64
_SPACE = re.compile(r"[ \t\r\n]+")
_STRING = re.compile(r'((?:[^"\\]|\\[^u]|\\u(?:[0-9a-fA-F]{4}|(?![0-9a-fA-F]{0,3}\Z)))*)("?)')
"""The inside of a JSON string as far as its escapes are whole; one that can never be is taken as it is."""
_HIGH_SURROGATE = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\Z")


class FreeText:
    """One call's text. Arguments of any other form than `{"input": "…"}` are understood when they are complete."""

    __slots__ = ("_begun", "_ended", "_pieces", "_rest")

    def __init__(self) -> None:
        self._pieces: list[str] = []
        """Everything, until it is clear that the text has begun."""
        self._rest = ""
        """JSON of the text that is not complete enough to be read."""
        self._begun = False
        self._ended = False

    def feed(self, fragment: str) -> str:
        """The text a fragment of arguments completes; may be empty."""
        if self._ended:
            return ""
        if self._begun:
            return self._text(self._rest + fragment)
        self._pieces.append(fragment)
        if len(self._pieces) > _LONGEST_BEGINNING:
            return ""
        beginning = "".join(self._pieces)
        at = beginning.find('"', beginning.find(":") + 1)
        if at < 0 or _SPACE.sub("", beginning[: at + 1]) != _BEGINNING:
            return ""
        self._begun = True
        return self._text(beginning[at + 1 :])

    def close(self) -> str:
        """The text that was not given yet."""
        if self._begun:
            return ""
        written = "".join(self._pieces)
        arguments = as_object(parse_json(written))
        texts = [value for value in arguments.values() if isinstance(value, str)]
        given = arguments.get("input")
        if isinstance(given, str):
            return given
        return texts[0] if len(texts) == len(arguments) == 1 else written

    def _text(self, written: str) -> str:
        found = _STRING.match(written)
        whole, quote = ("", "") if found is None else found.groups()
        self._ended = bool(quote)
        pending = None if quote else _HIGH_SURROGATE.search(whole)
        if pending is not None:
            whole = whole[: pending.start()]
        self._rest = "" if quote else written[len(whole) :]
        return _read(whole)


def _read(whole: str) -> str:
    """The text of a JSON string's inside, also with line breaks a model forgot to escape."""
    if "\\" not in whole:
        return whole
    try:
        text = str(json.loads(f'"{whole}"', strict=False))
    except ValueError:
        return whole
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
