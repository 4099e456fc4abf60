"""`embedContent` and `batchEmbedContents` as we ask Google for them (ai.google.dev/api/embeddings)."""

from collections.abc import Mapping, Sequence
from urllib.parse import quote

import msgspec

from monkey_coder_server.dialects import vectors
from monkey_coder_server.dialects.embedding_inputs import fits, texts
from monkey_coder_server.dialects.gemini.errors import error_in, failure_of, read_error
from monkey_coder_server.dialects.unstreamed import UnstreamedDialect
from monkey_coder_server.dialects.wire import as_object, excerpt, parse_json, write_json
from monkey_coder_server.domain.catalog import ModelCard
from monkey_coder_server.domain.conversation import Json, ModelRequest
from monkey_coder_server.domain.errors import FailureKind, ProviderFailure
from monkey_coder_server.domain.stream_events import (
    Computed,
    Event,
    Failed,
    Finished,
    FinishReason,
    Opened,
    UsageReported,
)
from monkey_coder_server.domain.usage import ReportedUsage
from monkey_coder_server.ports.provider import WireRequest

EMBEDDINGS = "gemini-embeddings"
"""The dialect's name."""


class _Vector(msgspec.Struct, gc=False):
    values: list[float]


class _Metered(msgspec.Struct, gc=False, rename="camel"):
    prompt_token_count: int | None = None


class _Answer(msgspec.Struct, gc=False, rename="camel"):
    """`embedding` of one input, `embeddings` of a batch. gemini-embedding-001 reports no usage (recorded)."""

    embedding: _Vector | None = None
    embeddings: list[_Vector] | None = None
    usage_metadata: _Metered | None = None


_answers = msgspec.json.Decoder(_Answer)


class GeminiEmbeddings(UnstreamedDialect):
    """Implements `ports.provider.Dialect`."""

    name = EMBEDDINGS

    def __init__(self, provider: str) -> None:
        self._provider = provider

    def encode(self, request: ModelRequest, *, card: ModelCard, key: str, stream: bool) -> WireRequest:  # noqa: ARG002 - never a stream
        """Write the request, a batch of whatever size. Raises `InvalidRequest` for what is no text, or too much."""
        fits(request, card)
        source = request.source
        dropped: tuple[str, ...] = ()
        if source is not None and source.dialect == self.name:
            body = _for_model(as_object(parse_json(source.body)), card)
        else:
            body = {"requests": [_request(text, request.dimensions, card) for text in texts(request, card)]}
            dropped = () if request.user is None else ("user",)
        verb = "batchEmbedContents" if "requests" in body else "embedContent"
        path = f"/v1beta/models/{quote(card.model, safe='')}:{verb}"
        return WireRequest(path, {"content-type": "application/json", "x-goog-api-key": key}, write_json(body), dropped)

    def decode(self, body: bytes) -> Sequence[Event]:
        """Read an answer of status 200."""
        try:
            answer = _answers.decode(body)
            found = answer.embeddings or ([] if answer.embedding is None else [answer.embedding])
            computed = [Computed(vectors.from_floats(each.values)) for each in found]
        except (ValueError, RecursionError):  # what msgspec raises is a ValueError
            return [Failed(self._failure(body))]
        if not computed:
            return [Failed(self._failure(body))]
        events: list[Event] = [Opened(None, None), *computed]
        if answer.usage_metadata is not None:
            usage = ReportedUsage(input_tokens=answer.usage_metadata.prompt_token_count, output_tokens=0)
            events.append(UsageReported(usage))
        return [*events, Finished(FinishReason.STOP, None)]

    def decode_error(self, status: int, headers: Mapping[str, str], body: bytes) -> ProviderFailure:
        """Read an error answer."""
        return read_error(status, headers, body, provider=self._provider)

    def _failure(self, body: bytes) -> ProviderFailure:
        error = error_in(parse_json(body))
        if error is not None:
            return failure_of(error, provider=self._provider, status=200)
        message = f"The answer holds no embeddings: {excerpt(body)[:200]!r}"
        return ProviderFailure(self._provider, FailureKind.MALFORMED, message)


def _request(text: str, dimensions: int | None, card: ModelCard) -> Json:
    request: dict[str, Json] = {"model": f"models/{card.model}", "content": {"parts": [{"text": text}]}}
    if dimensions is not None:
        request["outputDimensionality"] = dimensions
    return request


def _for_model(body: dict[str, Json], card: ModelCard) -> dict[str, Json]:
    """The caller's own request; each part of a batch must name the model of the path."""
    name = f"models/{card.model}"
    if "requests" not in body:
        return {**body, "model": name}
    return {**body, "requests": [{**as_object(each), "model": name} for each in body["requests"]]}
