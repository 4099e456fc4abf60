"""Answers given to a caller of chat completions, and the official SDK as their reader, with no socket between."""

import json
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import httpx2
import openai

from monkey_coder_server.domain.stream_events import Event, FinishReason, Frame
from monkey_coder_server.domain.usage import Usage
from monkey_coder_server.ports.front import Bill, Inbound, Problem, Told
from packages.server.tests.dialects.openai_chat.asking import FRONT, read

TOLD = Told(request_id="req_7", created=1_764_000_000, provider="google", model="gemini-x")
USAGE = Usage(uncached_input=90, cache_read=30, cache_write_5m=5, cache_write_1h=2, output=20, reasoning=4)
PROBLEM = Problem(code="provider_error", status=502, message="It broke.", request_id="req_7", facts={})
WITH_USAGE = read(stream=True, stream_options={"include_usage": True})
WITHOUT = read(stream=True)
ASKED: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


def bill(finish: FinishReason = FinishReason.STOP, *, usage: Usage = USAGE, cost: int = 1_234_000) -> Bill:
    return Bill(usage=usage, cost=cost, receipt_id="rcpt_1", finish=finish)


def chunks(stream: bytes) -> list[dict[str, Any]]:
    """The JSON of each event of a complete stream; every frame is one line of data."""
    lines = stream.decode().removesuffix("\n\n").split("\n\n")
    assert lines[-1] == "data: [DONE]"
    assert all(line.startswith("data: ") and len(line.splitlines()) == 1 for line in lines)
    return [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]


def streamed(events: Sequence[Event], last: Bill, inbound: Inbound = WITH_USAGE) -> bytes:
    """A translated stream, each event on its own."""
    writer = FRONT.writer(inbound, TOLD, relayed=False)
    return b"".join([writer.begin(), *(writer.write([event]) for event in events), writer.end(last)])


def whole(events: Sequence[Event], last: Bill, inbound: Inbound = WITH_USAGE) -> dict[str, Any]:
    """A translated answer that is not streamed."""
    answer: dict[str, Any] = json.loads(FRONT.write(inbound, TOLD, events, last))
    return answer


def relayed(events: Iterable[Event], last: Bill, inbound: Inbound = WITH_USAGE) -> bytes:
    """A relayed stream, each frame on its own."""
    writer = FRONT.writer(inbound, TOLD, relayed=True)
    frames = [event for event in events if isinstance(event, Frame)]
    return b"".join([writer.begin(), *(writer.write([frame]) for frame in frames), writer.end(last)])


_answers: list[httpx2.Response] = []


@cache
def _client() -> openai.OpenAI:
    http_client = httpx2.Client(transport=httpx2.MockTransport(lambda _: _answers[-1]))
    return openai.OpenAI(api_key="k", base_url="http://gateway.test/v1", max_retries=0, http_client=http_client)


def client(status: int, body: bytes, headers: dict[str, str]) -> openai.OpenAI:
    """A client the next request of which is answered so."""
    _answers[:] = [httpx2.Response(status, content=body, headers=headers)]
    return _client()


def read_whole(body: bytes) -> dict[str, Any]:
    """An answer as the official SDK reads it."""
    answered = client(200, body, {"content-type": "application/json"}).chat.completions.create(**ASKED)
    plain: dict[str, Any] = answered.to_dict()
    return plain


def read_stream(body: bytes) -> dict[str, Any]:
    """The completion the official SDK's own accumulator makes of a stream."""
    answering = client(200, body, {"content-type": "text/event-stream; charset=utf-8"})
    with answering.chat.completions.stream(**ASKED) as stream:
        for _ in stream:
            pass
        plain: dict[str, Any] = stream.current_completion_snapshot.to_dict()
    return plain
