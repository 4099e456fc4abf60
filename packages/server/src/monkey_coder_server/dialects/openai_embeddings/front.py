"""`POST /v1/embeddings` as our callers speak it (developers.openai.com/api/reference, embeddings: create)."""

from collections.abc import Iterator, Sequence

from monkey_coder_server.dialects import vectors
from monkey_coder_server.dialects.costs import cost_of, with_cost
from monkey_coder_server.dialects.openai_embeddings.names import DIALECT
from monkey_coder_server.dialects.openai_refusals import refusal
from monkey_coder_server.dialects.unstreamed import UnstreamedFront
from monkey_coder_server.dialects.wire import parse_json, write_json
from monkey_coder_server.domain.catalog import AUTO, Kind
from monkey_coder_server.domain.conversation import Json, Message, ModelRequest, Part, Role, Source, Text, Unknown
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.stream_events import Computed, Event
from monkey_coder_server.ports.front import Bill, Envelope, Inbound, Problem, Refusal, Told

FORMATS = ("float", "base64")
_KNOWN = frozenset({"model", "input", "encoding_format", "dimensions", "user"})


class EmbeddingsFront(UnstreamedFront):
    """Implements `ports.front.Front`. `Inbound.form` is the encoding the caller wants."""

    name = DIALECT

    def read(self, body: bytes, _envelope: Envelope) -> Inbound:
        """Read a request. Raises `InvalidRequest`."""
        sent = parse_json(body)
        if not isinstance(sent, dict):
            raise InvalidRequest("The body must be a JSON object with `model` and `input`.")
        encoding = sent.get("encoding_format") or "float"
        if encoding not in FORMATS:
            raise InvalidRequest("The field `encoding_format` must be float or base64.")
        extra = {name: value for name, value in sent.items() if name not in _KNOWN}
        request = ModelRequest(
            messages=tuple(Message(Role.USER, (part,)) for part in _inputs(sent.get("input"))),
            dimensions=_dimensions(sent.get("dimensions")),
            user=_user(sent.get("user")),
            dialect=DIALECT,
            extra=extra,
            source=Source(DIALECT, body),
        )
        return Inbound(
            request=request,
            model=_model(sent.get("model")),
            stream=False,
            form=encoding,
            lost=tuple(extra),
            kind=Kind.EMBEDDINGS,
        )

    def write(self, inbound: Inbound, told: Told, events: Sequence[Event], bill: Bill) -> bytes:
        """The vectors another dialect's provider gave, in the encoding asked for."""
        computed = (event.value for event in events if isinstance(event, Computed))
        packed = inbound.form == "base64"
        data = [
            {"object": "embedding", "index": index, "embedding": vectors.to_base64(each) if packed else each.tolist()}
            for index, each in enumerate(computed)
        ]
        usage = {
            "prompt_tokens": bill.usage.input,
            "total_tokens": bill.usage.total,
            "cost": cost_of(bill),
        }
        return write_json({"object": "list", "data": data, "model": told.model, "usage": usage})

    def relay(self, _inbound: Inbound, body: bytes, bill: Bill) -> bytes:
        """OpenAI's own answer with its cost."""
        return with_cost(body, bill)

    def refuse(self, problem: Problem) -> Refusal:
        """An error as the official SDK raises it."""
        return refusal(problem)


def _model(name: Json) -> str:
    if not isinstance(name, str) or not name.strip():
        raise InvalidRequest("The field `model` must name an embedding model; GET /v1/models lists them.")
    if name.strip().casefold().partition(":")[0] == AUTO:
        message = "The field `model` must name an embedding model: vectors of different models cannot be compared."
        raise InvalidRequest(message)
    return name


def _inputs(sent: Json) -> Iterator[Part]:
    """Each input: a text, or the ids of its tokens as OpenAI's tokenizer has them."""
    if isinstance(sent, str) or (isinstance(sent, list) and sent and all(map(_is_id, sent))):
        sent = [sent]
    if not isinstance(sent, list) or not sent:
        raise InvalidRequest("The field `input` must be a text, a list of texts, or token ids.")
    for place, each in enumerate(sent):
        if isinstance(each, str) and each:
            yield Text(each)
        elif isinstance(each, list) and each and all(map(_is_id, each)):
            yield Unknown(DIALECT, each)
        else:
            message = f"The field `input[{place}]` must be a text or a list of token ids, and not empty."
            raise InvalidRequest(message)


def _is_id(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _dimensions(sent: Json) -> int | None:
    if sent is None or (isinstance(sent, int) and not isinstance(sent, bool) and sent > 0):
        return sent
    raise InvalidRequest("The field `dimensions` must be a whole number of at least 1.")


def _user(sent: Json) -> str | None:
    if sent is None or isinstance(sent, str):
        return sent
    raise InvalidRequest("The field `user` must be a text.")
