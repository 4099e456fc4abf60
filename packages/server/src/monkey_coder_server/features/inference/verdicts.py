"""Whether an answer passes: what can be said of it without running it."""

from monkey_coder_server.domain.stream_events import Answer, FinishReason
from monkey_coder_server.features.inference.job import Job

WHOLE = frozenset({FinishReason.STOP, FinishReason.TOOL_CALLS})


def passes(_job: Job, answer: Answer) -> bool:
    """It came to its own end, and says or does something that is no refusal."""
    return answer.finish in WHOLE and not answer.refusal and bool(told_text(answer).strip())


def told_text(answer: Answer) -> str:
    """What it says, its calls included."""
    return "\n".join(("".join(answer.text), *(f"{call.name} {call.arguments}" for call in answer.calls)))
