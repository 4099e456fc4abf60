"""The wire formats behind one interface, so that the server need not know which provider speaks which."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from monkey_coder_server.sandbox import moderations
from monkey_coder_server.sandbox.anthropic_messages import read as anthropic_read
from monkey_coder_server.sandbox.anthropic_messages import write as anthropic_write
from monkey_coder_server.sandbox.catalog import Card
from monkey_coder_server.sandbox.embeddings import gemini as gemini_embeddings
from monkey_coder_server.sandbox.embeddings import openai as openai_embeddings
from monkey_coder_server.sandbox.exchange import Ask, Frame, Kind
from monkey_coder_server.sandbox.gemini import read as gemini_read
from monkey_coder_server.sandbox.gemini import write as gemini_write
from monkey_coder_server.sandbox.identifiers import Identifiers, base62
from monkey_coder_server.sandbox.openai_chat import read as chat_read
from monkey_coder_server.sandbox.openai_chat import stream as chat_stream
from monkey_coder_server.sandbox.openai_chat import whole as chat_whole
from monkey_coder_server.sandbox.openai_responses import read as responses_read
from monkey_coder_server.sandbox.openai_responses import stream as responses_stream
from monkey_coder_server.sandbox.openai_responses import whole as responses_whole
from monkey_coder_server.sandbox.served import Served

_ENCODER = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Wire:
    """How one kind of request is read and answered."""

    read: Callable[[Card, dict[str, Any], Identifiers], Ask]
    whole: Callable[[Served, Identifiers], bytes]
    frames: Callable[[Served, Identifiers], Iterator[Frame]] = lambda _served, _identifiers: iter(())
    error_event: Callable[[dict[str, Any]], bytes] = lambda _body: b""
    answer_id: Callable[[Served], str] = lambda _served: ""
    kind: Kind = "chat"
    """What the models that are spoken to so are for; only chat is streamed."""
    usual_model: str = ""
    """What a request that names no model gets."""
    responses: bool = False
    """Whether this is the endpoint of OpenAI's that serves all its models, in sentences of its own."""
    spare_end: bool = False
    """The last event of a stream only says that it is one; all that counts was said before."""
    variant: str = ""
    """What of the request is not in its body: part of the key under which a read request is remembered."""
    whole_type: str = "application/json"
    stream_type: str = "text/event-stream"


def wire(provider: str, *, model: str = "", stream: bool = False, sse: bool = True) -> Wire:
    """The wire of a provider. Gemini's model and streaming are in its path, so they are given here."""
    if provider == "anthropic":
        return _ANTHROPIC
    if provider == "google":
        return Wire(
            read=lambda card, body, identifiers: gemini_read.read(card, model, body, identifiers, stream=stream),
            whole=lambda served, identifiers: gemini_write.encoded(gemini_write.document(served, identifiers)),
            frames=lambda served, identifiers: gemini_write.frames(served, identifiers, sse=sse),
            error_event=lambda body: gemini_write.error_event(body, sse=sse),
            answer_id=lambda served: base62(served.number, 23),
            variant=f"{model} {stream}",
            whole_type="application/json; charset=UTF-8",
            stream_type="text/event-stream" if sse else "application/json; charset=UTF-8",
        )
    return _CHAT[provider]


_ANTHROPIC = Wire(
    read=anthropic_read.read,
    whole=lambda served, identifiers: _ENCODER.encode(anthropic_write.document(served, identifiers)),
    frames=anthropic_write.frames,
    error_event=anthropic_write.error_event,
    answer_id=anthropic_write.message_id,
    stream_type="text/event-stream; charset=utf-8",
)


def embeddings_wire(provider: str, *, model: str = "", batch: bool = False) -> Wire:
    """How a provider is asked for embeddings. Google's model and batching are in its path, so they are given here."""
    if provider == "google":
        return Wire(
            read=lambda _card, body, _: gemini_embeddings.read(model, body, batch=batch),
            whole=lambda served, _: gemini_embeddings.document(served),
            kind="embeddings",
            variant=f"embeddings {model} {batch}",
            whole_type="application/json; charset=UTF-8",
        )
    return Wire(
        read=lambda card, body, _: openai_embeddings.read(provider, card, body),
        whole=lambda served, _: openai_embeddings.document(served),
        kind="embeddings",
        variant="embeddings",
    )


MODERATIONS = Wire(
    read=lambda _card, body, _: moderations.read(str(body.get("model") or moderations.MODELS[0]), body),
    whole=lambda served, _: moderations.document(served),
    answer_id=moderations.identity,
    kind="moderation",
    variant="moderation",
    usual_model=moderations.MODELS[0],
)


def responses_wire(provider: str) -> Wire:
    """How OpenAI and xAI are asked for responses."""
    return Wire(
        read=lambda card, body, identifiers: responses_read.read(provider, card, body, identifiers),
        whole=lambda served, identifiers: _ENCODER.encode(responses_whole.document(served, identifiers)),
        frames=responses_stream.frames,
        error_event=responses_stream.error_event,
        answer_id=responses_whole.answer_id,
        responses=True,
        variant="responses",
        stream_type="text/event-stream; charset=utf-8" if provider == "openai" else "text/event-stream",
    )


def _chat(provider: str, stream_type: str) -> Wire:
    return Wire(
        read=lambda card, body, _: chat_read.read(provider, card, body),
        whole=lambda served, _: _ENCODER.encode(chat_whole.document(served)),
        frames=lambda served, _: chat_stream.frames(served),
        error_event=lambda body: chat_stream.error_event(provider, body),
        answer_id=chat_whole.answer_id,
        spare_end=provider != "perplexity",
        stream_type=stream_type,
    )


_CHAT = {
    "openai": _chat("openai", "text/event-stream; charset=utf-8"),
    "groq": _chat("groq", "text/event-stream"),
    "xai": _chat("xai", "text/event-stream"),
    "perplexity": _chat("perplexity", "text/event-stream; charset=utf-8"),
    "moonshot": _chat("moonshot", "text/event-stream; charset=utf-8"),
}
