"""The gateway over an upstream nobody here wrote: talk, tools, failover, retries, truncation, cuts and latency."""

import itertools
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.aimock.mock import PATHS, aimock
from tests.matrix.drivers import DIALECTS
from tests.matrix.scenarios_tools import WEATHER
from tests.matrix.stage import Gateway, gateway
from tests.matrix.words import Conversation, Options, Returned, Said

pytestmark = [pytest.mark.system, pytest.mark.agents, pytest.mark.xdist_group("aimock")]
UPSTREAM = {
    "chat": "groq/llama-3.3-70b-versatile",
    "responses": "openai/gpt-5.3-codex",
    "messages": "anthropic/claude-haiku-4-5",
    "gemini": "google/gemini-2.5-flash",
}
"""A model that is spoken to in each of the four formats."""
TEXT = "The quick brown fox jumps over the lazy dog, again and again. " * 4
REFUSED = {"error": {"message": "The server is busy.", "type": "overloaded_error"}, "status": 503}
LIMITED = {"error": {"message": "Slow down.", "type": "rate_limit_error"}, "status": 429, "retryAfter": 1}
WRONG = {"error": {"message": "This is not wanted.", "type": "invalid_request_error"}, "status": 400}
CALLS = {"toolCalls": [{"name": "get_weather", "arguments": json.dumps({"city": "Ulm"})}]}
USAGE = {
    **dict.fromkeys(("prompt_tokens", "input_tokens", "promptTokenCount"), 40),
    **dict.fromkeys(("completion_tokens", "output_tokens", "candidatesTokenCount"), 60),
}
"""By every format's name; without it aimock reports no tokens at all in three of them."""
SLOWLY = {"latency": 20, "chunkSize": 10}
FLOWS: Mapping[str, list[dict[str, Any]]] = {
    "plain": [{"response": {"content": TEXT}}],
    "tools": [
        {"match": {"hasToolResult": False}, "response": CALLS},
        {"match": {"hasToolResult": True}, "response": {"content": "Take a hat."}},
    ],
    "busy once": [
        {"match": {"sequenceIndex": 0}, "response": REFUSED},
        {"match": {"sequenceIndex": 1}, "response": {"content": TEXT}},
    ],
    "limited once": [
        {"match": {"sequenceIndex": 0}, "response": LIMITED},
        {"match": {"sequenceIndex": 1}, "response": {"content": TEXT}},
    ],
    "always busy": [{"response": REFUSED}],
    "wrong": [{"response": WRONG}],
    "at the limit": [{"response": {"content": TEXT, "finishReason": "length"}}],
    "truncated": [{"response": {"content": TEXT}, "truncateAfterChunks": 8, **SLOWLY}],
    "disconnected": [{"response": {"content": TEXT}, "disconnectAfterMs": 300, **SLOWLY}],
    "slow": [{"response": {"content": TEXT}, "streamingProfile": {"ttft": 700, "tps": 60}, "chunkSize": 20}],
}
PLACES = list(itertools.product(DIALECTS, UPSTREAM))
each_place = pytest.mark.parametrize(("dialect", "upstream"), PLACES)
each_way = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


def _mark(flow: str, dialect: str, upstream: str, stream: object) -> str:
    return f"[{flow}: {dialect} over {upstream}, {stream}]"


def _fixtures() -> Iterator[dict[str, Any]]:
    for flow, answers in FLOWS.items():
        for (dialect, upstream), stream in itertools.product([*PLACES, ("any", "auto")], (False, True)):
            for answer in answers:
                match = {"userMessage": _mark(flow, dialect, upstream, stream), **answer.get("match", {})}
                told = answer["response"] if "error" in answer["response"] else {**answer["response"], "usage": USAGE}
                yield {**answer, "match": match, "response": told}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("aimock")
    with aimock(folder, _fixtures()) as address:
        (folder / "books").mkdir()
        base_urls = {provider: address + path for provider, path in PATHS.items()}
        with gateway(folder / "books", base_urls) as opened:
            yield opened


def _talk(running: Gateway, flow: str, dialect: str, upstream: str, *, stream: bool) -> Conversation:
    talk = running.drivers[dialect].talk(UPSTREAM[upstream])
    talk.say(_mark(flow, dialect, upstream, stream))
    return talk


