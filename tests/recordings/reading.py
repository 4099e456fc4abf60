"""What must be left of a recording in any dialect: compared with what the provider's own SDK read."""

from collections.abc import Iterator
from typing import Any

from monkey_coder_server.domain.stream_events import Answer, FinishReason
from monkey_coder_server.domain.usage import Usage
from packages.server.tests.recordings.replay import Record
from tests.matrix.words import Driver, Said

_ENDS = {
    FinishReason.STOP: "stop",
    FinishReason.LENGTH: "length",
    FinishReason.TOOL_CALLS: "calls",
    FinishReason.CONTENT_FILTER: "filter",
}


APIS = {
    "chat": "openai-chat",
    "responses": "openai-responses",
    "messages": "anthropic-messages",
    "gemini": "gemini-generate",
}
"""What the recordings call each dialect."""


def differences(record: Record, answer: Answer, usage: Usage, said: Said, driver: Driver) -> Iterator[str]:
    """Where the dialect's SDK reads something else than the SDK of the recording's own did."""
    expected = record["expected"]
    refusal = expected["refusal"] or ""
    if said.text + said.refusal != expected["text"] + refusal:
        yield f"text {said.text!r} {said.refusal!r}, expected {expected['text']!r} {refusal!r}"
    calls = expected["tool_calls"]
    if record["api"] == APIS[driver.name]:
        yield from _passed_on(record, answer, usage, said)
        return
    if answer.failure is None:
        yield from _calls(calls, said)
    elif not {call.name for call in said.calls} <= {call.name for call in answer.calls}:
        yield f"calls {said.calls} of an answer that was cut, expected {answer.calls}"
    if answer.usage is not None and answer.failure is None:
        yield from _usage(usage, said)
    yield from _finish(answer, said, driver)


def _passed_on(record: Record, answer: Answer, usage: Usage, said: Said) -> Iterator[str]:
    """Nothing was translated: finish and figures are the provider's own, with all its ways to put them."""
    expected = record["expected"]
    if not {call["name"] for call in expected["tool_calls"]} <= {call.name for call in said.calls}:
        yield f"calls {said.calls}, expected {expected['tool_calls']}"
    if answer.failure is None and expected["finish_reason"] not in {None, said.finish}:
        yield f"ended as {said.finish}, expected {expected['finish_reason']}"
    told = None if said.usage is None else (said.usage.prompt, said.usage.output)
    sure = answer.usage is not None and answer.failure is None and not usage.doubts
    if sure and told != (usage.input, usage.output):
        yield f"usage {told}, expected {(usage.input, usage.output)}"


def _calls(expected: list[dict[str, Any]], said: Said) -> Iterator[str]:
    ours = [(call.name, call.arguments) for call in said.calls]
    theirs = [(call["name"], _arguments(call)) for call in expected]
    if [name for name, _ in ours] != [name for name, _ in theirs]:
        yield f"calls {ours}, expected {theirs}"
        return
    for (name, arguments), (_, wanted) in zip(ours, theirs, strict=True):
        broken = isinstance(wanted, dict) and "__unparsed__" in wanted
        if arguments != wanted and not broken:
            yield f"{name}({arguments!r}), expected {wanted!r}"


def _arguments(call: dict[str, Any]) -> Any:
    """A free-form call travels as a function with one string."""
    arguments = call["arguments"]
    return {"input": arguments} if call.get("custom") and isinstance(arguments, str) else arguments


def _usage(usage: Usage, said: Said) -> Iterator[str]:
    if said.usage is None:
        yield "no usage"
        return
    told = (said.usage.prompt, said.usage.cached, said.usage.output)
    wanted = (usage.input, usage.cache_read, usage.output)
    if told != wanted:
        yield f"usage {told}, expected {wanted}"
    if said.usage.reasoning not in {None, usage.reasoning}:
        yield f"reasoning {said.usage.reasoning}, expected {usage.reasoning}"


def _finish(answer: Answer, said: Said, driver: Driver) -> Iterator[str]:
    finish = answer.finish if answer.failure is None else FinishReason.LENGTH
    if finish in _ENDS:
        word = driver.finishes[_ENDS[finish]]
        stop_sequence = finish is FinishReason.STOP and said.finish == driver.finishes["stop sequence"]
        if said.finish != word and not stop_sequence:
            yield f"ended as {said.finish}, expected {word}"
    elif said.finish == driver.finishes["stop"] and not said.refusal:
        yield f"ended as a plain {said.finish}, but was {finish}"
