"""Reads a whole (not streamed) message."""

from collections.abc import Sequence

from monkey_coder_server.dialects.anthropic_messages.blocks import close_block, open_block
from monkey_coder_server.dialects.anthropic_messages.errors import failure_of
from monkey_coder_server.dialects.anthropic_messages.names import finish_reason
from monkey_coder_server.dialects.anthropic_messages.usage import read_usage
from monkey_coder_server.dialects.wire import as_list, as_object, as_text, excerpt, parse_json
from monkey_coder_server.domain.conversation import Json
from monkey_coder_server.domain.errors import FailureKind, ProviderFailure
from monkey_coder_server.domain.stream_events import Event, Failed, Finished, Opened, RefusalDelta, UsageReported


def read_message(body: bytes, *, provider: str) -> Sequence[Event]:
    """Decode a body of status 200; ends in `Finished` or `Failed`."""
    message = as_object(parse_json(body))
    if error := as_object(message.get("error")):
        return [Failed(failure_of(error, provider=provider, status=200))]
    if not isinstance(message.get("content"), list):
        said = excerpt(body)[:200]
        malformed = ProviderFailure(provider, FailureKind.MALFORMED, f"the answer is not a message: {said}", 200)
        return [Failed(malformed)]
    events: list[Event] = [Opened(as_text(message.get("id")), as_text(message.get("model")))]
    calls = 0
    for each in as_list(message.get("content")):
        block = open_block(as_object(each), calls, events)
        calls += block.call is not None
        close_block(block, events)
    if usage := as_object(message.get("usage")):
        events.append(UsageReported(read_usage(usage)))
    stop = as_text(message.get("stop_reason"))
    say_refusal(as_object(message.get("stop_details")), events)
    events.append(Finished(finish_reason(stop), stop))
    return events


def say_refusal(details: dict[str, Json], events: list[Event]) -> None:
    """Why the safety classifiers declined, where `stop_details` explains it."""
    if details.get("type") == "refusal" and (explanation := as_text(details.get("explanation"))):
        events.append(RefusalDelta(explanation))