def _served(running: Gateway, said: Said, upstream: str, *, attempts: int = 1) -> None:
    row = running.booked(said, UPSTREAM[upstream].partition("/")[0])
    assert row.attempts == attempts
    assert (row.counted.prompt, row.counted.output, row.estimated) == (40, 60, False)
    assert row.price > 0


@each_place
@each_way
def test_an_answer_arrives(running: Gateway, dialect: str, upstream: str, stream: bool) -> None:
    said = _talk(running, "plain", dialect, upstream, stream=stream).ask(stream=stream)
    assert said.text == TEXT
    assert said.finish == running.drivers[dialect].finishes["stop"]
    _served(running, said, upstream)


@each_place
@each_way
@pytest.mark.filterwarnings("ignore:FUNCTION_CALL is not a valid FinishReason")
def test_a_tool_is_called_and_its_result_answered(running: Gateway, dialect: str, upstream: str, stream: bool) -> None:
    talk = _talk(running, "tools", dialect, upstream, stream=stream)
    said = talk.ask(Options(tools=(WEATHER,)), stream=stream)
    assert [(call.name, call.arguments) for call in said.calls] == [("get_weather", {"city": "Ulm"})]
    if upstream != "gemini":  # aimock ends Gemini's calls with a word Google's API does not have
        assert said.finish == running.drivers[dialect].finishes["calls"]
    talk.hand_back([Returned(said.calls[0], "sunny")])
    answer = talk.ask(Options(tools=(WEATHER,)), stream=stream)
    assert answer.text == "Take a hat."
    _served(running, answer, upstream)


@each_place
@each_way
@pytest.mark.parametrize("flow", ["busy once", "limited once"])
def test_one_refusal_is_made_good(running: Gateway, flow: str, dialect: str, upstream: str, stream: bool) -> None:
    said = _talk(running, flow, dialect, upstream, stream=stream).ask(stream=stream)
    assert said.text == TEXT
    _served(running, said, upstream, attempts=2)


@each_way
def test_another_model_answers_where_the_first_is_busy(running: Gateway, stream: bool) -> None:
    talk = running.drivers["chat"].talk("auto")
    talk.say(_mark("busy once", "any", "auto", stream))
    said = talk.ask(stream=stream)
    assert said.text == TEXT
    assert running.row(said.request_id).attempts == 2


@each_place
@each_way
def test_a_provider_that_stays_busy_is_an_error_of_the_server(
    running: Gateway, dialect: str, upstream: str, stream: bool
) -> None:
    with pytest.raises(running.drivers[dialect].errors["provider"][0]):
        _talk(running, "always busy", dialect, upstream, stream=stream).ask(stream=stream)


@each_place
@each_way
def test_a_body_the_provider_finds_wrong_is_the_callers_error(
    running: Gateway, dialect: str, upstream: str, stream: bool
) -> None:
    with pytest.raises(running.drivers[dialect].errors["refused"][0]) as raised:
        _talk(running, "wrong", dialect, upstream, stream=stream).ask(stream=stream)
    assert "This is not wanted." in str(raised.value)


@each_place
@each_way
def test_an_answer_at_its_limit_says_so(running: Gateway, dialect: str, upstream: str, stream: bool) -> None:
    said = _talk(running, "at the limit", dialect, upstream, stream=stream).ask(stream=stream)
    limit = "incomplete" if dialect == upstream == "responses" else running.drivers[dialect].finishes["length"]
    assert (said.text, said.finish) == (TEXT, limit)  # aimock gives no reason, and it is passed on
    _served(running, said, upstream)


@each_place
@pytest.mark.parametrize("flow", ["truncated", "disconnected"])
def test_a_broken_stream_ends_as_if_at_its_limit_and_costs_nothing(
    running: Gateway, flow: str, dialect: str, upstream: str
) -> None:
    said = _talk(running, flow, dialect, upstream, stream=True).ask(stream=True)
    assert said.text
    assert TEXT.startswith(said.text)
    assert said.finish == running.drivers[dialect].finishes["length"]
    row = running.row(said.request_id)
    assert (row.status, row.price) == ("failed", 0)


@each_place
def test_a_slow_stream_arrives_as_it_comes(running: Gateway, dialect: str, upstream: str) -> None:
    started = time.monotonic()
    said = _talk(running, "slow", dialect, upstream, stream=True).ask(stream=True)
    assert said.text == TEXT
    assert said.pieces > 3
    assert time.monotonic() - started > 0.7
    _served(running, said, upstream)
