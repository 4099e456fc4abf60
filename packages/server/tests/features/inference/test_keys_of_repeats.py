"""`Idempotency-Key` in the foreign dialects: the first answer again, as it was, charged once, in every process."""

import asyncio
import contextlib
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from monkey_coder_server.features.inference import first_answers
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import Answer, Caller, Gateway
from packages.server.tests.features.inference.test_repeats import SESSION
from packages.server.tests.features.inference.world import Script

CLAUDE, GPT, GEMINI = "anthropic/claude-big", "openai/gpt-big", "google/gemini-big"
WHOLE: dict[str, Callable[[], Script]] = {CLAUDE: wires.anthropic, GPT: wires.openai, GEMINI: wires.gemini}
STREAMED = {CLAUDE: wires.anthropic_stream, GPT: wires.openai_stream, GEMINI: wires.gemini_stream}
DIALECTS = ("chat", "completions", "messages", "responses", "gemini", "gemini-array")
OF_A_CONNECTION = {
    "request-id",
    "idempotent-replayed",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-accel-buffering",
}

each_model = pytest.mark.parametrize("model", WHOLE)
each_dialect = pytest.mark.parametrize("dialect", DIALECTS)
either_way = pytest.mark.parametrize("stream", [False, True])


def gateway_of(model: str, *, stream: bool) -> Gateway:
    gateway = Gateway()
    gateway.wire.play(model.partition("/")[0], (STREAMED if stream else WHOLE)[model]())
    return gateway


def request(dialect: str, model: str, *, stream: bool, said: str = "hi") -> tuple[str, dict[str, Any]]:
    messages = [{"role": "user", "content": said}]
    body = {"model": model, "stream": stream}
    match dialect:
        case "chat":
            return "/v1/chat/completions", {**body, "messages": messages, "stream_options": {"include_usage": True}}
        case "completions":
            return "/v1/completions", {**body, "prompt": said}
        case "messages":
            return "/v1/messages", {**body, "messages": messages, "max_tokens": 500}
        case "responses":
            return "/v1/responses", {**body, "input": said}
    verb = "streamGenerateContent" if stream else "generateContent"
    query = "" if dialect == "gemini-array" else "?alt=sse"
    return f"/v1beta/models/{model}:{verb}{query}", {"contents": [{"role": "user", "parts": [{"text": said}]}]}


async def ask(
    gateway: Gateway, dialect: str, model: str, *, stream: bool, key: str = "abc", said: str = "hi", **more: Any
) -> Answer:
    path, body = request(dialect, model, stream=stream, said=said)
    headers = {"idempotency-key": key, **more.pop("headers", {})}
    return await gateway.ask(path, body=json.dumps(body).encode(), headers=headers, **more)


def same(first: Answer, again: Answer) -> None:
    assert said(again) == said(first)
    assert again.headers["idempotent-replayed"] == "true"
    told = {name: value for name, value in first.headers.items() if name not in OF_A_CONNECTION}
    assert told.items() <= again.headers.items()


_SEAM = re.compile(
    rb'"}\],"role":"model"},"index":0}\],[^\]]*?"candidates":\[{"content":{"parts":\[{"text":"',
)


def said(answer: Answer) -> bytes:
    """The body; pieces of text that Google's dialect may put into one record or several, in one."""
    return _SEAM.sub(b"", answer.body)


@either_way
@each_model
@each_dialect
async def test_a_repeat_is_given_the_first_answer_and_charged_nothing(
    dialect: str, model: str, *, stream: bool
) -> None:
    gateway = gateway_of(model, stream=stream)
    first = await ask(gateway, dialect, model, stream=stream)
    assert first.status == 200, first.body
    assert "idempotent-replayed" not in first.headers
    balance = gateway.books.balance
    same(first, await ask(gateway, dialect, model, stream=stream))
    assert len(gateway.wire.sent) == len(gateway.books.settled) == 1
    assert gateway.books.balance == balance


@either_way
@each_dialect
async def test_a_repeat_names_the_charge_and_the_receipt_of_the_first(dialect: str, *, stream: bool) -> None:
    gateway = gateway_of(GPT, stream=stream)
    await ask(gateway, dialect, GPT, stream=stream)
    again = await ask(gateway, dialect, GPT, stream=stream)
    ((_, charge),) = gateway.books.settled.values()
    assert again.headers["x-monkey-receipt"] == charge.receipt_id
    assert {"x-monkey-cost", "x-monkey-model", "x-monkey-provider"} <= set(again.headers)


@each_model
@each_dialect
async def test_a_stream_whose_caller_hung_up_is_there_for_its_repeat_from_beginning_to_end(
    dialect: str, model: str
) -> None:
    whole = await ask(gateway_of(model, stream=True), dialect, model, stream=True)
    gateway = gateway_of(model, stream=True)
    cut = await ask(gateway, dialect, model, stream=True, caller=Caller(hang_up_after=2))
    assert not cut.complete
    await gateway.settle_down()
    again = await ask(gateway, dialect, model, stream=True)
    assert again.complete
    assert said(again) == said(whole)
    assert len(gateway.wire.sent) == len(gateway.books.settled) == 1


