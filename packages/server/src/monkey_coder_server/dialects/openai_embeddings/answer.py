"""An answer that holds vectors."""

from collections.abc import Callable, Sequence

import msgspec

from monkey_coder_server.dialects import vectors
from monkey_coder_server.dialects.openai_errors import failure_in_answer
from monkey_coder_server.dialects.openai_usage import read_usage
from monkey_coder_server.dialects.wire import excerpt, parse_json
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


class _Datum(msgspec.Struct, gc=False):
    embedding: msgspec.Raw
    index: int | None = None


class _Answer(msgspec.Struct, gc=False):
    data: list[_Datum]
    model: str | None = None
    usage: msgspec.Raw = msgspec.Raw()


_answers = msgspec.json.Decoder(_Answer)
_written = msgspec.json.Decoder(str | list[float])


def decode_answer(body: bytes, provider: str, *, int8: bool) -> Sequence[Event]:
    """Read a body of status 200; the vectors in the order of the inputs. Ends in `Finished` or `Failed`."""
    unpack = vectors.from_int8 if int8 else vectors.from_base64
    try:
        answer = _answers.decode(body)
        computed = [Computed(_numbers(datum, unpack)) for datum in _in_order(answer.data)]
    except (ValueError, RecursionError):  # what msgspec raises is a ValueError
        computed = []
    if not computed:
        return [Failed(_failure(body, provider))]
    events: list[Event] = [Opened(None, answer.model), *computed]
    usage = read_usage(answer.usage)
    if usage is not None:
        events.append(UsageReported(usage._replace(output_tokens=0)))
    events.append(Finished(FinishReason.STOP, None))
    return events


def _in_order(data: list[_Datum]) -> list[_Datum]:
    """By `index` where each datum has one."""
    places = {datum.index: datum for datum in data}
    return [places[place] for place in range(len(data))] if set(places) == set(range(len(data))) else data


def _numbers(datum: _Datum, unpack: Callable[[str], vectors.Numbers]) -> vectors.Numbers:
    """One vector after the other, for all of them as lists would take ten times their text."""
    written = _written.decode(datum.embedding)
    return unpack(written) if isinstance(written, str) else vectors.from_floats(written)


def _failure(body: bytes, provider: str) -> ProviderFailure:
    said = failure_in_answer(provider, parse_json(body))
    if said is not None:
        return said
    message = f"The answer holds no embeddings: {excerpt(body)[:200]!r}"
    return ProviderFailure(provider, FailureKind.MALFORMED, message)
