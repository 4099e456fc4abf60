"""OpenAI's chat completions at our front door."""

from collections.abc import Sequence

from monkey_coder_server.dialects.openai_chat.answer import Composer
from monkey_coder_server.dialects.openai_chat.frames import CONTENT_TYPE, KEEP_ALIVE, completion_id, usage_object
from monkey_coder_server.dialects.openai_chat.inbound import read_request
from monkey_coder_server.dialects.openai_chat.messages import DIALECT
from monkey_coder_server.dialects.openai_chat.relayed_answer import RelayedWriter, with_cost
from monkey_coder_server.dialects.openai_chat.whole import compose
from monkey_coder_server.dialects.openai_chat.writer import ChatWriter
from monkey_coder_server.dialects.openai_refusals import refusal
from monkey_coder_server.dialects.wire import write_json
from monkey_coder_server.domain.stream_events import Event
from monkey_coder_server.ports.front import AnswerWriter, Bill, Envelope, Inbound, Problem, Refusal, Told


class ChatFront:
    """Implements `ports.front.Front`. `Inbound.form` is a `Form`."""

    name = DIALECT
    keep_alive: bytes | None = KEEP_ALIVE

    def content_type(self, _inbound: Inbound) -> bytes:
        """Of a stream."""
        return CONTENT_TYPE

    def read(self, body: bytes, _envelope: Envelope) -> Inbound:
        """Read a request. Raises `InvalidRequest`."""
        return read_request(body)

    def write(self, inbound: Inbound, told: Told, events: Sequence[Event], bill: Bill) -> bytes:
        """A whole answer of another dialect's provider."""
        composer = Composer(inbound.form, told.provider)
        message = compose(composer, events)
        choice = {
            "index": 0,
            "message": message,
            "logprobs": None,
            "finish_reason": composer.finish(bill.finish),
        }
        answer = {
            "id": completion_id(told),
            "object": "chat.completion",
            "created": told.created,
            "model": told.model,
            "choices": [choice],
            "usage": usage_object(bill),
        }
        return write_json(answer)

    def relay(self, _inbound: Inbound, body: bytes, bill: Bill) -> bytes:
        """The provider's own answer with its cost."""
        return with_cost(body, bill)

    def writer(self, inbound: Inbound, told: Told, *, relayed: bool) -> AnswerWriter:
        """A writer for one stream."""
        return RelayedWriter(inbound.form, told) if relayed else ChatWriter(inbound.form, told)

    def refuse(self, problem: Problem) -> Refusal:
        """An error as the official SDK raises it."""
        return refusal(problem)