@each_dialect
async def test_another_body_under_the_same_key_is_refused_in_the_callers_own_dialect(dialect: str) -> None:
    gateway = gateway_of(GPT, stream=False)
    await ask(gateway, dialect, GPT, stream=False)
    refused = await ask(gateway, dialect, GPT, stream=False, said="something else")
    assert refused.status == 422
    assert (
        error_of(dialect, refused)
        == {
            "chat": ("invalid_request_error", "idempotency_conflict"),
            "completions": ("invalid_request_error", "idempotency_conflict"),
            "responses": ("invalid_request_error", "idempotency_conflict"),
            "messages": ("invalid_request_error", None),
            "gemini": ("INVALID_ARGUMENT", "IDEMPOTENCY_CONFLICT"),
            "gemini-array": ("INVALID_ARGUMENT", "IDEMPOTENCY_CONFLICT"),
        }[dialect]
    )
    assert len(gateway.wire.sent) == 1


def error_of(dialect: str, answer: Answer) -> tuple[str, str | None]:
    error = answer.json["error"]
    if dialect.startswith("gemini"):
        return error["status"], error["details"][0]["reason"]
    return error["type"], error.get("code")


@each_dialect
async def test_while_the_first_is_being_served_a_repeat_is_told_when_to_come_back(dialect: str) -> None:
    gateway = gateway_of(GPT, stream=False)
    script = wires.openai()
    script.delay = 0.1
    gateway.wire.play("openai", script)
    first = asyncio.create_task(ask(gateway, dialect, GPT, stream=False))
    await asyncio.sleep(0.02)
    second = await ask(gateway, dialect, GPT, stream=False)
    assert (second.status, second.headers["retry-after"]) == (409, "1")
    assert "x-should-retry" not in second.headers
    assert (await first).status == 200
    assert (await ask(gateway, dialect, GPT, stream=False)).body == first.result().body


async def test_the_stream_of_one_dialect_is_another_request_than_the_whole_answer_or_another_dialect() -> None:
    gateway = gateway_of(GPT, stream=False)
    await ask(gateway, "chat", GPT, stream=False)
    assert (await ask(gateway, "chat", GPT, stream=True)).status == 422
    assert (await ask(gateway, "completions", GPT, stream=False)).status == 422
    await ask(gateway, "gemini", GPT, stream=False, key="other")
    for dialect, stream in (("gemini", True), ("gemini-array", False)):
        assert (await ask(gateway, dialect, GPT, stream=stream, key="other")).status == 422
    assert len(gateway.wire.sent) == 2


@each_dialect
async def test_one_answer_of_several_is_another_request_than_a_single_one(dialect: str) -> None:
    gateway = gateway_of(GPT, stream=False)
    several = {"x-mk-collapse": "single"}
    assert (await ask(gateway, dialect, GPT, stream=False, headers=several)).status == 200
    assert (await ask(gateway, dialect, GPT, stream=False)).status == 422
    again = await ask(gateway, dialect, GPT, stream=False, headers=several)
    assert again.headers["idempotent-replayed"] == "true"


async def test_the_order_of_fields_and_another_path_of_the_same_endpoint_make_no_other_request() -> None:
    gateway = gateway_of(GPT, stream=False)
    _, body = request("chat", GPT, stream=False)
    headers = {"idempotency-key": "abc"}
    await gateway.ask("/v1/chat/completions", body=json.dumps(body).encode(), headers=headers)
    turned = dict(reversed(body.items()))
    answer = await gateway.ask("/openai/v1/chat/completions", body=json.dumps(turned).encode(), headers=headers)
    assert answer.headers["idempotent-replayed"] == "true"


async def test_after_a_failure_the_same_key_may_try_again() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.error(400), wires.openai())
    assert (await ask(gateway, "chat", GPT, stream=False)).status == 400
    assert (await ask(gateway, "chat", GPT, stream=False)).status == 200


async def test_a_stream_that_was_cut_by_its_provider_is_nobodys_first_answer() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", Script(pieces=wires.openai_stream().pieces[:4]), wires.openai_stream())
    await ask(gateway, "chat", GPT, stream=True)
    assert not gateway.books.settled
    again = await ask(gateway, "chat", GPT, stream=True)
    assert again.body.endswith(b"[DONE]\n\n")
    assert "idempotent-replayed" not in again.headers


async def test_what_was_answered_is_answered_again_though_it_could_not_be_asked_any_more() -> None:
    gateway = gateway_of(GPT, stream=False)
    first = await ask(gateway, "chat", GPT, stream=False)
    gateway.allow("anthropic/claude-big")
    same(first, await ask(gateway, "chat", GPT, stream=False))
    assert (await ask(gateway, "chat", GPT, stream=False, key="new")).status == 403


async def test_without_a_key_nothing_is_kept_and_every_request_is_its_own() -> None:
    gateway = gateway_of(GPT, stream=False)
    path, body = request("chat", GPT, stream=False)
    for _ in range(2):
        await gateway.ask(path, body=json.dumps(body).encode())
    assert len(gateway.books.settled) == 2
    assert not gateway.books.bodies


