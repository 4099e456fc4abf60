"""The words of the Gemini API that several modules need."""

from monkey_coder_server.domain.stream_events import FinishReason

DIALECT = "gemini"

_FINISH = {
    "STOP": FinishReason.STOP,
    "MAX_TOKENS": FinishReason.LENGTH,
    "SAFETY": FinishReason.CONTENT_FILTER,
    "RECITATION": FinishReason.CONTENT_FILTER,
    "BLOCKLIST": FinishReason.CONTENT_FILTER,
    "PROHIBITED_CONTENT": FinishReason.CONTENT_FILTER,
    "SPII": FinishReason.CONTENT_FILTER,
    "IMAGE_SAFETY": FinishReason.CONTENT_FILTER,
    "IMAGE_PROHIBITED_CONTENT": FinishReason.CONTENT_FILTER,
    "IMAGE_RECITATION": FinishReason.CONTENT_FILTER,
    "LANGUAGE": FinishReason.CONTENT_FILTER,
    "ESCALATION": FinishReason.CONTENT_FILTER,
    "MODEL_ARMOR": FinishReason.CONTENT_FILTER,
    "PUP_LIMITED_DISABLED": FinishReason.CONTENT_FILTER,
    "CONTINUATION": FinishReason.LENGTH,
    "MALFORMED_RESPONSE": FinishReason.MALFORMED_CALL,
    "MISSING_THOUGHT_SIGNATURE": FinishReason.MALFORMED_CALL,
    "MALFORMED_FUNCTION_CALL": FinishReason.MALFORMED_CALL,
    "UNEXPECTED_TOOL_CALL": FinishReason.MALFORMED_CALL,
    "TOO_MANY_TOOL_CALLS": FinishReason.MALFORMED_CALL,
}
"""What google-genai 3.6 knows (`types.FinishReason`), but for ends of no stated kind."""


def finish_reason(native: str, *, called: bool) -> FinishReason:
    """The neutral word for a `finishReason`; Gemini says STOP even when it calls tools."""
    if native == "STOP" and called:
        return FinishReason.TOOL_CALLS
    return _FINISH.get(native, FinishReason.OTHER)


_WRITTEN = {
    FinishReason.STOP: "STOP",
    FinishReason.TOOL_CALLS: "STOP",
    FinishReason.LENGTH: "MAX_TOKENS",
    FinishReason.CONTENT_FILTER: "SAFETY",
    FinishReason.REFUSAL: "SAFETY",
    FinishReason.MALFORMED_CALL: "MALFORMED_FUNCTION_CALL",
    FinishReason.PAUSE: "OTHER",
    FinishReason.OTHER: "OTHER",
}


def written_reason(reason: FinishReason) -> str:
    """The `finishReason` for a neutral word."""
    return _WRITTEN[reason]
