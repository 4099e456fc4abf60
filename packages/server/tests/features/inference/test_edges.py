"""What seldom happens: refusals, filters, thoughts, defects, a slow disk, forgotten requests."""

import asyncio
import json

import pytest

from monkey_coder_server.domain.errors import NotFound
from monkey_coder_server.features.inference import outcomes
from monkey_coder_server.features.inference.pipeline import PipelineSettings
from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import Answer, Gateway
from packages.server.tests.features.inference.world import Script

MODEL = "openai/gpt-big"


async def test_a_defect_of_ours_is_counted_told_as_internal_and_not_charged() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.openai())

    def break_down() -> None:
        raise ZeroDivisionError

    gateway.wire.before_send = break_down
    answer = await gateway.ask(model=MODEL)
    assert (answer.status, answer.json["error_code"]) == (500, "internal")
    assert [type(defect) for defect in gateway.notes.defects] == [ZeroDivisionError]
    assert len(gateway.books.voided) == 1


@pytest.mark.parametrize("asked", ["ask", "stream"])
async def test_while_the_hold_is_not_on_disk_no_provider_is_called(asked: str) -> None:
    gateway = Gateway(pipeline=PipelineSettings(durable=0.02))
    gateway.books.durable_delay, gateway.books.kept_at_once = 1.0, False
    gateway.wire.play("openai", wires.openai())
    answer = await getattr(gateway, asked)(model=MODEL)
    assert (answer.status, answer.json["error_code"]) == (503, "unavailable")
    assert not gateway.wire.sent
    (failed,) = gateway.books.voided.values()
    assert (failed.attempts, failed.provider_cost) == ((), 0)


async def test_while_the_hold_is_not_on_disk_no_byte_leaves_even_where_the_call_did_not_wait_for_it() -> None:
    gateway = Gateway(pipeline=PipelineSettings(durable=0.02))
    gateway.books.durable_delay = 1.0
    gateway.wire.play("openai", wires.openai_stream())
    answer = await gateway.stream(model=MODEL)
    assert (answer.status, answer.json["error_code"]) == (503, "unavailable")
    assert len(gateway.books.voided) == 1
    assert gateway.wire.replies[0].closed


async def test_a_hold_the_ledger_lost_before_it_was_on_disk_is_unavailable_and_not_charged() -> None:
    gateway = Gateway()
    gateway.books.fail.append(NotFound("Nothing was held."))
    gateway.wire.play("openai", wires.openai())
    answer = await gateway.ask(model=MODEL)
    assert (answer.status, answer.json["error_code"]) == (503, "unavailable")
    assert not gateway.books.settled


async def test_an_answer_the_filter_kept_is_not_charged_and_not_asked_of_others() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.openai("", finish="content_filter"))
    answer = await gateway.ask(model_preferences={"openai": "gpt-big"})
    assert answer.status == 502
    assert "content filter" in answer.json["message"]
    (failed,) = gateway.books.voided.values()
    assert failed.provider_cost == 100 * 10_000 + 20 * 30_000
    assert len(gateway.wire.sent) == 1


@pytest.mark.parametrize("finish", ["content_filter", "stop"])
async def test_a_stream_that_ends_after_thoughts_without_a_word_is_not_charged(finish: str) -> None:
    gateway = Gateway()
    script = wires.openai_stream("think", step=5, finish=finish)
    script.pieces[1] = script.pieces[1].replace(b'"content"', b'"reasoning_content"')
    gateway.wire.play("openai", script)
    answer = await gateway.stream(model=MODEL)
    assert answer.frames[-1]["error"]["code"] == "provider_error"
    assert not gateway.books.settled
    (failed,) = gateway.books.voided.values()
    assert failed.provider_cost == 100 * 10_000 + 20 * 30_000


async def test_a_stream_of_nothing_but_sources_is_tried_elsewhere_and_not_charged() -> None:
    gateway = Gateway()
    script = wires.openai_stream("", finish="stop")
    done = script.pieces[1].replace(b'"choices"', b'"citations": ["https://example.com"], "choices"')
    gateway.wire.play("openai", Script(pieces=[b"".join([script.pieces[0], done, *script.pieces[2:]])]))
    gateway.wire.play("anthropic", wires.anthropic_stream("done"))
    gateway.wire.play("google", wires.gemini_stream("done"))
    answer = await gateway.stream(model_preferences={"openai": "gpt-big"})
    assert answer.text == "done"
    settlement, _ = next(iter(gateway.books.settled.values()))
    assert settlement.elsewhere == {"openai": 100 * 10_000 + 20 * 30_000}


