"""Tells the events that hold only the next piece of a block from those that must be read.

Inside a JSON string a quotation mark is escaped, so a key is found without decoding. A server that spaces its JSON
otherwise is read in full, because no delta is found.
"""

from collections.abc import Container

from monkey_coder_server.dialects.wire import bytes_between

_PIECES = {
    "text_delta": '"delta":{"type":"text_delta","text":"',
    "input_json_delta": '"delta":{"type":"input_json_delta","partial_json":"',
    "thinking_delta": '"delta":{"type":"thinking_delta","thinking":"',
}


def skim(data: str, begun: Container[str]) -> int:
    """About how many bytes of the answer the event holds, never too few; 0 when it must be read.

    `begun` are the kinds of pieces of which one has been read: whether there was text must be known in the end.
    """
    for kind, opening in _PIECES.items():
        start = data.find(opening)
        if start >= 0:
            if kind not in begun:
                return 0
            start += len(opening)
            end = data.find('"', start) if "\\" not in data else len(data)
            return bytes_between(data, start, max(start, end))
    return 0
