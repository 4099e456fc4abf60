"""How an answer ends: complete, cut to a limit, or failed."""

from monkey_coder_server.dialects.openai_errors import failure_in_answer
from monkey_coder_server.dialects.wire import as_object, as_text
from monkey_coder_server.domain.conversation import Json
from monkey_coder_server.domain.errors import FailureKind, ProviderFailure
from monkey_coder_server.domain.stream_events import FinishReason

_CUT = {"max_output_tokens": FinishReason.LENGTH, "content_filter": FinishReason.CONTENT_FILTER}


def finish_of(response: dict[str, Json], *, calls: bool, refused: bool, waits: bool) -> tuple[FinishReason, str]:
    """Why the model stopped, and the provider's own word: the status, with the reason of one that is incomplete.

    `waits`: the answer holds something the caller must act on that is no tool call.
    """
    status = as_text(response.get("status")) or "completed"
    why = as_text(as_object(response.get("incomplete_details")).get("reason"))
    native = f"{status}:{why}" if why else status
    if status == "incomplete" and why is None:
        return FinishReason.LENGTH, native
    if status != "completed":
        return _CUT.get(why or "", FinishReason.OTHER), native
    if calls:
        return FinishReason.TOOL_CALLS, native
    if waits:
        return FinishReason.PAUSE, native
    return FinishReason.REFUSAL if refused else FinishReason.STOP, native


def failure_of(provider: str, event: dict[str, Json]) -> ProviderFailure:
    """The failure an event tells of: its error stands in `error`, or (the event `error`) in its own fields."""
    said = event if event.get("error") else {"error": {name: event[name] for name in event if name != "type"}}
    failure = failure_in_answer(provider, said)
    return failure or ProviderFailure(provider, FailureKind.SERVER_ERROR, "The provider failed without a word of why.")
