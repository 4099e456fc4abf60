"""The words of the Messages API that several modules need."""

from monkey_coder_server.domain.stream_events import FinishReason

DIALECT = "anthropic_messages"

_FINISH = {
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "tool_use": FinishReason.TOOL_CALLS,
    "pause_turn": FinishReason.PAUSE,
    "refusal": FinishReason.REFUSAL,
}


def finish_reason(native: str | None) -> FinishReason:
    """The neutral word for a `stop_reason`."""
    return _FINISH.get(native or "", FinishReason.OTHER)


_STOP_REASONS = {
    FinishReason.STOP: "end_turn",
    FinishReason.LENGTH: "max_tokens",
    FinishReason.TOOL_CALLS: "tool_use",
    FinishReason.CONTENT_FILTER: "refusal",
    FinishReason.REFUSAL: "refusal",
    FinishReason.PAUSE: "pause_turn",
    FinishReason.MALFORMED_CALL: "max_tokens",
    FinishReason.OTHER: "end_turn",
}
"""A call the model failed to write is an answer that broke off: of Anthropic's words, only `max_tokens` says that."""


def stop_reason(finish: FinishReason, *, called: bool, refused: bool) -> str:
    """The `stop_reason` for a neutral word. What was called or refused shows, whatever a provider says of it."""
    if finish in {FinishReason.STOP, FinishReason.OTHER}:
        if called:
            return "tool_use"
        if refused:
            return "refusal"
    return _STOP_REASONS[finish]
