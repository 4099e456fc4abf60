"""A whole message as the stream it would have been, for a caller who asked for a stream and a provider who forgot."""

from collections.abc import Iterator

from monkey_coder_server.dialects.wire import as_list, as_object, as_text, write_json
from monkey_coder_server.domain.conversation import Json
from monkey_coder_server.domain.stream_events import Frame

_Record = dict[str, Json]
_SAID_AT_THE_END = ("stop_reason", "stop_sequence", "stop_details", "container")


def frames_of(message: _Record) -> Iterator[Frame]:
    """The frames, from `message_start` to `message_stop`."""
    ending = {name: message[name] for name in _SAID_AT_THE_END if name in message}
    begun = message | {"content": []} | dict.fromkeys(ending)
    yield _frame({"type": "message_start", "message": begun})
    for index, each in enumerate(as_list(message.get("content"))):
        block = as_object(each)
        empty, deltas = _taken_apart(block)
        yield _frame({"type": "content_block_start", "index": index, "content_block": empty})
        for delta in deltas:
            yield _frame({"type": "content_block_delta", "index": index, "delta": delta})
        yield _frame({"type": "content_block_stop", "index": index})
    yield _frame({"type": "message_delta", "delta": ending, "usage": message.get("usage")})
    yield _frame({"type": "message_stop"})


def _taken_apart(block: _Record) -> tuple[_Record, list[_Record]]:
    """The block as it starts, and what it grows by; one that does not grow starts complete."""
    match block.get("type"):
        case "text":
            cited = [{"type": "citations_delta", "citation": each} for each in as_list(block.get("citations"))]
            said = {"type": "text_delta", "text": as_text(block.get("text")) or ""}
            return block | {"text": ""} | ({"citations": []} if cited else {}), [*cited, said]
        case "thinking":
            thought = {"type": "thinking_delta", "thinking": as_text(block.get("thinking")) or ""}
            signed = {"type": "signature_delta", "signature": as_text(block.get("signature")) or ""}
            return block | {"thinking": "", "signature": ""}, [thought, signed]
        case "tool_use":
            arguments = write_json(as_object(block.get("input"))).decode()
            return block | {"input": {}}, [{"type": "input_json_delta", "partial_json": arguments}]
        case _:
            return block, []


def _frame(record: _Record) -> Frame:
    return Frame(str(record["type"]), write_json(record).decode())
