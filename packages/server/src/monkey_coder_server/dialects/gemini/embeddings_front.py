"""`embedContent` and `batchEmbedContents` as our callers speak them: texts in, vectors out."""

from collections.abc import Iterator, Sequence

from monkey_coder_server.dialects.costs import cost_of
from monkey_coder_server.dialects.gemini.embeddings import EMBEDDINGS
from monkey_coder_server.dialects.gemini.fields import Fields, record, records, text, whole
from monkey_coder_server.dialects.gemini.refusals import refusal_of
from monkey_coder_server.dialects.gemini.relaying import with_cost
from monkey_coder_server.dialects.unstreamed import UnstreamedFront
from monkey_coder_server.dialects.wire import parse_json, write_json
from monkey_coder_server.domain.catalog import Kind
from monkey_coder_server.domain.conversation import Message, ModelRequest, Role, Source, Text
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.stream_events import Computed, Event
from monkey_coder_server.ports.front import Bill, Envelope, Inbound, Problem, Refusal, Told

_KNOWN = frozenset({"model", "content", "outputDimensionality"})


class GeminiEmbeddingsFront(UnstreamedFront):
    """Implements `ports.front.Front` for one of the two methods."""

    name = EMBEDDINGS

    def __init__(self, *, batch: bool) -> None:
        self._batch = batch

    def read(self, body: bytes, envelope: Envelope) -> Inbound:
        """Read a request. Raises `InvalidRequest` with one sentence that names the field."""
        sent = parse_json(body)
        if not isinstance(sent, dict):
            raise InvalidRequest("The body must be a JSON object.")
        asked = list(self._requests(record(sent, "body")))
        lengths = {whole(fields, "outputDimensionality", path, least=1) for fields, path in asked}
        if len(lengths) != 1:
            raise InvalidRequest("The field `requests` must hold requests that agree on `outputDimensionality`.")
        request = ModelRequest(
            messages=tuple(Message(Role.USER, tuple(_texts(fields, path))) for fields, path in asked),
            dimensions=lengths.pop(),
            dialect=self.name,
            source=Source(self.name, body),
        )
        lost = dict.fromkeys(name for fields, _ in asked for name in fields if name not in _KNOWN)
        return Inbound(request=request, model=envelope.path_model, stream=False, lost=tuple(lost), kind=Kind.EMBEDDINGS)

    def write(self, _inbound: Inbound, _told: Told, events: Sequence[Event], bill: Bill) -> bytes:
        """The vectors another provider gave."""
        found = [{"values": event.value.tolist()} for event in events if isinstance(event, Computed)]
        usage = {"promptTokenCount": bill.usage.input, "cost": cost_of(bill)}
        vectors = {"embeddings": found} if self._batch else {"embedding": found[0]}
        return write_json({**vectors, "usageMetadata": usage})

    def relay(self, _inbound: Inbound, body: bytes, bill: Bill) -> bytes:
        """Google's own answer with its cost."""
        return with_cost(body, bill)

    def refuse(self, problem: Problem) -> Refusal:
        """An error as Google's SDKs read it."""
        return refusal_of(problem)

    def _requests(self, sent: Fields) -> Iterator[tuple[Fields, str]]:
        """Each request of a batch, or the one, with where it stands."""
        if not self._batch:
            yield sent, ""
            return
        for place, each in enumerate(records(sent.get("requests"), "requests")):
            path = f"requests[{place}]"
            yield record(each, path), f"{path}."


def _texts(fields: Fields, path: str) -> Iterator[Text]:
    content = record(fields.get("content"), f"{path}content")
    parts = records(content.get("parts"), f"{path}content.parts")
    for place, each in enumerate(parts):
        where = f"{path}content.parts[{place}]"
        said = text(record(each, where), "text", f"{where}.")
        if said is None:
            message = f"The field `{where}` is no text; images, sound and video are not embedded here."
            raise InvalidRequest(message)
        yield Text(said)
    if not parts:
        message = f"The field `{path}content` holds nothing to embed."
        raise InvalidRequest(message)
