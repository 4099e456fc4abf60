"""The same task sent twice is served once, charged once, and answered the same, whole or as a stream."""

import asyncio

import pytest

from packages.server.tests.features.inference import wires
from packages.server.tests.features.inference.gateway import Gateway

MODEL = "openai/gpt-big"


def gateway_that_answers() -> Gateway:
    gateway = Gateway()
    gateway.wire.play("openai", wires.openai())
    return gateway


async def test_a_repeat_returns_the_first_result_and_charges_nothing() -> None:
    gateway = gateway_that_answers()
    first = await gateway.ask(model=MODEL, task_id="task-7")
    balance = gateway.books.balance
    again = await gateway.ask(model=MODEL, task_id="task-7")
    assert again.body == first.body
    assert again.json["task_id"] == "task-7"
    assert again.headers["idempotent-replayed"] == "true"
    for header in ("x-monkey-cost", "x-monkey-receipt", "x-monkey-model", "x-monkey-provider"):
        assert again.headers[header] == first.headers[header]
    assert len(gateway.wire.sent) == 1
    assert gateway.books.balance == balance


async def test_a_repeat_may_ask_for_a_stream() -> None:
    gateway = gateway_that_answers()
    first = await gateway.ask(model=MODEL, task_id="task-7")
    again = await gateway.stream(model=MODEL, task_id="task-7")
    assert [frame["type"] for frame in again.frames] == ["start", "delta", "complete"]
    assert again.text == wires.TEXT
    assert again.frames[-1]["data"] == first.json
    assert again.headers["idempotent-replayed"] == "true"
    assert len(gateway.wire.sent) == 1


async def test_a_repeated_stream_begins_with_the_ids_it_ends_with() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.openai_stream())
    headers = {"idempotency-key": "abc"}
    first = await gateway.stream(model=MODEL, headers=headers)
    again = await gateway.stream(model=MODEL, headers=headers)
    assert again.frames[0] == first.frames[0]
    for name in ("execution_id", "task_id"):
        assert again.frames[0]["data"][name] == again.frames[-1]["data"][name]


async def test_a_streamed_answer_is_replayed_whole() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.openai_stream())
    first = await gateway.stream(model=MODEL, task_id="task-7")
    again = await gateway.ask(model=MODEL, task_id="task-7")
    assert again.json == first.frames[-1]["data"]


async def test_the_header_is_a_key_as_well() -> None:
    gateway = gateway_that_answers()
    first = await gateway.ask(model=MODEL, headers={"idempotency-key": "abc"})
    again = await gateway.ask(model=MODEL, headers={"idempotency-key": "abc"})
    assert again.body == first.body
    assert len(gateway.wire.sent) == 1


@pytest.mark.parametrize("headers", [{}, {"idempotency-key": "task-7"}, {"idempotency-key": "of-this-attempt"}])
async def test_a_task_is_served_once_whatever_the_header_says(headers: dict[str, str]) -> None:
    gateway = gateway_that_answers()
    first = await gateway.ask(model=MODEL, task_id="task-7", headers={"idempotency-key": "of-the-first-attempt"})
    again = await gateway.stream(model=MODEL, task_id="task-7", headers=headers)
    assert again.frames[-1]["data"] == first.json
    assert len(gateway.wire.sent) == 1


@pytest.mark.parametrize("change", [{"prompt": "something else"}, {"context": {"max_tokens": 5}}, {"files": []}])
async def test_another_body_under_the_same_id_is_refused(change: dict[str, object]) -> None:
    gateway = gateway_that_answers()
    await gateway.ask(model=MODEL, task_id="task-7")
    answer = await gateway.ask(**{"model": MODEL, "task_id": "task-7", **change})
    assert answer.json["error_code"] == "idempotency_conflict"
    assert len(gateway.wire.sent) == 1


async def test_one_answer_of_several_is_another_request_than_a_single_one() -> None:
    gateway = gateway_that_answers()
    named = {"idempotency-key": "abc"}
    assert (await gateway.ask(model=MODEL, headers={**named, "x-mk-collapse": "single"})).status == 200
    refused = await gateway.ask(model=MODEL, headers=named)
    assert (refused.status, refused.json["error_code"]) == (422, "idempotency_conflict")
    again = await gateway.ask(model=MODEL, headers={**named, "x-mk-collapse": "single"})
    assert again.headers["idempotent-replayed"] == "true"


async def test_nulls_and_absent_fields_are_the_same_body() -> None:
    gateway = gateway_that_answers()
    await gateway.ask(model=MODEL, task_id="task-7")
    answer = await gateway.ask(model=MODEL, task_id="task-7", files=None, context=None, unknown=1)
    assert answer.status == 200


async def test_a_repeat_in_flight_is_told_so() -> None:
    gateway = gateway_that_answers()
    script = wires.openai()
    script.delay = 0.1
    gateway.wire.play("openai", script)
    first = asyncio.create_task(gateway.ask(model=MODEL, task_id="task-7"))
    await asyncio.sleep(0.02)
    second = await gateway.ask(model=MODEL, task_id="task-7")
    assert second.status == 409
    assert second.json["error_code"] == "request_in_progress"
    assert (await first).status == 200


async def test_after_a_failure_the_same_id_may_try_again() -> None:
    gateway = Gateway()
    gateway.wire.play("openai", wires.error(400), wires.openai())
    assert (await gateway.ask(model=MODEL, task_id="task-7")).status == 502
    assert (await gateway.ask(model=MODEL, task_id="task-7")).status == 200


async def test_without_an_id_every_request_is_its_own() -> None:
    gateway = gateway_that_answers()
    first = await gateway.ask(model=MODEL)
    second = await gateway.ask(model=MODEL)
    assert first.json["task_id"] != second.json["task_id"]
    assert len(gateway.books.settled) == 2
