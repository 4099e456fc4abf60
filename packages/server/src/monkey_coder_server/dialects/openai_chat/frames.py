"""The objects of an answer as bytes: chunks, usage, the end."""

from monkey_coder_server.dialects.costs import cost_of
from monkey_coder_server.dialects.event_frames import one_line
from monkey_coder_server.dialects.wire import write_json
from monkey_coder_server.domain.conversation import Json
from monkey_coder_server.ports.front import Bill, Told

DONE = b"data: [DONE]\n\n"
KEEP_ALIVE = b": keep-alive\n\n"
CONTENT_TYPE = b"text/event-stream; charset=utf-8"


def data_frame(value: Json) -> bytes:
    """One server-sent event."""
    return b"data: " + one_line(value) + b"\n\n"


def completion_id(told: Told) -> str:
    """Our request's id in the form of an answer's."""
    return f"chatcmpl-{told.request_id.removeprefix('req_')}"


def usage_object(bill: Bill) -> dict[str, Json]:
    """`usage`, whoever answered: cached tokens are a part of the prompt, reasoning is one of the completion."""
    usage = bill.usage
    prompt: dict[str, Json] = {"cached_tokens": usage.cache_read}
    if written := usage.cache_write_5m + usage.cache_write_1h:
        prompt["cache_write_tokens"] = written
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.total,
        "prompt_tokens_details": prompt,
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
        "cost": cost_of(bill),
    }


class Chunks:
    """Writes the chunks of one stream; what they have in common is encoded once."""

    __slots__ = ("_after", "_before", "_head", "_text")

    def __init__(self, *, identifier: str, created: int, model: str, with_usage: bool) -> None:
        head = {"id": identifier, "object": "chat.completion.chunk", "created": created, "model": model}
        self._head = b"data: " + one_line(head)[:-1]
        self._before = self._head + b',"choices":[{"index":0,"delta":'
        self._text = self._before + b'{"content":'
        self._after = b',"logprobs":null,"finish_reason":null}]' + (b',"usage":null' if with_usage else b"") + b"}\n\n"

    def text(self, text: str) -> bytes:
        """A piece of the answer's text: most of all chunks."""
        return self._text + one_line(text) + b"}" + self._after

    def delta(self, delta: Json) -> bytes:
        """Anything else the message is added."""
        return self._before + one_line(delta) + self._after

    def finish(self, reason: str) -> bytes:
        """The last of the message."""
        said = b'"finish_reason":"%b"' % reason.encode()
        return self._before + b"{}" + self._after.replace(b'"finish_reason":null', said)

    def usage(self, bill: Bill) -> bytes:
        """What it took, in a chunk of its own."""
        return self._head + b',"choices":[],"usage":' + write_json(usage_object(bill)) + b"}\n\n"