async def test_two_keys_in_one_session_are_two_requests() -> None:
    gateway = gateway_of(GPT, stream=False)
    for key in ("one", "two"):
        answer = await ask(gateway, "chat", GPT, stream=False, key=key, headers=SESSION)
        assert "idempotent-replayed" not in answer.headers
    assert len(gateway.books.settled) == 2


async def test_a_repeat_within_a_session_joins_the_first_while_it_is_being_served() -> None:
    gateway = gateway_of(GPT, stream=True)
    gateway.wire.scripts["openai"][0].gap = 0.005
    first = asyncio.create_task(ask(gateway, "chat", GPT, stream=True, headers=SESSION))
    await asyncio.sleep(0.02)
    second = await ask(gateway, "chat", GPT, stream=True, headers=SESSION)
    assert (second.status, second.headers["idempotent-replayed"]) == (200, "true")
    assert b"[DONE]" in second.body
    assert (await first).status == 200
    assert len(gateway.books.settled) == 1


@either_way
async def test_an_answer_beyond_the_bound_is_charged_once_and_not_served_again(
    monkeypatch: pytest.MonkeyPatch, *, stream: bool
) -> None:
    monkeypatch.setattr(first_answers, "MOST_KEPT", 100)
    gateway = gateway_of(GPT, stream=stream)
    first = await ask(gateway, "chat", GPT, stream=stream)
    assert (first.status, first.complete) == (200, True)
    again = await ask(gateway, "chat", GPT, stream=stream)
    assert (again.status, error_of("chat", again)[1]) == (422, "idempotency_conflict")
    assert "not kept" in again.json["error"]["message"]
    assert len(gateway.wire.sent) == len(gateway.books.settled) == 1


async def test_what_is_kept_of_a_long_stream_is_a_fraction_of_it() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.openai_stream("a word or two " * 2_000, step=5))
    first = await ask(gateway, "chat", GPT, stream=True)
    (kept,) = gateway.books.bodies.values()
    assert len(kept) < len(first.body) // 20


@pytest.mark.parametrize("key", ["", "x" * 201, "a\x07b"])
async def test_a_key_that_is_none_is_refused(key: str) -> None:
    gateway = gateway_of(GPT, stream=False)
    refused = await ask(gateway, "chat", GPT, stream=False, key=key)
    assert (refused.status, "Idempotency-Key" in refused.json["error"]["message"]) == (400, True)


@pytest.mark.parametrize("path", ["/v1/execute", "/v1/execute/stream"])
async def test_a_native_task_whose_process_died_after_the_charge_is_not_served_twice(path: str) -> None:
    gateway = gateway_of(GPT, stream=False)
    await gateway.ask(model=GPT, task_id="task-7")
    (name,) = gateway.books.bodies
    gateway.books.bodies[name] = b""
    again = await gateway.ask(path, model=GPT, task_id="task-7")
    assert (again.status, again.json["error_code"]) == (422, "idempotency_conflict")
    assert len(gateway.wire.sent) == 1


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/embeddings", {"model": "openai/embed-small", "input": "hi"}),
        ("/v1/moderations", {"model": "judge", "input": "hi"}),
        ("/v1beta/models/embed-gem:embedContent", {"content": {"parts": [{"text": "hi"}]}}),
    ],
)
async def test_vectors_and_verdicts_are_given_again_too(path: str, body: dict[str, Any]) -> None:
    gateway = Gateway()
    vectors = {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}], "model": "m"}
    vectors["usage"] = {"prompt_tokens": 3, "total_tokens": 3}
    verdicts = {"id": "modr_1", "model": "m", "results": [{"flagged": False, "categories": {}, "category_scores": {}}]}
    gateway.wire.play("openai", Script(pieces=[json.dumps(verdicts if "moder" in path else vectors).encode()]))
    gateway.wire.play("google", Script(pieces=[b'{"embedding": {"values": [0.5]}}']))
    headers = {"idempotency-key": "abc"}
    first = await gateway.ask(path, body=json.dumps(body).encode(), headers=headers)
    assert first.status == 200, first.body
    same(first, await gateway.ask(path, body=json.dumps(body).encode(), headers=headers))
    assert len(gateway.wire.sent) == 1


@pytest.mark.parametrize("stopping", ["caller", "process"])
async def test_whoever_leaves_at_whatever_step_the_key_is_free_or_has_the_whole_answer(stopping: str) -> None:
    for steps in range(0, 60, 2):
        gateway = gateway_of(GPT, stream=True)
        asking = asyncio.create_task(ask(gateway, "chat", GPT, stream=True))
        for _ in range(steps):
            await asyncio.sleep(0)
        if stopping == "caller":
            asking.cancel()
        for task in asyncio.all_tasks() if stopping == "process" else ():
            if "_carry" in repr(task.get_coro()):
                task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asking
        await gateway.settle_down()
        assert not gateway.books.open
        assert bool(gateway.books.claims) == bool(gateway.books.settled)
        again = await ask(gateway, "chat", GPT, stream=True)
        assert (again.status, again.body.endswith(b"[DONE]\n\n")) == (200, True)
        assert len(gateway.books.settled) == 1
        assert not gateway.notes.defects