async def test_a_refusal_in_the_models_own_words_is_an_answer() -> None:
    gateway = Gateway()
    script = wires.openai("x")
    body = json.loads(script.pieces[0])
    body["choices"][0]["message"] = {"role": "assistant", "content": None, "refusal": "I would rather not."}
    gateway.wire.play("openai", Script(pieces=[json.dumps(body).encode()]))
    answer = await gateway.ask(model=MODEL)
    assert answer.json["result"]["result"] == "I would rather not."
    assert answer.json["result"]["metadata"]["refused"] is True


async def test_thinking_is_told_as_progress_and_kept_out_of_the_text() -> None:
    gateway = Gateway()
    pieces = wires.anthropic_stream("done").pieces
    thought = [
        {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hmm"}},
        {"type": "content_block_stop", "index": 0},
    ]
    frames = [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in thought]
    rest = [piece.replace(b'"index": 0', b'"index": 1') for piece in pieces[1:]]
    gateway.wire.play("anthropic", Script(pieces=[pieces[0], *frames, *rest], gap=0.002))
    answer = await gateway.stream(model="anthropic/claude-big")
    steps = [frame["progress"]["step"] for frame in answer.frames if frame["type"] == "progress"]
    assert steps == ["answering", "thinking"]
    assert answer.text == "done"
    assert answer.frames[-1]["data"]["result"]["result"] == "done"


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("```python path=../../etc/passwd\nx\n```", "refused_files", "../../etc/passwd"),
        ("```python path=app.py\nx = 1\n", "unfinished_file", "app.py"),
    ],
)
async def test_files_that_were_refused_or_cut_are_named(text: str, key: str, value: str) -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.openai(text))
    told = (await gateway.ask(model=MODEL)).json["result"]["metadata"][key]
    assert value in json.dumps(told)


async def test_feedback_on_a_request_this_process_has_forgotten_is_looked_up_in_the_books(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outcomes, "REMEMBERED", 1)
    gateway = Gateway()
    gateway.wire.play("openai", wires.openai())
    first = (await gateway.ask(model=MODEL)).json["execution_id"]
    await gateway.ask(model="openai/gpt-small")
    body = json.dumps({"request_id": first, "outcome": "accepted"}).encode()
    answer: Answer = await gateway.ask("/v1/feedback", body=body)
    assert answer.json["model"] == MODEL


async def test_equal_requests_of_a_moment_share_one_ranking_until_a_breaker_moves() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.openai())
    gateway.wire.play("anthropic", wires.anthropic())
    gateway.wire.play("google", wires.gemini())
    wish = {"openai": "gpt-big"}
    assert (await gateway.ask(model_preferences=wish)).headers["x-monkey-provider"] == "openai"
    gateway.wire.play("openai", wires.error(500))
    for _ in range(3):
        await gateway.ask(model_preferences=wish)
    before = len(gateway.wire.sent)
    await gateway.ask(model_preferences=wish)
    assert gateway.wire.sent[before][0] != "openai"


async def test_many_at_once_are_all_served_and_all_settled() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.openai_stream())
    answers = await asyncio.gather(*(gateway.stream(model=MODEL, context={"max_tokens": 50}) for _ in range(40)))
    assert all(answer.text == wires.TEXT for answer in answers)
    assert len(gateway.books.settled) == 40
    assert not gateway.books.open


@pytest.mark.parametrize("path", ["/v1/execute", "/v1/execute/stream"])
async def test_an_answer_that_cannot_be_booked_gives_its_hold_back(path: str) -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.openai_stream() if path.endswith("stream") else wires.openai())
    gateway.books.fail.append(ZeroDivisionError("a defect of ours in the books or in writing the body"))
    answer = await gateway.ask(path, model=MODEL, task_id="task-7")
    assert b'"internal"' in answer.body
    assert not gateway.books.open
    (failed,) = gateway.books.voided.values()
    assert failed.provider_cost == 100 * 10_000 + 20 * 30_000
    assert [type(defect) for defect in gateway.notes.defects] == [ZeroDivisionError]
    assert (await gateway.ask(path, model=MODEL, task_id="task-7")).status == 200
