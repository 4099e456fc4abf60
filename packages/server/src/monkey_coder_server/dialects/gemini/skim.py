"""Tells the records that hold only the next piece of text from those that must be read.

Inside a JSON string a quotation mark is escaped, so a key is found without decoding, however it is spaced.
"""

from monkey_coder_server.dialects.wire import bytes_between

_MORE_THAN_TEXT = (
    '"finishReason"',
    '"functionCall"',
    '"thoughtSignature"',
    '"groundingMetadata"',
    '"citationMetadata"',
    '"promptFeedback"',
    '"error"',
    '"executableCode"',
    '"codeExecutionResult"',
    '"inlineData"',
)


_FIGURES = b"0123456789"


class Skimmer:
    """The form of one stream's records: alike but for their text and their counts, most need no search."""

    __slots__ = ("_after", "_before")

    def __init__(self) -> None:
        self._before = ""
        self._after = b""

    def piece(self, data: str) -> int:
        """About how many bytes of text the record holds, never too few; 0 when it must be read."""
        before = self._before
        if before and data.startswith(before):
            start = len(before)
            end = _end_of_text(data, start)
            if _without_figures(data[end:]) == self._after:
                return bytes_between(data, start, end)
        return self._search(data)

    def _search(self, data: str) -> int:
        start = data.find('"text"')
        if start < 0:
            return 0
        for key in _MORE_THAN_TEXT:
            if key in data:
                return 0
        start = data.find('"', start + len('"text"')) + 1
        end = _end_of_text(data, start)
        self._before, self._after = data[:start], _without_figures(data[end:])
        return bytes_between(data, start, end)


def _end_of_text(data: str, start: int) -> int:
    end = data.find('"}', start)
    while end > start and data[end - 1] == "\\":  # a quotation mark of the text itself
        end = data.find('"}', end + 1)
    return len(data) if end < 0 else end


def _without_figures(rest: str) -> bytes:
    return rest.encode("utf-8", "surrogatepass").translate(None, _FIGURES)
