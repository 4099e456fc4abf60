"""A client's own retry gets the first answer: one call to a provider, one charge; nobody else ever shares it."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from monkey_coder_server.domain.errors import FailureKind
from monkey_coder_server.features.inference.pipeline import PipelineSettings
from monkey_coder_server.ports.provider import CancelPolicy
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import Answer, Caller, Gateway
from packages.server.tests.features.inference.world import Script

CLAUDE, GPT, GEMINI = "anthropic/claude-big", "openai/gpt-big", "google/gemini-big"
WHOLE: dict[str, Callable[[], Script]] = {CLAUDE: wires.anthropic, GPT: wires.openai, GEMINI: wires.gemini}
STREAMED: dict[str, Callable[[], Script]] = {
    CLAUDE: wires.anthropic_stream,
    GPT: wires.openai_stream,
    GEMINI: wires.gemini_stream,
}
SESSION = {"x-claude-code-session-id": "ses_1"}
CHAT, MESSAGES, RESPONSES = "/v1/chat/completions", "/v1/messages", "/v1/responses"

each_model = pytest.mark.parametrize("model", STREAMED)
each_path = pytest.mark.parametrize("path", [CHAT, MESSAGES, RESPONSES, "gemini"])


class Client:
    """Sends one request again and again."""

    def __init__(self, gateway: Gateway, model: str, path: str = CHAT) -> None:
        self.gateway, self.model, self.path = gateway, model, path
        self.headers = dict(SESSION)

    async def ask(self, *, stream: bool, caller: Caller | None = None, retry: bool = False, **fields: Any) -> Answer:
        path, said = self.path, [{"role": "user", "content": "hi"}]
        body: dict[str, Any] = {"model": self.model, "max_tokens": 5_000, "messages": said, "stream": stream, **fields}
        if path == RESPONSES:
            body = {"model": self.model, "input": "hi", "stream": stream, **fields}
        elif path == "gemini":
            body = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}], **fields}
            verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
            path = f"/v1beta/models/{self.model}:{verb}"
        headers = {**self.headers, **({"x-stainless-retry-count": "1"} if retry else {})}
        return await self.gateway.ask(path, body=json.dumps(body).encode(), headers=headers, caller=caller)

    @property
    def calls(self) -> int:
        return len(self.gateway.wire.sent)

    @property
    def charges(self) -> int:
        return len(self.gateway.books.settled)


def client(model: str, *scripts: Script, path: str = CHAT, gap: float = 0.0, **options: Any) -> Client:
    gateway = Gateway(**options)
    for script in scripts:
        script.gap = gap
    gateway.wire.play(model.partition("/")[0], *scripts)
    return Client(gateway, model, path)


def text(answer: Answer) -> str:
    """What the model said, in any dialect, whole or streamed."""
    if answer.headers["content-type"].startswith("application/json"):
        return _said(answer.json)
    events = (line[6:] for line in answer.body.decode().split("\n") if line.startswith("data: {"))
    return "".join(_said_piece(json.loads(event)) for event in events)


def _said(body: dict[str, Any]) -> str:
    if "choices" in body:
        return str(body["choices"][0]["message"]["content"])
    if "candidates" in body:
        return _said_piece(body)
    if "output" in body:
        return "".join(part["text"] for item in body["output"] for part in item.get("content", ()))
    return "".join(block.get("text", "") for block in body["content"])


def _said_piece(event: dict[str, Any]) -> str:
    if "candidates" in event:
        return "".join(part.get("text", "") for part in event["candidates"][0]["content"].get("parts", ()))
    if "choices" in event:
        return "".join(choice.get("delta", {}).get("content") or "" for choice in event["choices"])
    if event.get("type") == "response.output_text.delta":
        return str(event["delta"])
    return str(event["delta"].get("text", "")) if event.get("type") == "content_block_delta" else ""


ENDS = (b"[DONE]", b"message_stop", b"response.completed", b'"finishReason"')


def ended(answer: Answer) -> bool:
    return any(end in answer.body for end in ENDS)


def cost(body: dict[str, Any]) -> float:
    found: float = (body.get("usage") or body["usageMetadata"])["cost"]
    return found


@each_model
@each_path
async def test_a_stream_that_was_cut_is_given_again_from_its_beginning(model: str, path: str) -> None:
    calling = client(model, STREAMED[model](), path=path, gap=0.002)
    cut = await calling.ask(stream=True, caller=Caller(hang_up_after=3))
    assert not ended(cut)
    again = await calling.ask(stream=True)
    assert (text(again), ended(again), again.complete) == (wires.TEXT, True, True)
    assert again.headers["idempotent-replayed"] == "true"
    assert (calling.calls, calling.charges) == (1, 1)


@each_model
@each_path
async def test_a_cut_stream_that_is_over_by_then_is_given_again_too(model: str, path: str) -> None:
    calling = client(model, STREAMED[model](), path=path)
    await calling.ask(stream=True, caller=Caller(hang_up_after=2))
    await calling.gateway.settle_down()
    again = await calling.ask(stream=True)
    assert (text(again), ended(again)) == (wires.TEXT, True)
    assert (calling.calls, calling.charges) == (1, 1)


@each_model
@each_path
async def test_a_client_that_falls_back_to_a_whole_answer_gets_what_was_streamed(model: str, path: str) -> None:
    calling = client(model, STREAMED[model](), path=path, gap=0.002)
    await calling.ask(stream=True, caller=Caller(hang_up_after=3))
    whole = await calling.ask(stream=False)
    assert whole.status == 200, whole.body
    assert text(whole) == wires.TEXT
    ((settlement, charge),) = calling.gateway.books.settled.values()
    assert cost(whole.json) == charge.charged / 1e9
    assert whole.headers["x-monkey-receipt"] == charge.receipt_id
    assert settlement.client_gone
    assert (calling.calls, calling.charges) == (1, 1)


@each_model
async def test_a_fallback_after_a_whole_stream_is_the_same_answer(model: str) -> None:
    calling = client(model, STREAMED[model](), path=MESSAGES)
    assert ended(await calling.ask(stream=True))
    whole = await calling.ask(stream=False)
    assert text(whole) == wires.TEXT
    assert (calling.calls, calling.charges) == (1, 1)


@pytest.mark.parametrize("stream", [False, True])
async def test_what_the_client_itself_calls_a_retry_is_one(stream: bool) -> None:
    calling = client(GPT, STREAMED[GPT]() if stream else WHOLE[GPT]())
    first = await calling.ask(stream=stream)
    again = await calling.ask(stream=stream, retry=True)
    assert text(again) == text(first) == wires.TEXT
    assert (calling.calls, calling.charges) == (1, 1)


@pytest.mark.parametrize("stream", [False, True])
async def test_an_agent_that_asks_the_same_again_gets_a_new_answer(stream: bool) -> None:
    calling = client(GPT, STREAMED[GPT]() if stream else WHOLE[GPT]())
    await calling.ask(stream=stream)
    again = await calling.ask(stream=stream)
    assert "idempotent-replayed" not in again.headers
    assert (calling.calls, calling.charges) == (2, 2)


@pytest.mark.parametrize(("first", "second"), [(True, True), (True, False), (False, True), (False, False)])
@each_model
async def test_two_at_once_share_one_answer(model: str, first: bool, second: bool) -> None:
    script = STREAMED[model]() if first else WHOLE[model]()
    script.delay = 0.02
    calling = client(model, script, gap=0.002)
    answers = await asyncio.gather(calling.ask(stream=first), calling.ask(stream=second))
    assert [text(answer) for answer in answers] == [wires.TEXT] * 2
    assert [answer.complete for answer in answers] == [True, True]
    assert (calling.calls, calling.charges) == (1, 1)


Change = Callable[[Client], Any]


def _another_key(one: Client) -> None:
    one.gateway.key = replace(one.gateway.key, key_id="key_2")


def _another_path(one: Client) -> None:
    one.path = MESSAGES


def _another_model(one: Client) -> None:
    one.model = CLAUDE


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        (_another_key, {}),
        (_another_path, {}),
        (_another_model, {}),
        (lambda one: one.headers.update({"x-claude-code-session-id": "ses_2"}), {}),
        (lambda one: one.headers.clear(), {}),
        (lambda one: one.headers, {"temperature": 0.5}),
        (lambda one: one.headers, {"messages": [{"role": "user", "content": "ho"}]}),
    ],
    ids=["key", "dialect", "model", "session", "no session", "parameter", "words"],
)
async def test_whatever_differs_is_asked_and_charged_apart(change: Change, fields: dict[str, Any]) -> None:
    calling = client(GPT, STREAMED[GPT](), gap=0.002)
    calling.gateway.wire.play("anthropic", STREAMED[CLAUDE]())
    cut = asyncio.create_task(calling.ask(stream=True, caller=Caller(hang_up_after=3)))
    await cut
    change(calling)
    assert text(await calling.ask(stream=True, **fields)) == wires.TEXT
    await calling.gateway.settle_down()
    assert (calling.calls, calling.charges) == (2, 2)


async def test_without_a_session_two_at_once_are_two() -> None:
    calling = client(GPT, STREAMED[GPT]())
    calling.headers.clear()
    await asyncio.gather(calling.ask(stream=True), calling.ask(stream=True))
    assert (calling.calls, calling.charges) == (2, 2)


@pytest.mark.parametrize("name", ["session-id", "x-session-affinity", "x-session-id", "thread-id"])
async def test_every_agents_way_to_name_its_session_counts(name: str) -> None:
    calling = client(GPT, STREAMED[GPT](), gap=0.002)
    calling.headers = {name: "ses_1"}
    await calling.ask(stream=True, caller=Caller(hang_up_after=3))
    await calling.ask(stream=True)
    assert calling.calls == 1


async def test_a_prompt_cache_key_names_a_session_too() -> None:
    calling = client(GPT, STREAMED[GPT](), gap=0.002)
    calling.headers.clear()
    await calling.ask(stream=True, caller=Caller(hang_up_after=3), prompt_cache_key="ses_1")
    await calling.ask(stream=True, prompt_cache_key="ses_1")
    assert calling.calls == 1


async def test_what_failed_is_asked_anew() -> None:
    failed = Script(before=FailureKind.CONNECTION)
    calling = client(GPT, failed, failed, failed, STREAMED[GPT]())
    assert (await calling.ask(stream=True)).status == 502
    assert text(await calling.ask(stream=True, retry=True)) == wires.TEXT
    assert (calling.calls, calling.charges) == (4, 1)


async def test_a_stream_that_broke_off_at_the_provider_is_asked_anew() -> None:
    half = STREAMED[GPT]()
    calling = client(GPT, Script(pieces=half.pieces[:4], fails=FailureKind.CONNECTION), STREAMED[GPT]())
    broken = await calling.ask(stream=True)
    assert text(broken) != wires.TEXT
    assert text(await calling.ask(stream=True, retry=True)) == wires.TEXT
    assert (calling.calls, calling.charges) == (2, 1)


async def test_both_hear_of_a_failure() -> None:
    calling = client(GPT, Script(before=FailureKind.INVALID_REQUEST, delay=0.01))
    answers = await asyncio.gather(calling.ask(stream=True), calling.ask(stream=False))
    assert [answer.status for answer in answers] == [400, 400]
    assert calling.calls == 1


async def test_a_dead_first_connection_does_not_hold_up_the_second() -> None:
    calling = client(GPT, wires.openai_stream("word " * 2_000, step=5), pipeline=PipelineSettings(stall=30.0))
    dead = Caller()
    blocked = asyncio.Event()

    async def block(_message: object) -> None:
        blocked.set()
        await asyncio.sleep(3_600)

    dead.send = block  # type: ignore[method-assign] - a peer that reads nothing any more
    first = asyncio.create_task(calling.ask(stream=True, caller=dead))
    await blocked.wait()
    async with asyncio.timeout(5):
        assert text(await calling.ask(stream=True)) == "word " * 2_000
    first.cancel()
    assert (calling.calls, calling.charges) == (1, 1)


async def test_who_comes_back_gets_all_the_time_there_was() -> None:
    """The drain would have ended long before the answer does."""
    calling = client(GPT, STREAMED[GPT](), gap=0.03, pipeline=PipelineSettings(drain=0.05))
    await calling.ask(stream=True, caller=Caller(hang_up_after=2))
    again = await calling.ask(stream=True)
    assert (text(again), ended(again)) == (wires.TEXT, True)
    ((settlement, _),) = calling.gateway.books.settled.values()
    assert not settlement.usage.estimated


async def test_when_everybody_has_left_the_drain_counts_again() -> None:
    script = STREAMED[GPT]()
    hanging = Script(pieces=script.pieces[:6], gap=0.005, hang=True)
    gateway = Gateway(pipeline=PipelineSettings(drain=0.05))
    gateway.wire.play("openai", hanging)
    calling = Client(gateway, GPT)
    await calling.ask(stream=True, caller=Caller(hang_up_after=2))
    await calling.ask(stream=True, caller=Caller(hang_up_after=2))
    async with asyncio.timeout(2):
        while gateway.books.open:  # noqa: ASYNC110 - the books have no event to wait for
            await asyncio.sleep(0.01)
    ((settlement, _),) = gateway.books.settled.values()
    assert settlement.usage.estimated
    gateway.wire.play("openai", STREAMED[GPT]())
    assert text(await calling.ask(stream=True)) == wires.TEXT
    assert calling.calls == 2, "what stayed unfinished is nobody's answer"


async def test_a_provider_that_is_cancelled_stops_only_when_nobody_waits() -> None:
    calling = client(GPT, STREAMED[GPT](), gap=0.01, policy=CancelPolicy.CANCEL)
    answers = await asyncio.gather(
        calling.ask(stream=True, caller=Caller(hang_up_after=4)), calling.ask(stream=True), return_exceptions=True
    )
    assert isinstance(answers[1], Answer)
    assert (text(answers[1]), calling.calls, calling.charges) == (wires.TEXT, 1, 1)
