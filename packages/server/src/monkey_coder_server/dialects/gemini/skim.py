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


def skim(data: str) -> int:
    """About how many bytes of text the record holds, never too few; 0 when it must be read."""
    start = data.find('"text"')
    if start < 0:
        return 0
    for key in _MORE_THAN_TEXT:
        if key in data:
            return 0
    start = data.find('"', start + len('"text"')) + 1
    end = data.find('"}', start)
    while end > start and data[end - 1] == "\\":  # a quotation mark of the text itself
        end = data.find('"}', end + 1)
    return bytes_between(data, start, len(data) if end < 0 else end)
