"""What an answer can hold, one thing at a time, written for a caller of another format and read again."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from monkey_coder_server.domain.conversation import Citation, Part, Role, Thinking, ToolCall
from monkey_coder_server.domain.stream_events import (
    Answer,
    Cited,
    Event,
    Finished,
    FinishReason,
    Opened,
    RefusalDelta,
    ServerItem,
    TextDelta,
    ThinkingClosed,
    ThinkingDelta,
    ToolCallClosed,
    ToolCallDelta,
    ToolCallOpened,
)
from monkey_coder_server.domain.usage import Usage, UsageRule, normalise
from monkey_coder_server.ports.front import Bill, Told
from monkey_coder_server.providers import anthropic, google, openai
from packages.server.tests.losslessness.dialects import Spoken
from packages.server.tests.losslessness.differing import differences

FROM = "moonshot"
"""Who answers: at home in none of the formats, so that its signatures must be sealed everywhere."""
SIGNED_CALL = "a signed call"
SIGNS_CALLS = "google"
USAGE = Usage(uncached_input=60, cache_read=30, cache_write_5m=10, output=20, reasoning=5)
COUNTED = "tokens: read from and written to a cache, thought"
_SIGNED = "c2lnbmVk"
_SEARCH = {"type": "web_search_call", "id": "ws_1", "action": {"query": "x"}}
_RULES: Mapping[str, UsageRule] = {
    provider.name: provider.usage_rule for provider in (openai.PROVIDER, anthropic.PROVIDER, google.PROVIDER)
}


def _call(index: int, arguments: str = '{"city":"Ulm"}', **more: Any) -> list[Event]:
    name = more.pop("name", "get_weather")
    opened = ToolCallOpened(index, f"call_{index}", name, **more)
    return [opened, ToolCallDelta(index, arguments), ToolCallClosed(index)]


FEATURES: Mapping[str, tuple[Sequence[Event], FinishReason]] = {
    "text": ([TextDelta("Hello")], FinishReason.STOP),
    "thinking": ([ThinkingDelta("hm"), ThinkingClosed(), TextDelta("So")], FinishReason.STOP),
    "thinking with a signature": ([ThinkingDelta("hm"), ThinkingClosed(_SIGNED), TextDelta("So")], FinishReason.STOP),
    "hidden thinking": ([ThinkingClosed(redacted=_SIGNED), TextDelta("So")], FinishReason.STOP),
    "a call": (_call(0), FinishReason.TOOL_CALLS),
    "calls side by side": ([TextDelta("So"), *_call(0), *_call(1)], FinishReason.TOOL_CALLS),
    "a call without arguments": (_call(0, "{}"), FinishReason.TOOL_CALLS),
    SIGNED_CALL: (_call(0, signature=_SIGNED), FinishReason.TOOL_CALLS),
    "a source": ([TextDelta("So"), Cited(Citation("https://example.com", "A", raw={}))], FinishReason.STOP),
    "what the provider ran itself": ([ServerItem("web_search_call", _SEARCH), TextDelta("So")], FinishReason.STOP),
    "a refusal": ([RefusalDelta("I won't.")], FinishReason.REFUSAL),
    "cut off at the limit": ([TextDelta("So")], FinishReason.LENGTH),
    "stopped by a filter": ([TextDelta("So")], FinishReason.CONTENT_FILTER),
    "paused": ([TextDelta("So")], FinishReason.PAUSE),
    "a call the model could not make": ([TextDelta("So")], FinishReason.MALFORMED_CALL),
    "an end of another kind": ([TextDelta("So")], FinishReason.OTHER),
    COUNTED: ([TextDelta("So")], FinishReason.STOP),
}


def difference(name: str, spoken: Spoken) -> str:
    """What the format cannot say of an answer; nothing where it says all of it."""
    events, finish = FEATURES[name]
    given: list[Event] = [Opened("answer-1", "a-model"), *events, Finished(finish, finish)]
    inbound = spoken.front.read(spoken.body, spoken.envelope)
    origin = SIGNS_CALLS if name == SIGNED_CALL else FROM
    told = Told(request_id="req_1", created=1_790_000_000, provider=origin, model="a-model")
    bill = Bill(usage=USAGE, cost=1, receipt_id=None, finish=finish, native_finish=None)
    body = spoken.front.write(inbound, told, given, bill)
    back = _folded(spoken.codec.decode(body))
    ours = {"finish": finish.value, **_said(_folded(given)), **_proofs(_given_proofs(given, origin))}
    theirs = {"finish": _finish(back), **_said(back), **_proofs(_handed_back(spoken, body))}
    if name == COUNTED:
        usage = normalise(_RULES[spoken.home], back.usage) if back.usage else Usage()
        ours, theirs = _counts(USAGE), _counts(usage)
    return "; ".join(dict.fromkeys(differences(ours, theirs)))


def _given_proofs(events: Sequence[Event], origin: str) -> list[Part]:
    """The answer's own thoughts and calls, with who they are good at."""
    parts = [part for part in _folded(events).parts() if isinstance(part, Thinking | ToolCall)]
    return [replace(part, origin=origin) for part in parts]


def _handed_back(spoken: Spoken, body: bytes) -> list[Part]:
    """Thoughts and calls as they come back when a caller hands the answer back for the next turn."""
    answer, asked = json.loads(body), json.loads(spoken.body)
    match spoken.front.name:
        case "openai-chat":
            asked["messages"].append(answer["choices"][0]["message"])
        case "openai-responses":
            asked["input"] = [{"role": "user", "content": "Hi"}, *answer["output"]]
        case "anthropic_messages":
            asked["messages"].append({"role": "assistant", "content": answer["content"]})
        case _:
            asked["contents"].append(answer["candidates"][0]["content"])
    request = spoken.front.read(json.dumps(asked).encode(), spoken.envelope).request
    return [part for message in request.messages if message.role is Role.ASSISTANT for part in message.parts]


def _proofs(parts: Sequence[Part]) -> dict[str, Any]:
    thoughts = [part for part in parts if isinstance(part, Thinking)]
    calls = [part for part in parts if isinstance(part, ToolCall)]
    return {
        "thinking handed back": [thought.text for thought in thoughts if thought.text],
        "signature handed back": [(one.origin, one.signature) for one in thoughts if one.signature],
        "hidden thinking handed back": [(one.origin, one.redacted) for one in thoughts if one.redacted],
        "the call's signature handed back": [(one.origin, one.signature) for one in calls if one.signature],
    }


def _folded(events: Sequence[Event]) -> Answer:
    answer = Answer()
    for event in events:
        answer.apply(event)
    return answer


def _finish(answer: Answer) -> str:
    if answer.failure is not None:
        return f"an error ({answer.failure.kind})"
    return answer.finish.value if answer.finish else "nothing"


def _said(answer: Answer) -> dict[str, Any]:
    return {
        "text": "".join(answer.text),
        "thinking": [thought.text for thought in answer.thinking if thought.text],
        "refusal": "".join(answer.refusal),
        "calls": [(call.id, call.name, call.arguments or "{}", call.custom) for call in answer.calls],
        "sources": [(source.url, source.title) for source in answer.citations],
        "what was run": [item.type for item in answer.server_items if item.type != "grounding_metadata"],
    }


def _counts(usage: Usage) -> dict[str, int]:
    """The figures a format has places for; reasoning is left to those that tell it apart."""
    return {
        "tokens of the prompt": usage.input,
        "read from the cache": usage.cache_read,
        "written to the cache": usage.cache_write_5m + usage.cache_write_1h,
        "tokens of the answer": usage.output,
        "of these thought": usage.reasoning,
    }
