"""A provider that ignores its token limit: the stream ends early, whole in form, as "length", within what was held."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from monkey_coder_protocol.sse import SseParser
from monkey_coder_server.domain.pricing import PriceRow, Rates
from monkey_coder_server.domain.stream_events import Frame, TextDelta, ThinkingDelta, ToolCallDelta, UsageReported
from monkey_coder_server.domain.usage import ReportedUsage, UsageRule
from monkey_coder_server.features.inference.meter import Meter
from monkey_coder_server.features.inference.tariff import Tariff
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import Answer, Gateway
from packages.server.tests.features.inference.test_relayed_responses import GPT, SPOKEN
from packages.server.tests.features.inference.world import Script

LIMIT = 200
WORDS = "word of a long answer " * 400
"""Eight thousand characters, some two thousand tokens."""


def growing_gemini_stream(text: str, *, output: int, step: int) -> Script:
    """Google reports with each piece what has come so far."""
    script = wires.gemini_stream(text, output=output, step=step)
    told = [min(output, -(-(at + step) // 4)) for at in range(0, len(text), step)]
    if len(text) > output * 4:
        told = [-(-(at + step) // 4) for at in range(0, len(text), step)]
    script.pieces = [
        re.sub(rb'("candidatesTokenCount": )\d+', rb"\g<1>%d" % tokens, piece)
        for piece, tokens in zip(script.pieces, told, strict=True)
    ]
    return script


MODELS = {
    "anthropic/claude-big": wires.anthropic_stream,
    GPT: wires.openai_stream,
    "google/gemini-big": growing_gemini_stream,
}
TARIFF = Tariff(PriceRow(provider="any", model="any", rates=Rates.of(input=1_000_000, output=5_000_000)), 0, "book")

each_model = pytest.mark.parametrize("model", MODELS)
each_step = pytest.mark.parametrize("step", [4, 24, 120])
"""Characters a frame: a token, some, many."""


def gateway_of(model: str, script: Script, **options: Any) -> Gateway:
    gateway = Gateway(**options)
    gateway.wire.play(model.partition("/")[0], script)
    return gateway


def request(dialect: str, model: str) -> tuple[str, dict[str, Any]]:
    said = [{"role": "user", "content": "go on"}]
    common = {"model": model, "stream": True}
    match dialect:
        case "chat":
            return "/v1/chat/completions", {**common, "max_tokens": LIMIT, "messages": said}
        case "completions":
            return "/v1/completions", {**common, "max_tokens": LIMIT, "prompt": "go on"}
        case "messages":
            return "/v1/messages", {**common, "max_tokens": LIMIT, "messages": said}
        case "responses":
            return "/v1/responses", {**common, "max_output_tokens": LIMIT, "input": "go on"}
    path = f"/v1beta/models/{model}:streamGenerateContent?alt=sse"
    contents = [{"role": "user", "parts": [{"text": "go on"}]}]
    return path, {"contents": contents, "generationConfig": {"maxOutputTokens": LIMIT}}


async def ask(gateway: Gateway, dialect: str, model: str) -> Answer:
    path, body = request(dialect, model)
    return await gateway.ask(path, body=json.dumps(body).encode())


def events_of(answer: Answer) -> list[dict[str, Any]]:
    parser = SseParser()
    frames = [*parser.feed(answer.body), *parser.finish()]
    return [json.loads(frame.data) for frame in frames if frame.data != "[DONE]"]


def check_chat(answer: Answer) -> str:
    chunks = events_of(answer)
    finishes = [each["choices"][0]["finish_reason"] for each in chunks if each["choices"]]
    assert finishes[-1] == "length"
    assert set(finishes[:-1]) == {None}
    assert answer.body.endswith(b"data: [DONE]\n\n")
    return "".join(each["choices"][0]["delta"].get("content") or "" for each in chunks if each["choices"])


def check_completions(answer: Answer) -> str:
    choices = [each["choices"][0] for each in events_of(answer) if each["choices"]]
    assert [each["finish_reason"] for each in choices if each["finish_reason"]] == ["length"]
    assert answer.body.endswith(b"data: [DONE]\n\n")
    return "".join(each["text"] for each in choices)


def check_messages(answer: Answer) -> str:
    events = events_of(answer)
    kinds = [each["type"] for each in events if each["type"] != "ping"]
    assert (kinds[0], kinds[1]) == ("message_start", "content_block_start")
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    ending = next(each for each in events if each["type"] == "message_delta")
    assert ending["delta"]["stop_reason"] == "max_tokens"
    assert ending["usage"]["output_tokens"] > 0
    return "".join(each["delta"].get("text", "") for each in events if each["type"] == "content_block_delta")


def check_responses(answer: Answer) -> str:
    events = events_of(answer)
    kinds = [each["type"] for each in events]
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.incomplete"
    for end in ("response.output_text.done", "response.content_part.done", "response.output_item.done"):
        assert kinds.count(end) == 1, kinds
    whole = events[-1]["response"]
    assert (whole["status"], whole["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    assert whole["usage"]["output_tokens"] > 0
    said = "".join(each["delta"] for each in events if each["type"] == "response.output_text.delta")
    assert whole["output"][-1]["content"][0]["text"] == said
    return said


def check_gemini(answer: Answer) -> str:
    records = events_of(answer)
    candidates = [each["candidates"][0] for each in records]
    assert [each["finishReason"] for each in candidates if "finishReason" in each] == ["MAX_TOKENS"]
    assert "finishReason" in candidates[-1]
    assert records[-1]["usageMetadata"]["candidatesTokenCount"] > 0
    return "".join(part.get("text", "") for each in candidates for part in each["content"].get("parts", ()))


CHECKS: dict[str, Callable[[Answer], str]] = {
    "chat": check_chat,
    "completions": check_completions,
    "messages": check_messages,
    "responses": check_responses,
    "gemini": check_gemini,
}
each_dialect = pytest.mark.parametrize("dialect", CHECKS)


@each_step
@each_model
@each_dialect
async def test_a_stream_that_goes_on_for_ever_ends_as_length_with_all_its_closing_events(
    dialect: str, model: str, step: int
) -> None:
    gateway = gateway_of(model, MODELS[model](WORDS, output=LIMIT, step=step))
    answer = await ask(gateway, dialect, model)
    assert (answer.status, answer.complete) == (200, True), answer.body
    said = CHECKS[dialect](answer)
    assert WORDS.startswith(said)
    assert LIMIT * 4 * 0.9 <= len(said) <= LIMIT * 8
    (reply,) = gateway.wire.replies
    assert reply.closed
    assert reply.read_pieces < len(reply.script.pieces)
    await check_books(gateway)


async def check_books(gateway: Gateway) -> None:
    """Charged once, by our own count, within the hold, and it says why."""
    await gateway.settle_down()
    ((settlement, charge),) = gateway.books.settled.values()
    assert (settlement.finish_reason, settlement.usage.estimated) == ("length", True)
    assert [each.outcome for each in settlement.attempts] == ["stopped_at_limit"]
    assert charge.loss <= charge.charged // 10  # a model that writes several tokens a frame is counted for the fewest
    assert not gateway.books.open


async def test_responses_passed_on_from_a_provider_that_speaks_them_end_so_too() -> None:
    gateway = gateway_of(GPT, responses_stream(WORDS, step=24), also={"openai": (SPOKEN,)})
    answer = await ask(gateway, "responses", GPT)
    assert len(check_responses(answer)) < len(WORDS)
    await check_books(gateway)


def responses_stream(text: str, *, step: int) -> Script:
    """A Responses stream that never ends."""
    head = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": "in_progress",
        "model": "gpt-test",
        "output": [],
    }
    item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
    where = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": head},
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {
            "type": "response.content_part.added",
            **where,
            "part": {"type": "output_text", "text": "", "annotations": []},
        },
        *(
            {"type": "response.output_text.delta", **where, "delta": text[at : at + step], "logprobs": []}
            for at in range(0, len(text), step)
        ),
    ]
    numbered = (json.dumps({**event, "sequence_number": number}) for number, event in enumerate(events))
    return Script(
        pieces=[f"event: {json.loads(each)['type']}\ndata: {each}\n\n".encode() for each in numbered], hang=True
    )


@pytest.mark.parametrize("dialect", ["chat", "messages", "responses", "gemini"])
async def test_a_tool_call_that_never_ends_is_cut_and_closed(dialect: str) -> None:
    gateway = gateway_of(GPT, call_without_end())
    answer = await ask(gateway, dialect, GPT)
    assert answer.complete
    events = events_of(answer)
    ending = {
        "chat": lambda: events[-1]["choices"][0]["finish_reason"] == "length",
        "messages": lambda: (
            [each["type"] for each in events][-3:] == ["content_block_stop", "message_delta", "message_stop"]
        ),
        "responses": lambda: events[-1]["type"] == "response.incomplete",
        "gemini": lambda: events[-1]["candidates"][0]["finishReason"] in {"MAX_TOKENS", "MALFORMED_FUNCTION_CALL"},
    }
    assert ending[dialect](), events[-3:]
    await check_books(gateway)


def call_without_end() -> Script:
    pieces = wires.openai_stream("x").pieces[:1]
    opening = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "write", "arguments": '{"text":"'}}
    more = {"index": 0, "function": {"arguments": "and so on "}}
    for delta in ({"tool_calls": [opening]}, *({"tool_calls": [more]} for _ in range(2_000))):
        chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
        choices = [{"index": 0, "delta": delta, "finish_reason": None}]
        pieces.append(b"data: " + json.dumps({**chunk, "choices": choices}).encode() + b"\n\n")
    return Script(pieces=pieces)


@each_model
@each_dialect
async def test_an_answer_of_exactly_its_limit_is_left_alone(dialect: str, model: str) -> None:
    text = WORDS[: LIMIT * 4]
    gateway = gateway_of(model, MODELS[model](text, output=LIMIT, step=4))
    answer = await ask(gateway, dialect, model)
    ((settlement, _),) = gateway.books.settled.values()
    assert (settlement.finish_reason, settlement.usage.estimated) == ("stop", False), answer.body[-500:]
    assert text.encode()[-8:] in answer.body.replace(b'"', b"") or settlement.usage.output == LIMIT


@pytest.mark.parametrize("dialect", ["chat", "responses", "gemini"])
async def test_an_answer_that_is_there_but_for_its_last_word_is_not_counted_twice(dialect: str) -> None:
    """It had come before it was read, the machine being busy: then by its provider's count, and by its text again."""
    script = wires.anthropic_stream(WORDS[: LIMIT * 4], output=LIMIT, step=400)
    script.pieces = [b"".join(script.pieces[:-1]), script.pieces[-1]]
    gateway = gateway_of("anthropic/claude-big", script)
    await ask(gateway, dialect, "anthropic/claude-big")
    ((settlement, _),) = gateway.books.settled.values()
    assert (settlement.usage.output, settlement.usage.estimated) == (LIMIT, False)
    assert [attempt.outcome for attempt in settlement.attempts] == ["served"]


