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
