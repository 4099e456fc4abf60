"""Every recorded answer of every provider, given on in chat completions, reads the same with OpenAI's official SDK."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from monkey_coder_server.domain.stream_events import Answer, Event, Failed, FinishReason
from monkey_coder_server.domain.usage import Usage, normalise
from monkey_coder_server.ports.front import Bill
from packages.server.tests.dialects.openai_chat.answering import TOLD, WITH_USAGE, client, relayed, streamed
from packages.server.tests.dialects.openai_chat.asking import FRONT, NOBODY
from packages.server.tests.recordings import replay
from packages.server.tests.recordings.replay import Record

ANSWERS = [
    record
    for record in replay.records()
    if not replay.is_http_error(record) and record["expected"]["kind"] == "message"
]
OWN = [record for record in ANSWERS if record["api"] == "openai-chat"]
MESSAGES: Any = [{"role": "user", "content": "?"}]
BROKEN_OFF = frozenset({FinishReason.LENGTH, FinishReason.PAUSE, FinishReason.MALFORMED_CALL})
COST = 0.0000015


@dataclass
class Seen:
    """What a caller of the SDK sees of an answer."""

    text: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    refusal: list[str] = field(default_factory=list)
    calls: dict[int, list[str]] = field(default_factory=dict)
    ids: dict[int, str] = field(default_factory=dict)
    finish: str | None = None
    usage: Any = None

    def take(self, message: Any, finish: str | None) -> None:
        self.finish = finish or self.finish
        plain = message.to_dict() if message is not None else {}
        self.text.append(plain.get("content") or "")
        self.reasoning.append(plain.get("reasoning_content") or plain.get("reasoning") or "")
        self.refusal.append(plain.get("refusal") or "")
        for place, call in enumerate(plain.get("tool_calls") or []):
            index = call.get("index", place)
            function = call.get("function") or call["custom"]
            name, piece = function.get("name") or "", function.get("arguments", function.get("input")) or ""
            self.ids[index] = self.ids.get(index) or call.get("id") or ""
            said = self.calls.setdefault(index, ["", ""])
            said[0] = said[0] or name  # some servers repeat it
            said[1] += piece

    @property
    def said(self) -> tuple[str, str, str]:
        return "".join(self.text), "".join(self.reasoning), "".join(self.refusal)


def read(body: bytes, *, stream: bool) -> Seen:
    seen = Seen()
    if not stream:
        answering = client(200, body, {"content-type": "application/json"})
        answer = answering.chat.completions.create(model="m", messages=MESSAGES)
        seen.usage = answer.usage
        seen.take(answer.choices[0].message, answer.choices[0].finish_reason)
        return seen
    answering = client(200, body, {"content-type": "text/event-stream"})
    for chunk in answering.chat.completions.create(model="m", messages=MESSAGES, stream=True):
        seen.usage = chunk.usage or seen.usage
        for choice in chunk.choices:
            seen.take(choice.delta, choice.finish_reason)
    return seen


def events_of(record: Record, *, relay: bool = False) -> list[Event]:
    dialect = replay.dialect_of(record["provider"], record["api"])
    if not record["stream"]:
        return list(dialect.decode(replay.body_of(record)))
    decoder = dialect.decoder(relay=relay)
    pieces = replay.cut(replay.body_of(record), 7, largest=900)
    return [*(event for piece in pieces for event in decoder.feed(piece)), *decoder.finish()]


def folded(events: Sequence[Event]) -> Answer:
    answer = Answer()
    for event in events:
        answer.apply(event)
    return answer


def bill_of(record: Record, answer: Answer) -> Bill:
    usage = Usage() if answer.usage is None else normalise(replay.usage_rule_of(record), answer.usage)
    finish = FinishReason.LENGTH if answer.finish is None else answer.finish
    return Bill(usage=usage, cost=1_500, receipt_id=None, finish=finish, native_finish=answer.native_finish)


def calls_of(record: Record) -> list[tuple[str, Any]]:
    return [(call["name"], call["arguments"]) for call in record["expected"]["tool_calls"]]


def check_calls(record: Record, seen: Seen) -> None:
    """The same calls with the same arguments; those an upstream cut off stay cut off."""
    ours = [(name, replay.parsed(arguments)) for name, arguments in seen.calls.values()]
    if record["expected"].get("truncated_stream"):
        assert [name for name, _ in ours][: len(calls_of(record))] == [name for name, _ in calls_of(record)]
    else:
        assert ours == calls_of(record)
    assert all(seen.ids.values())


@pytest.mark.parametrize("record", OWN, ids=[record["id"] for record in OWN])
def test_an_answer_of_the_same_dialect_is_passed_on(record: Record) -> None:
    events, expected = events_of(record, relay=True), record["expected"]
    bill = bill_of(record, folded(events_of(record)))
    if record["stream"]:
        seen = read(relayed(events, bill), stream=True)
    else:
        seen = read(FRONT.relay(WITH_USAGE, replay.body_of(record), bill), stream=False)
    assert seen.said[0] == expected["text"]
    assert seen.said[2] == (expected["refusal"] or "")
    check_calls(record, seen)
    assert seen.finish == (expected["finish_reason"] or seen.finish)
    assert seen.finish is not None
    assert seen.usage.to_dict()["cost"] == COST
    reported = expected["usage"] or {}
    if expected.get("usage_location") == "chunk.usage" or not record["stream"]:
        assert seen.usage.prompt_tokens == reported["input_tokens"]
        assert seen.usage.completion_tokens == reported["output_tokens"]
    else:
        assert (seen.usage.prompt_tokens, seen.usage.completion_tokens) == (bill.usage.input, bill.usage.output)


@pytest.mark.parametrize("record", ANSWERS, ids=[record["id"] for record in ANSWERS])
def test_an_answer_of_any_dialect_is_written_anew(record: Record) -> None:
    all_events = events_of(record)
    events = [event for event in all_events if not isinstance(event, Failed)]
    answer, expected = folded(all_events), record["expected"]
    bill = bill_of(record, answer)
    body = streamed(events, bill) if record["stream"] else FRONT.write(WITH_USAGE, TOLD, events, bill)
    seen = read(body, stream=record["stream"])
    thought = "".join(thinking.text for thinking in answer.thinking if thinking.redacted is None)
    assert seen.said == (expected["text"] or "", thought, expected["refusal"] or "")
    check_calls(record, seen)
    plain = bill.finish in {FinishReason.STOP, FinishReason.OTHER} and not answer.calls and not answer.refusal
    assert (seen.finish == "stop") == plain
    assert (seen.finish == "length") == (bill.finish in BROKEN_OFF)
    usage = bill.usage
    counts = seen.usage
    assert (counts.prompt_tokens, counts.completion_tokens, counts.total_tokens) == (
        usage.input,
        usage.output,
        usage.total,
    )
    assert counts.prompt_tokens_details.cached_tokens == usage.cache_read
    assert counts.completion_tokens_details.reasoning_tokens == usage.reasoning
    assert counts.to_dict()["cost"] == COST


def test_proofs_of_thought_survive_the_way_there_and_back() -> None:
    signed = [record for record in ANSWERS if "signature" in json.dumps(record["response"]["body"]).lower()]
    kept = 0
    for record in signed:
        events = [event for event in events_of(record) if not isinstance(event, Failed)]
        answer = folded(events)
        told = TOLD.__class__(request_id="req_1", created=1, provider=record["provider"], model="m")
        written = json.loads(FRONT.write(WITH_USAGE, told, events, bill_of(record, answer)))
        body = json.dumps({"messages": [written["choices"][0]["message"]]}).encode()
        parts = FRONT.read(body, NOBODY).request.messages[0].parts
        proofs = [
            (thought.signature, thought.redacted)
            for thought in answer.thinking
            if thought.signature or thought.redacted
        ]
        proofs += [(call.signature, None) for call in answer.calls if call.signature]
        back = [
            (part.signature, getattr(part, "redacted", None))
            for part in parts
            if getattr(part, "signature", None) or getattr(part, "redacted", None)
        ]
        assert back == proofs
        assert {part.origin for part in parts if getattr(part, "signature", None)} <= {record["provider"]}
        kept += len(proofs)
    assert kept > 50
