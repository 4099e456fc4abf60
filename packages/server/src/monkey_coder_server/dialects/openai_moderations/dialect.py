"""OpenAI's moderations as we ask for them: passed on as their caller wrote them."""

from collections.abc import Mapping, Sequence

import msgspec

from monkey_coder_server.dialects.openai_errors import decode_error, failure_in_answer
from monkey_coder_server.dialects.openai_moderations.front import ModerationsFront
from monkey_coder_server.dialects.unstreamed import UnstreamedDialect
from monkey_coder_server.dialects.wire import excerpt, parse_json, write_json
from monkey_coder_server.domain.catalog import ModelCard
from monkey_coder_server.domain.conversation import Json, ModelRequest
from monkey_coder_server.domain.errors import FailureKind, InvalidRequest, ProviderFailure
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

NOTHING_METERED = ReportedUsage(input_tokens=0, output_tokens=0)
"""OpenAI counts no tokens here and reports none."""


class _Answer(msgspec.Struct, gc=False):
    results: list[dict[str, Json]]
    id: str | None = None
    model: str | None = None


_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_answers = msgspec.json.Decoder(_Answer)


class OpenAIModerations(UnstreamedDialect):
    """Implements `ports.provider.Dialect`."""

    name = ModerationsFront.name

    def __init__(self, provider: str) -> None:
        self._provider = provider

    def encode(self, request: ModelRequest, *, card: ModelCard, key: str, stream: bool) -> WireRequest:  # noqa: ARG002 - never a stream
        """Pass the request on. Raises `InvalidRequest` for one of another dialect."""
        source = request.source
        if source is None or source.dialect != self.name:
            raise InvalidRequest("Moderation is only asked for in OpenAI's own format, at POST /v1/moderations.")
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json", "accept": "application/json"}
        written = {**_fields.decode(source.body), "model": msgspec.Raw(write_json(card.model))}
        return WireRequest("/moderations", headers, write_json(written))

    def decode(self, body: bytes) -> Sequence[Event]:
        """Read an answer of status 200: a verdict for each input."""
        try:
            answer = _answers.decode(body)
        except (ValueError, RecursionError):  # what msgspec raises is a ValueError
            answer = _Answer([])
        if not answer.results:
            return [Failed(self._failure(body))]
        verdicts = map(Computed, answer.results)
        opened = Opened(answer.id, answer.model)
        return [opened, *verdicts, UsageReported(NOTHING_METERED), Finished(FinishReason.STOP, None)]

    def decode_error(self, status: int, headers: Mapping[str, str], body: bytes) -> ProviderFailure:
        """Read an error answer."""
        return decode_error(self._provider, status, headers, body)

    def _failure(self, body: bytes) -> ProviderFailure:
        said = failure_in_answer(self._provider, parse_json(body))
        message = f"The answer holds no verdict: {excerpt(body)[:200]!r}"
        return said or ProviderFailure(self._provider, FailureKind.MALFORMED, message)
