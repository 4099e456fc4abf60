"""The completions that came before chat (`POST /v1/completions`), on top of models one chats with.

The prompt is what a user says; the text is what the model answers.
"""

from collections.abc import Iterator, Sequence

from monkey_coder_server.dialects.fields import Fields, body_fields
from monkey_coder_server.dialects.openai_chat.answer import Composer
from monkey_coder_server.dialects.openai_chat.frames import (
    CONTENT_TYPE,
    DONE,
    KEEP_ALIVE,
    data_frame,
    usage_object,
)
from monkey_coder_server.dialects.openai_chat.inbound import Form, include_usage, one_answer, read_sampling
from monkey_coder_server.dialects.openai_chat.policy import says_something
from monkey_coder_server.dialects.openai_chat.writer import error_frame
from monkey_coder_server.dialects.openai_refusals import refusal
from monkey_coder_server.dialects.wire import write_json
from monkey_coder_server.domain.conversation import Json, Message, ModelRequest, Role, Text
from monkey_coder_server.domain.stream_events import Event, RefusalDelta, TextDelta
from monkey_coder_server.ports.front import AnswerWriter, Bill, Envelope, Inbound, Problem, Refusal, Told
from monkey_coder_server.ports.record import Record

DIALECT = "openai-completions"

_READ = frozenset(
    {
        "model",
        "prompt",
        "stream",
        "stream_options",
        "echo",
        "suffix",
        "n",
        "best_of",
        "temperature",
        "top_p",
        "top_k",
        "presence_penalty",
        "frequency_penalty",
        "seed",
        "stop",
        "max_tokens",
        "max_completion_tokens",
        "user",
    }
)


class Continuation(Record, frozen=True, kw_only=True):
    """What an answer's writer must know: the prompt where it is to be repeated, and whether usage ends a stream."""

    repeated: str = ""
    include_usage: bool = False


class CompletionsFront:
    """Implements `ports.front.Front`; never relayed, for no provider speaks it. `Inbound.form` is a `Continuation`."""

    name = DIALECT
    keep_alive: bytes | None = KEEP_ALIVE

    def content_type(self, _inbound: Inbound) -> bytes:
        """Of a stream."""
        return CONTENT_TYPE

    def read(self, body: bytes, _envelope: Envelope) -> Inbound:
        """Read a request. Raises `InvalidRequest`."""
        fields = body_fields(body)
        one_answer(fields)
        if fields.whole("best_of") not in {None, 1}:
            fields.refuse("best_of", "must be 1: this gateway gives one answer a request")
        if fields.text("suffix"):
            fields.refuse("suffix", "cannot be used: no model here fills a gap; say in the prompt what is to follow")
        prompt = _prompt(fields)
        extra = {name: value for name, value in fields.raw.items() if name not in _READ}
        request = ModelRequest(
            messages=(Message(Role.USER, (Text(prompt),)),),
            sampling=read_sampling(fields),
            user=fields.text("user"),
            dialect=DIALECT,
            extra=extra,
        )
        repeated = prompt if fields.flag("echo") else ""
        return Inbound(
            request=request,
            model=fields.text("model"),
            stream=fields.flag("stream") or False,
            form=Continuation(repeated=repeated, include_usage=include_usage(fields)),
            lost=tuple(name for name, value in extra.items() if says_something(name, value)),
        )

    def write(self, inbound: Inbound, told: Told, events: Sequence[Event], bill: Bill) -> bytes:
        """A whole answer."""
        composer = Composer(Form(), told.provider)
        text = inbound.form.repeated + "".join(_texts(composer, events))
        answer = _answer(told, [_choice(text, composer.finish(bill.finish))])
        return write_json(answer | {"usage": usage_object(bill)})

    def relay(self, _inbound: Inbound, _body: bytes, _bill: Bill) -> bytes:
        """Nothing is ever relayed."""
        raise NotImplementedError

    def writer(self, inbound: Inbound, told: Told, *, relayed: bool) -> AnswerWriter:
        """A writer for one stream."""
        if relayed:
            raise NotImplementedError
        return _Writer(inbound.form, told)

    def refuse(self, problem: Problem) -> Refusal:
        """An error as the official SDK raises it."""
        return refusal(problem)


class _Writer:
    """Implements `ports.front.AnswerWriter`."""

    __slots__ = ("_composer", "_form", "_told")

    def __init__(self, form: Continuation, told: Told) -> None:
        self._form = form
        self._told = told
        self._composer = Composer(Form(), told.provider)

    def begin(self) -> bytes:
        """The prompt, where it is to be repeated."""
        return self._chunk(self._form.repeated) if self._form.repeated else b""

    def write(self, events: Sequence[Event]) -> bytes:
        """A chunk for each piece of text."""
        return b"".join(self._chunk(text) for text in _texts(self._composer, events))

    def end(self, bill: Bill) -> bytes:
        """Why it ended, what it took for who asked, and the end."""
        last = [self._chunk("", self._composer.finish(bill.finish))]
        if self._form.include_usage:
            last.append(data_frame(_answer(self._told, []) | {"usage": usage_object(bill)}))
        return b"".join([*last, DONE])

    def fail(self, problem: Problem) -> bytes:
        """The error the official SDK raises in mid-stream."""
        return error_frame(problem)

    def _chunk(self, text: str, finish: str | None = None) -> bytes:
        return data_frame(_answer(self._told, [_choice(text, finish)]))


def _texts(composer: Composer, events: Sequence[Event]) -> Iterator[str]:
    """What is said; calls and thoughts have no word here."""
    for event in events:
        composer.take(event)
        if isinstance(event, TextDelta | RefusalDelta):
            yield event.text


def _answer(told: Told, choices: list[Json]) -> dict[str, Json]:
    identifier = f"cmpl-{told.request_id.removeprefix('req_')}"
    head = {"id": identifier, "object": "text_completion", "created": told.created, "model": told.model}
    return head | {"choices": choices}


def _choice(text: str, finish: str | None) -> Json:
    return {"index": 0, "text": text, "logprobs": None, "finish_reason": finish}


def _prompt(fields: Fields) -> str:
    """One prompt in words. Raises `InvalidRequest` for several, and for tokens."""
    given = fields.raw.get("prompt")
    prompts = given if isinstance(given, list) else [given]
    if len(prompts) > 1 and all(isinstance(each, str) for each in prompts):
        fields.refuse("prompt", "must be one prompt: send each of several in a request of its own")
    if len(prompts) != 1 or not isinstance(prompts[0], str):
        fields.refuse("prompt", "must be a text: numbers of tokens mean another thing to every model")
    return prompts[0]