def meter(most: int = 100, *, held: int = 10**12, rule: UsageRule | None = None) -> Meter:
    return Meter(most, held=held, tariff=TARIFF, rule=rule or UsageRule())


def seen(counting: Meter, events: list[Any]) -> int | None:
    """After how many events the meter is over."""
    for number, event in enumerate(events, start=1):
        counting.see(event)
        if counting.over:
            return number
    return None


@pytest.mark.parametrize(
    ("event", "first"),
    [
        (TextDelta("word"), 120),
        (Frame("", 'data"word"', 4), 120),
        (ToolCallDelta(0, "word"), 120),
        (ThinkingDelta("word"), 120),
        (TextDelta("x" * 60), 12),
        (TextDelta("я"), 239),
        (TextDelta("x"), 477),
        (TextDelta(""), None),
        (TextDelta(" " * 64), 45),
    ],
)
def test_what_comes_is_counted_for_the_fewest_tokens_it_can_be(event: Any, first: int | None) -> None:
    assert seen(meter(), [event] * 1_000) == first


def test_a_report_replaces_what_was_counted_before_it() -> None:
    report = UsageReported(ReportedUsage(input_tokens=10, output_tokens=90))
    assert seen(meter(), [report, *[TextDelta("word")] * 50]) == 31
    report = UsageReported(ReportedUsage(input_tokens=10, output_tokens=20))
    assert seen(meter(), [*[TextDelta("word")] * 110, report, *[TextDelta("word")] * 90]) is None


def test_reasoning_that_is_counted_beside_the_output_counts_as_well() -> None:
    report = UsageReported(ReportedUsage(input_tokens=10, output_tokens=10, reasoning_tokens=90))
    assert seen(meter(rule=UsageRule(reasoning_inside_output=False)), [report, *[TextDelta("word")] * 50]) == 21
    assert seen(meter(), [report, *[TextDelta("word")] * 50]) is None


def test_a_report_alone_never_ends_an_answer() -> None:
    assert seen(meter(), [UsageReported(ReportedUsage(input_tokens=10, output_tokens=10_000))]) is None


def test_a_figure_nobody_can_believe_is_passed_over() -> None:
    report = UsageReported(ReportedUsage(input_tokens=10, output_tokens=10**15))
    assert seen(meter(), [report, *[TextDelta("word")] * 100]) is None


def test_a_prompt_that_was_longer_than_reckoned_leaves_less_room_for_the_answer() -> None:
    report = UsageReported(ReportedUsage(input_tokens=900, output_tokens=0))
    assert seen(meter(held=1_000), [report, *[TextDelta("word")] * 100]) == 22
