"""`POST /v1/moderations` as our callers speak it (developers.openai.com/api/reference, moderations: create)."""

from collections.abc import Iterator, Sequence

from monkey_coder_server.dialects.openai_refusals import refusal
from monkey_coder_server.dialects.unstreamed import UnstreamedFront
from monkey_coder_server.dialects.wire import as_object, as_text, parse_json, write_json
from monkey_coder_server.domain.catalog import Kind
from monkey_coder_server.domain.conversation import Image, Json, Message, ModelRequest, Part, Role, Source, Text
from monkey_coder_server.domain.errors import InvalidRequest
from monkey_coder_server.domain.stream_events import Computed, Event
from monkey_coder_server.ports.front import Bill, Envelope, Inbound, Problem, Refusal, Told

USUAL_MODEL = "omni-moderation-latest"
"""What OpenAI takes where none is named."""


class ModerationsFront(UnstreamedFront):
    """Implements `ports.front.Front`."""

    name = "openai-moderations"

    def read(self, body: bytes, _envelope: Envelope) -> Inbound:
        """Read a request. Raises `InvalidRequest`."""
        sent = parse_json(body)
        if not isinstance(sent, dict):
            raise InvalidRequest("The body must be a JSON object with `input`.")
        model = sent.get("model")
        if model is not None and not isinstance(model, str):
            raise InvalidRequest("The field `model` must be a model's name.")
        request = ModelRequest(
            messages=(Message(Role.USER, tuple(_parts(sent.get("input")))),),
            dialect=self.name,
            source=Source(self.name, body),
        )
        return Inbound(request=request, model=model or USUAL_MODEL, stream=False, kind=Kind.MODERATION)

    def write(self, _inbound: Inbound, told: Told, events: Sequence[Event], _bill: Bill) -> bytes:
        """The verdicts."""
        results = [event.value for event in events if isinstance(event, Computed)]
        identity = f"modr-{told.request_id.removeprefix('req_')}"
        return write_json({"id": identity, "model": told.model, "results": results})

    def relay(self, _inbound: Inbound, body: bytes, _bill: Bill) -> bytes:
        """OpenAI's own answer; it has no usage a cost could stand in, and there is none."""
        return body

    def refuse(self, problem: Problem) -> Refusal:
        """An error as the official SDK raises it."""
        return refusal(problem)


def _parts(sent: Json) -> Iterator[Part]:
    for place, each in enumerate(sent if isinstance(sent, list) else [sent]):
        part = _part(each)
        if part is None:
            message = f"The field `input` must be a text, or a list of texts or of text and image_url parts ({place})."
            raise InvalidRequest(message)
        yield part


def _part(sent: Json) -> Part | None:
    if isinstance(sent, str):
        return Text(sent)
    text, url = as_text(as_object(sent).get("text")), as_text(as_object(as_object(sent).get("image_url")).get("url"))
    if text is not None:
        return Text(text)
    return None if url is None else Image(url=url)
