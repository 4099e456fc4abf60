"""From an answer to its usage: the provider's numbers where there are any, else our own count, flagged."""

from collections.abc import Iterable

from monkey_coder_server.domain.conversation import ModelRequest
from monkey_coder_server.domain.prompt_tokens import expected_tokens
from monkey_coder_server.domain.stream_events import Answer
from monkey_coder_server.domain.usage import Usage, UsageRule, complete, estimate, normalise


def usage_of(answer: Answer, request: ModelRequest, rule: UsageRule, *, unfinished: bool) -> Usage:
    """The tokens to bill. `unfinished`: we stopped reading, so a report that came early counts the output too low.

    A report of nothing at all for an answer that said something cannot be true, and counts as none.
    """
    if answer.usage is None:
        return _count(answer, request)
    usage = normalise(rule, answer.usage)
    silent = not usage.output and not usage.total and not usage.units and usage.cost_nano is None
    if silent and (answer.text or answer.calls or answer.refusal):
        return _count(answer, request)
    if not unfinished and not usage.doubts:
        return usage
    counted = _count(answer, request)
    if not unfinished:
        return complete(usage, counted)
    return complete(usage, counted)._replace(
        output=max(usage.output, counted.output),
        reasoning=max(usage.reasoning, counted.reasoning),
        estimated=True,
        doubts=tuple(dict.fromkeys((*usage.doubts, "output_tokens"))),
    )


def _count(answer: Answer, request: ModelRequest) -> Usage:
    answer.close_open_blocks()  # of an answer that was given up, the last thought or call is still open
    said = (*answer.text, *answer.refusal, *(call.arguments for call in answer.calls))
    return estimate(
        input_tokens=expected_tokens(request),
        output_bytes=_bytes(said) + answer.skimmed,
        reasoning_bytes=_bytes(part.text for part in answer.thinking),
    )


def _bytes(texts: Iterable[str]) -> int:
    return sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)
